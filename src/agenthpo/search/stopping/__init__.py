"""Which trainings are stopped before their end."""
