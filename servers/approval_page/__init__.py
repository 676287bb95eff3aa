"""The page that shows an approval inside a client that renders pages of servers (MCP Apps)."""
