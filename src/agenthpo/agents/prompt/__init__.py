"""What the prompts contain: the task, the trials, what they say together, and the engine's view."""
