"""The specialists: each knows one job and one server, which it reaches only over MCP."""
