"""The two agents: the Creator proposes, the Executor reads what came out. Numbers come from code,
words from a model.
"""
