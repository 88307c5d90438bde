"""``python -m agenthpo`` is the command line."""

from agenthpo.cli import main

main()
