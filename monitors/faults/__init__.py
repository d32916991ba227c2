"""Is a column, or the whole partition, broken in a way that its distribution gives away? No row is read."""
