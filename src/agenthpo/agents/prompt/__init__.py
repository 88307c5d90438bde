"""What the agents are told: the task, the trials, what they say together, and the engine's view."""
