from __future__ import annotations

import sqlite3
import threading
import traceback
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ledger.storage import tables
from ledger.store import Ledger
from models.errors import WatchkeeperError
from tests.ledger.made import run

SECRET = "s3cret-w0rd"


def refused(url: str) -> str:
    """Return the sentence with which an address is refused."""
    with pytest.raises(WatchkeeperError) as caught:
        Ledger.open(url)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.filterwarnings("ignore:Class unnest:sqlalchemy.exc.SAWarning")  # duckdb_engine, where it is loaded too
def test_the_migrations_make_the_tables_that_the_code_uses(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_opening_again_finds_what_was_saved(url: str) -> None:
    for _ in range(2):
        opened = Ledger.open(url)
        opened.save_run(run())
        assert opened.runs() == [run()]
        opened.close()


def test_sqlite_lets_readers_beside_a_writer_and_writers_wait(sqlite: Ledger) -> None:
    with sqlite.engine.connect() as connection:
        names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        settings = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
    assert settings == ["wal", 1, 30_000, 1]


def test_a_new_ledger_waits_for_another_process_that_is_making_it(tmp_path: Path) -> None:
    """SQLite itself wouldn't: it can't switch to a write-ahead log beside a writer, and says so at once."""
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    release.start()
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    assert ledger.runs() == []
    release.join()
    other.close()
    ledger.close()


def test_a_ledger_of_a_newer_version_is_left_alone(url: str) -> None:
    ledger = Ledger.open(url)
    ledger.save_run(run())
    with ledger.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
        connection.commit()
    ledger.close()
    sentence = "its tables are at revision 0999, which this version doesn't know; a newer Watchkeeper wrote it, so"
    assert sentence in refused(url)


NO_ADDRESS = (
    "WATCHKEEPER_LEDGER is no database address; accepted is e.g. sqlite:///watchkeeper.db or postgresql+psycopg:"
)
NO_FILE = "can't be opened (unable to open database file); check the address in WATCHKEEPER_LEDGER, and that what it"
PSYCOPG = "postgresql+psycopg://"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ledger.db", NO_ADDRESS),
        ("", NO_ADDRESS),
        (f"postgresql://u:{SECRET}@host:port/name", NO_ADDRESS),
        (
            f"mysql://u:{SECRET}@host/name",
            "ledger mysql://u:***@host/name: unknown kind 'mysql'; accepted is e.g. sqlite",
        ),
        ("sqlite:////no/such/folder/l.db", f"ledger sqlite:////no/such/folder/l.db: {NO_FILE}"),
        ("sqlite:////proc/l.db", f"ledger sqlite:////proc/l.db: {NO_FILE}"),
        ("sqlite:////tmp", f"ledger sqlite:////tmp: {NO_FILE}"),
        (f"{PSYCOPG}u:{SECRET}@127.0.0.1:1/n", f"ledger {PSYCOPG}u:***@127.0.0.1:1/n: can't be opened (connection"),
        (
            f"postgres://u@127.0.0.1:1/n?password={SECRET}",
            f"ledger {PSYCOPG}u@127.0.0.1:1/n: can't be opened (connection",
        ),
    ],
)
def test_an_address_that_cannot_be_opened_is_one_sentence_without_its_password(url: str, sentence: str) -> None:
    if "127.0.0.1" in url:
        pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    assert refused(url).startswith(sentence)


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but somebody's notes\n" * 200)
    assert "can't be opened (file is not a database)" in refused(f"sqlite:///{file}")
    assert file.read_text() == "not a database, but somebody's notes\n" * 200


def test_a_ledger_that_may_only_be_read_can_be_read(sqlite_url: str) -> None:
    writable = Ledger.open(sqlite_url)
    writable.save_run(run())
    file = sa.make_url(sqlite_url).database
    read_only = Ledger.open(f"sqlite:///file:{file}?mode=ro&uri=true")
    assert read_only.runs() == [run()]
    with pytest.raises(WatchkeeperError, match=r"can't be written; .* kept .attempt to write a readonly database"):
        read_only.save_run(run(rows=1))
    read_only.close()
    writable.close()
