"""The benchmark: problems with a known optimum, peers, scripted advisors, and what each
comes to.
"""
