"""Recorded trainings: model families on small data sets, trained for real, kept as tables."""
