"""The HTTP API and Slack's buttons: what people and programs ask of the ledger, and announce to it."""
