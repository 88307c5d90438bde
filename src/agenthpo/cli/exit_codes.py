"""The exit codes of the command line."""

DONE, MISTAKE, NOTHING_FOUND, INTERRUPTED = 0, 2, 3, 130
"""Done; a user's mistake; no trial succeeded, or a task that fails; interrupted."""
