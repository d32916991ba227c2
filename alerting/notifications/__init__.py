"""Who is notified of an incident, through which channel, and when again."""
