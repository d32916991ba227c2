"""Charts and the distributions they show."""
