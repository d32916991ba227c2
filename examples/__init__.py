"""Models of other kinds, watched like the rest: text, graph features, sequences; on the miniature bank's payments."""
