"""What pages are built from: one model's part of the ledger, and the fleet's lines."""
