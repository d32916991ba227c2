"""How the ledger reaches its database: connection, tables, migrations, one writer at a time."""
