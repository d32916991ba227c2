"""Takes micro-batches into the profiles of their days, each exactly once.

A file is one batch, named after the file and its content, and is counted whole or not at all. Standard input may have
no end to wait for: of its JSON lines every 100,000 are a batch of their own, counted before more are read. What is
counted under a name is not counted again under that name, whoever was killed where.

A day that is in the warehouse table takes no more: its partition has all of its rows, and it is what is measured.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ledger.batches import BatchOutcome
from models.errors import WatchkeeperError
from models.spec import Spec
from profiles.profile import Profile
from profiles.schema import ProfileSchema
from warehouse.profiling import arrow, jsonlines
from watchkeeper.context import Context
from watchkeeper.ingest import batches
from watchkeeper.pipeline.take_in import ensure_profile_schema

if TYPE_CHECKING:
    import pyarrow as pa

POLL_SECONDS = 2.0
"""How often a directory that is followed is looked at."""
STDIN = "standard input"


@dataclass(frozen=True)
class Feed:
    """Where batches go: a model and its profile schema, and who hears what became of each."""

    ctx: Context
    spec: Spec
    schema: ProfileSchema
    report_progress: Callable[[str], None]

    def knows(self, batch: str) -> bool:
        """Return whether a batch is counted; it need not be read again."""
        return bool(self.ctx.ledger.batch_days(self.spec.model, self.schema.id, batch))


def ingest_batches(
    ctx: Context,
    spec: Spec,
    path: str,
    stdin: BinaryIO,
    report_progress: Callable[[str], None],
    *,
    batch_id: str | None,
    follow: bool,
) -> None:
    """Take a file, a directory of files or ``-``, standard input, and report what became of each batch.

    ``batch_id`` names a file or standard input otherwise than by content; ``follow`` looks at a directory again until
    it is interrupted. Raises WatchkeeperError for what can't be read, of which nothing is counted, and for rows of a
    day that takes no more; a directory's other files are taken all the same.
    """
    location = Path(path)
    if follow and not location.is_dir():
        raise WatchkeeperError(f"{path}: --follow needs a directory")
    if batch_id and location.is_dir():
        raise WatchkeeperError(f"{path}: --batch-id can't name a directory: each of its files is a batch of its own")
    feed = Feed(ctx, spec, ensure_profile_schema(ctx, spec), report_progress)
    if path == "-":
        problems = _ingest_stream(feed, stdin, batch_id)
    elif location.is_dir():
        problems = _ingest_directory(feed, location, follow=follow)
    else:
        name, profiles = _read_file(feed, location, batch_id)
        problems = _count_batch(feed, path, name, profiles)
    if problems:
        raise WatchkeeperError("\n".join(problems))


def _ingest_directory(feed: Feed, folder: Path, *, follow: bool) -> list[str]:
    """Take the files of a directory in order of name, and return what was wrong with some, each reported at once."""
    seen: set[tuple[str, int, int]] = set()
    problems: list[str] = []
    try:
        while True:
            for file in _finished_files(folder):
                key = (file.name, file.stat().st_size, file.stat().st_mtime_ns)
                if key not in seen:
                    problems += _ingest_file(feed, file)
                    seen.add(key)
            if not follow:
                return problems
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        return problems


def _finished_files(folder: Path) -> list[Path]:
    """Return the files of a directory that aren't still being written: names that start with '.' or '_' are."""
    return [file for file in sorted(folder.iterdir()) if file.name[0] not in "._" and file.is_file()]


def _ingest_file(feed: Feed, file: Path) -> list[str]:
    """Take one of many files. What is wrong with it is reported; what is wrong with the ledger is raised."""
    try:
        name, profiles = _read_file(feed, file, None)
    except WatchkeeperError as error:
        found = [str(error)]
    else:
        found = _count_batch(feed, str(file), name, profiles)
    for problem in found:
        feed.report_progress(problem)
    return found


