"""Proposers on the twelve tasks, where every trial is a real training."""
