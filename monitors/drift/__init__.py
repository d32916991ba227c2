"""Has a feature or the score moved away from its baseline? All of it arithmetic on profiles."""
