"""The experience log L: what was proposed, what came out, what was learnt, on disk and safe from
crashes.
"""
