"""Has it drifted, does it still perform, is it still fair? Pure arithmetic on profiles."""
