"""The operations of a study: one set of plain functions behind the command line, the MCP server and
``agenthpo.Study``.

Whoever calls them may be a coding agent: what it says is validated, never executed, and nothing
outside the folder it works in is touched.
"""
