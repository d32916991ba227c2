"""PagerDuty, by its Events API v2."""
