"""Known answers on data that others made."""
