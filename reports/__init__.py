"""What model owners browse: a static site made from the ledger alone."""
