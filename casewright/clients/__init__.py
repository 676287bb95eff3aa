"""The configuration files of MCP clients: where they are, what we write into them, and how without harm."""
