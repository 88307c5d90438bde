"""The task file: its form, its search space, and every mistake in it as one sentence."""
