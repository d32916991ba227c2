"""Reads files and streams of rows in pieces of at most about 100,000, so that memory is bounded."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from models.errors import WatchkeeperError
from models.spec import Spec
from profiles.schema import ProfileSchema
from warehouse.profiling import jsonlines

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 100_000
"""Rows of a piece; a record batch that is larger stays whole."""
ARROW, PARQUET, JSON_LINES = (".arrow", ".arrows"), (".parquet",), (".jsonl", ".ndjson")
ACCEPTED = f"accepted are {', '.join((*ARROW, *PARQUET, *JSON_LINES))}"
ARROW_FILE = b"ARROW1"
ARROW_STREAM = b"\xff"
"""First bytes of Arrow's formats. No text in UTF-8 has the byte with which a stream begins."""


class HashedReader(io.RawIOBase):
    """Bytes on their way to a reader, with the digest of all that passed."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer and return how many bytes; as soon as there are any, where that can be known."""
        some = getattr(self._content, "read1", self._content.read)
        got = some(len(buffer))
        buffer[: len(got)] = got
        self._digest.update(got)
        return len(got)

    def digest(self) -> str:
        """Return the first 16 hex digits of SHA-256 of what was read."""
        return self._digest.hexdigest()[:16]


def read_file_batches(spec: Spec, schema: ProfileSchema, content: BinaryIO, path: Path) -> Iterator[pa.Table]:
    """Yield a file's rows as tables; raise WatchkeeperError for an unknown kind, or what can't be read as its kind."""
    name, kind = str(path), path.suffix.lower()
    if kind in JSON_LINES:
        for line_batch in read_line_batches(content, name):
            yield jsonlines.json_lines_to_table(spec, schema, line_batch, name)
        return
    import pyarrow as pa  # noqa: PLC0415  the command line starts without it
    import pyarrow.parquet as pq  # noqa: PLC0415

    with _readable_errors(name):
        if kind in PARQUET:
            yield from _merge_small_batches(pq.ParquetFile(content).iter_batches(BATCH_ROWS))
            return
        is_file = content.read(len(ARROW_FILE)) == ARROW_FILE
        content.seek(0)
        if is_file:
            whole = pa.ipc.open_file(content)
            yield from _merge_small_batches(whole.get_batch(i) for i in range(whole.num_record_batches))
        else:
            yield from _merge_small_batches(pa.ipc.open_stream(content))


def read_arrow_stream(content: BinaryIO, name: str) -> Iterator[pa.Table]:
    """Yield the rows of an Arrow stream as tables; raise WatchkeeperError where it can't be read."""
    import pyarrow as pa  # noqa: PLC0415  see above

    with _readable_errors(name):
        yield from _merge_small_batches(pa.ipc.open_stream(content))


def read_line_batches(content: Iterable[bytes], name: str) -> Iterator[list[tuple[int, str]]]:
    """Yield numbered lines, 100,000 at a time, empty ones left out; raise WatchkeeperError for one that isn't UTF-8."""
    line_batch: list[tuple[int, str]] = []
    for number, raw in enumerate(content, 1):
        try:
            line = raw.decode().strip()
        except UnicodeDecodeError as error:
            raise WatchkeeperError(f"{name}: line {number}: isn't UTF-8; accepted is one JSON object a line") from error
        if line:
            line_batch.append((number, line))
        if len(line_batch) == BATCH_ROWS:
            yield line_batch
            line_batch = []
    if line_batch:
        yield line_batch


def _merge_small_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield record batches, small ones together: a statement costs the same for ten rows as for ten thousand."""
    import pyarrow as pa  # noqa: PLC0415  see above

    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(len(each) for each in held) >= BATCH_ROWS:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


@contextmanager
def _readable_errors(name: str) -> Iterator[None]:
    """Say in a sentence that something isn't what its name or its first bytes say."""
    import pyarrow as pa  # noqa: PLC0415  see above

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise WatchkeeperError(f"{name}: can't be read ({reason}); write it again, whole") from error
