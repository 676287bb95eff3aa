"""The MCP servers and the one enforcement point they share."""
