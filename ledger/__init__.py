"""What has been concluded: measurements, incidents and messages, each under a natural key."""
