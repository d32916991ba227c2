"""Slack's incoming webhook: a channel without a Slack app of its own."""
