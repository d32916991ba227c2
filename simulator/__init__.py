"""A miniature bank to try Watchkeeper on: features, scores, late labels, and incidents on demand."""
