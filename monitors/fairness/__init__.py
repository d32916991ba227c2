"""Does the model treat the groups of a protected column alike? All of it arithmetic on profiles."""
