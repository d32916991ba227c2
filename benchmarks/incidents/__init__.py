"""Faults with a known day, put into quiet data: what Watchkeeper and its peers say of them, and of days without."""
