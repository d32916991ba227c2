"""One Slack channel, by the token of a Slack app: an incident is one message, edited in place."""
