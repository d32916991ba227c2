"""The terminal and a file, for those who have no other channel."""
