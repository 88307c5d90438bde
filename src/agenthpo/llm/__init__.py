"""Language models: one small protocol, behind it an embedded model or any provider, imported only
when used.
"""
