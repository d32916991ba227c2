"""Brings the ledger's tables to the newest revision that this version knows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from ledger.storage.write_lock import begin_write
from models.errors import WatchkeeperError

MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade_to_newest(engine: sa.Engine, shown: str) -> None:
    """Apply the revisions that are missing, in one transaction; a second process waits, then finds nothing to do.

    ``shown`` names the database in messages. Raises WatchkeeperError where a newer version wrote it, and lets
    SQLAlchemy's errors through.
    """
    with _quiet_alembic():
        from alembic import command  # noqa: PLC0415  it logs while it is imported
        from alembic.config import Config  # noqa: PLC0415
        from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
        from alembic.script import ScriptDirectory  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))  # % is the option's own sign
        script = ScriptDirectory.from_config(config)
        with engine.connect() as reading:
            current = MigrationContext.configure(reading).get_current_revision()
        if current == script.get_current_head():
            return
        if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
            raise WatchkeeperError(
                f"ledger {shown}: its tables are at revision {current}, which this version doesn't know; "
                "a newer Watchkeeper wrote it, so upgrade this one"
            )
        with engine.connect() as writing:
            begin_write(writing)
            config.attributes["connection"] = writing
            command.upgrade(config, "head")
            writing.commit()


@contextmanager
def _quiet_alembic() -> Iterator[None]:
    """Keep Alembic's progress out of the logs of whoever opens the ledger."""
    logger = logging.getLogger("alembic")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)
