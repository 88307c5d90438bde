"""Text for people: phrases that every face shares, and what must be cleaned or kept back on its way
out.
"""
