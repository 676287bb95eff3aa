"""The review server: reviews begun, followed, answered, decided and explained over MCP."""
