"""What people read about incidents: plain text, Slack's blocks, a chart."""
