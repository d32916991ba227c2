"""How Alembic reaches the ledger: over the connection it is handed, in that connection's transaction."""

from __future__ import annotations

from alembic import context

from ledger.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
