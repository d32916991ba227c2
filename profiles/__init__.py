"""The ground floor: what one scan of a partition brings back, as counts that add and subtract."""
