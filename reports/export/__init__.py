"""What other programs read: feeds, JSON Schema, Evidently, a published copy of the site."""
