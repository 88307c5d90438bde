"""What is known of hyperparameters before anything has run: data that a person can read and extend,
and code that matches and maps, nothing else.
"""
