"""Methods on tables of stored trainings and on made-up problems, where thousands of runs cost
minutes.
"""
