"""Tune a training script with two language-model agents and a classical optimiser."""

__version__ = "0.1.0"
