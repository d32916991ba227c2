"""Every metric and monitor, one file for each domain."""
