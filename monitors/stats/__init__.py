"""Statistics that know nothing of fraud: intervals, distances, null distributions."""
