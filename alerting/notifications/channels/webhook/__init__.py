"""A signed webhook of the bank's own."""
