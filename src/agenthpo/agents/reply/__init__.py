"""What the agents answer: the form, the validation that nothing gets past, and what was plainly
meant.
"""
