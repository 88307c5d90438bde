"""The data of the twelve tasks: where they come from, and how they are read."""
