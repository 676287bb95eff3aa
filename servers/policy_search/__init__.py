"""The policy search server: find, read, compare and verify the rules in force."""
