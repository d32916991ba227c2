"""Copies the site to where people read it: another folder, or a bucket of Google or Amazon, through fsspec."""

from __future__ import annotations

import hashlib
import json
import mimetypes
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from models.errors import WatchkeeperError
from reports import writing

MANIFEST = "manifest.json"
"""What stands at the target, written after it: in each model's folder its files and the digests of what they hold; at
the root the same of all other files, and the digest of each model's list. So a day of one model reads and writes two
short lists, however many models there are."""
DIGESTS_FILE = ".digests.json"
"""Beside the site: size, time of change and digest of each file, so that only files that changed are read."""
SETTLED_NS = 2 * 10**9
"""A file that changed less than this before it was read may change again without a sign of it."""
CONTENT_TYPES = {
    ".prom": "text/plain; version=0.0.4; charset=utf-8",
    ".xml": "application/atom+xml",
    ".js": "text/javascript",
}
CONTENT_TYPE_KEYS = {"gs": "content_type", "gcs": "content_type", "s3": "ContentType", "s3a": "ContentType"}
"""What each store calls the type of a file, without which a browser would offer a page for download."""


class PublishedCounts(NamedTuple):
    """How many files were sent, and how many removed."""

    sent: int
    removed: int


def publish_site(site: Path, target: str, options: Mapping[str, Any] | None = None) -> PublishedCounts:
    """Bring ``target`` (a folder, or any address that fsspec knows) to what ``site`` holds.

    Only files that differ from what stands there are sent: what is linked to before what links to it (what all pages
    share, incidents, models, the fleet page last), and each whole, so that a reader never meets half a site; then what
    is gone is removed. Killed half-way, it goes on at the next call. Raises WatchkeeperError where the target isn't
    known or can't be written.
    """
    fs, root = _open_target(target, options or {})
    try:
        sender = _Sender(fs, root, site)
        here = _files_by_model(_site_digests(site))
        stands = _read_list(fs, f"{root}/{MANIFEST}")
        fleet, was = here.pop("", {}), stands.get("files", {})
        inner, top = ({name: fleet[name] for name in fleet if ("/" in name) is deep} for deep in (True, False))
        sender.send(inner, was)
        lists = {part: _digest(_list_as_json(names)) for part, names in here.items()}
        listed = stands.get("parts", {})
        for part in sorted(part for part in lists.keys() | listed.keys() if lists.get(part) != listed.get(part)):
            sender.bring(part, here.get(part, {}))
        sender.send(top, was)
        sender.remove(was.keys() - fleet.keys())
        whole = {"files": fleet, "parts": lists}
        if whole != stands:
            _send_file(fs, f"{root}/{MANIFEST}", _list_as_json(whole), MANIFEST)
    except WatchkeeperError:
        raise
    except Exception as error:  # each store has errors of its own
        raise WatchkeeperError(
            f"{target}: the site can't be published there ({type(error).__name__}: {str(error)[:200]}); what stands "
            "there stays readable; check that the bucket exists and that its credentials may write"
        ) from error
    return PublishedCounts(sender.sent, sender.removed)


class _Sender:
    """Brings parts of the target to what the site holds, and counts what it did."""

    def __init__(self, fs: Any, root: str, site: Path) -> None:
        self.fs, self.root, self.site = fs, root, site
        self.sent = self.removed = 0

    def send(self, here: Mapping[str, str], there: Mapping[str, str]) -> None:
        """Send the files that differ from what stands there, by digest."""
        for name in _in_sending_order(name for name in here if there.get(name) != here[name]):
            _send_file(self.fs, f"{self.root}/{name}", (self.site / name).read_bytes(), name)
            self.sent += 1

    def remove(self, names: Iterable[str]) -> None:
        """Remove files that are gone."""
        for name in sorted(names):
            if self.fs.exists(f"{self.root}/{name}"):
                self.fs.rm_file(f"{self.root}/{name}")
            self.removed += 1

    def bring(self, part: str, here: Mapping[str, str]) -> None:
        """Bring a model's folder to what it is here, and then its list."""
        path = f"{self.root}/{part}/{MANIFEST}"
        there = _read_list(self.fs, path)
        self.send(here, there)
        self.remove(there.keys() - here.keys())
        if here:
            _send_file(self.fs, path, _list_as_json(here), MANIFEST)
        elif self.fs.exists(path):
            self.fs.rm_file(path)


def _site_digests(site: Path) -> dict[str, str]:
    """Return the digest of each file of the site; of those that stand as they were at the last call, from then."""
    kept = _kept_digests(site)
    found, settled = {}, {}
    for name, size, changed_ns in _site_files(site):
        before = kept.get(name)
        now_ns = time.time_ns()
        same = before is not None and before[:2] == [size, changed_ns]
        found[name] = before[2] if before is not None and same else _digest((site / name).read_bytes())
        if same or changed_ns < now_ns - SETTLED_NS:
            settled[name] = [size, changed_ns, found[name]]
    if settled != kept:
        writing.write_file(site / DIGESTS_FILE, json.dumps(settled).encode())
    return found


def _kept_digests(site: Path) -> dict[str, list[Any]]:
    try:
        found = json.loads((site / DIGESTS_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _files_by_model(digests: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the files of each model's folder, and under '' those of none."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, digest in digests.items():
        model = name.split("/", 2) if name.startswith("models/") else []
        found["/".join(model[:2]) if len(model) > 2 else ""][name] = digest
    return dict(found)


def _list_as_json(found: Mapping[str, Any]) -> bytes:
    return json.dumps(found, sort_keys=True).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _open_target(target: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    import fsspec  # noqa: PLC0415  only where a site is published

    try:
        fs, root = fsspec.core.url_to_fs(target, **options)
    except (ImportError, ValueError) as error:
        raise WatchkeeperError(
            f"WATCHKEEPER_PUBLISH_TO: {target} can't be opened ({error}); accepted are a folder, gs://bucket/folder "
            "(with the package gcsfs) and s3://bucket/folder (with s3fs)"
        ) from error
    return fs, str(root).rstrip("/")


def _read_list(fs: Any, path: str) -> dict[str, Any]:
    """Return a list of what stands at the target; nothing where there is none, or one that can't be read."""
    try:
        found = json.loads(fs.cat_file(path))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _site_files(site: Path) -> Iterator[tuple[str, int, int]]:
    """Yield each file's name, size and time of change in nanoseconds."""
    for folder, _, names in os.walk(site):
        inside = Path(folder).relative_to(site)
        for name in names:
            if name != DIGESTS_FILE and not name.startswith(".part-"):
                known = (Path(folder) / name).stat()
                yield (inside / name).as_posix(), known.st_size, known.st_mtime_ns


def _in_sending_order(names: Iterable[str]) -> list[str]:
    """Return names in the order in which they are sent: what all pages share, the deepest pages, the fleet page."""
    return sorted(
        names, key=lambda name: (not name.startswith("assets/"), name == "index.html", -name.count("/"), name)
    )


def _send_file(fs: Any, path: str, content: bytes, name: str) -> None:
    """Write one file whole: a bucket's objects always are, and a folder's are renamed into place."""
    protocols = (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)
    if "file" in protocols:
        writing.write_file(Path(path), content)
        return
    kind = CONTENT_TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    key = next((CONTENT_TYPE_KEYS[protocol] for protocol in protocols if protocol in CONTENT_TYPE_KEYS), None)
    fs.pipe_file(path, content, **({key: kind} if key else {}))
