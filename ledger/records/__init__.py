"""The records that the ledger keeps, one file for each domain: each has a natural key."""
