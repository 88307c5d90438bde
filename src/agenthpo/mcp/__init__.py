"""The operations of a study as an MCP server, for the coding agent that is open beside it."""