def _read_file(feed: Feed, path: Path, batch_id: str | None) -> tuple[str, dict[date, Profile] | None]:
    """Return the name and the profiles of a file; None for profiles where it is counted already."""
    if path.suffix.lower() not in (*batches.ARROW, *batches.PARQUET, *batches.JSON_LINES):
        raise WatchkeeperError(f"{path}: unknown kind of file; {batches.ACCEPTED}")
    try:
        with path.open("rb") as content:
            name = batch_id or f"{path.name}-{hashlib.file_digest(content, 'sha256').hexdigest()[:16]}"
            if feed.knows(name):
                return name, None
            content.seek(0)
            return name, _profile_tables(
                feed, batches.read_file_batches(feed.spec, feed.schema, content, path), str(path)
            )
    except OSError as error:
        raise WatchkeeperError(f"{path}: can't be read ({error.strerror})") from error


def _ingest_stream(feed: Feed, stdin: BinaryIO, batch_id: str | None) -> list[str]:
    """Take JSON lines or an Arrow stream, distinguished by the first byte."""
    hashed = batches.HashedReader(stdin)
    content = io.BufferedReader(hashed)
    if not content.peek(1).startswith(batches.ARROW_STREAM):
        return [
            problem for name, lines in _name_batches(content, batch_id) for problem in _ingest_lines(feed, name, lines)
        ]
    profiles = _profile_tables(feed, batches.read_arrow_stream(content, STDIN), STDIN)
    while content.read(2**20):
        pass  # what follows the stream's end belongs to the digest
    return _count_batch(feed, STDIN, batch_id or hashed.digest(), profiles)


def _name_batches(content: Iterable[bytes], batch_id: str | None) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """Yield pieces of lines as batches: ID for the only one, else ID/1, ID/2 ...; without an id, by their digest.

    A digest of each piece, not of the whole: after a bad line was fixed, the pieces before it have the same names.
    """
    for number, lines in enumerate(batches.read_line_batches(content, STDIN), 1):
        if batch_id is None:
            yield hashlib.sha256("\n".join(line for _, line in lines).encode()).hexdigest()[:16], lines
        else:
            yield batch_id if number == 1 and len(lines) < batches.BATCH_ROWS else f"{batch_id}/{number}", lines


def _ingest_lines(feed: Feed, name: str, lines: list[tuple[int, str]]) -> list[str]:
    if feed.knows(name):
        return _count_batch(feed, STDIN, name, None)
    table = jsonlines.json_lines_to_table(feed.spec, feed.schema, lines, STDIN)
    return _count_batch(feed, STDIN, name, _profile_tables(feed, [table], STDIN))


def _profile_tables(feed: Feed, tables: Iterable[pa.Table], source: str) -> dict[date, Profile]:
    """Return the profile of each day in tables; of each table only its counts are kept."""
    found: dict[date, Profile] = {}
    for table in tables:
        for day, profile in arrow.profile_table(feed.spec, feed.schema, table, source).items():
            found[day] = found[day] + profile if day in found else profile
    return found


def _count_batch(feed: Feed, source: str, batch: str, profiles: dict[date, Profile] | None) -> list[str]:
    """Count a batch's profiles (None: they were counted before), report it, and return what was refused."""
    if profiles is None:
        feed.report_progress(f"{source}: batch {batch} was counted before")
        return []
    there = feed.ctx.warehouse.days(feed.spec, min(profiles), max(profiles)) if profiles else []
    open_days = {day: profile for day, profile in profiles.items() if day not in there}
    taken = feed.ctx.ledger.add_batch(feed.spec.model, batch, open_days)
    counted = [f"{profiles[day].rows:,} of {day}" for day, became in taken.items() if became is BatchOutcome.COUNTED]
    feed.report_progress(f"{source}: batch {batch}: rows counted: {', '.join(counted) or 'none'}")
    return [
        f"{source}: batch {batch}: {profile.rows:,} rows of {day} are not counted: the day's partition was there "
        f"before, in table {feed.spec.features.table}, and is what is measured, or retention dropped the day"
        for day, profile in profiles.items()
        if taken.get(day, BatchOutcome.REFUSED) is BatchOutcome.REFUSED
    ]
