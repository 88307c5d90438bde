"""Drafts a task file from a script's text, which is read and never run."""
