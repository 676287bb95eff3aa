"""Effects: approved calls that happen exactly once and leave a receipt."""
