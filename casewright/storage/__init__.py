"""The database: engine, shared tables and migrations."""
