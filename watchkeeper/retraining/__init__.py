"""From a retraining request to a challenger, its judgement, and its promotion."""
