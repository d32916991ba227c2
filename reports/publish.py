"""Copies the site to where people read it: another folder, or a bucket of Google or Amazon, through fsspec."""

from __future__ import annotations

import hashlib
import json
import mimetypes
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from models.errors import WatchkeeperError
from reports import write

MANIFEST = "manifest.json"
"""What stands at the target: each file and the digest of what it holds. It is written last."""
TYPES = {".prom": "text/plain; version=0.0.4; charset=utf-8", ".xml": "application/atom+xml", ".js": "text/javascript"}
CONTENT_TYPE = {"gs": "content_type", "gcs": "content_type", "s3": "ContentType", "s3a": "ContentType"}
"""What each store calls the type of a file, without which a browser would offer a page for download."""


class Published(NamedTuple):
    """How many files were sent, and how many removed."""

    sent: int
    removed: int


def publish(site: Path, target: str, options: Mapping[str, Any] | None = None) -> Published:
    """Bring ``target`` (a folder, or any address that fsspec knows) to what ``site`` holds.

    Only files that differ from what stands there are sent: what is linked to before what links to it, the fleet page
    last, and each whole, so that a reader never meets half a site; then what is gone is removed. Killed half-way, it
    goes on at the next call. Raises WatchkeeperError where the target isn't known or can't be written.
    """
    fs, root = _open(target, options or {})
    try:
        there = _manifest(fs, root)
        here = {path.relative_to(site).as_posix(): path for path in _files(site)}
        digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in here.items()}
        changed = [name for name in _in_order(here) if there.get(name) != digests[name]]
        for name in changed:
            _send(fs, f"{root}/{name}", here[name].read_bytes(), name)
        gone = sorted(there.keys() - here.keys())
        for name in gone:
            if fs.exists(f"{root}/{name}"):
                fs.rm_file(f"{root}/{name}")
        if changed or gone:
            _send(fs, f"{root}/{MANIFEST}", json.dumps(digests, sort_keys=True).encode(), MANIFEST)
    except WatchkeeperError:
        raise
    except Exception as error:  # each store has errors of its own
        raise WatchkeeperError(
            f"{target}: the site can't be published there ({type(error).__name__}: {str(error)[:200]}); what stands "
            "there stays readable; check that the bucket exists and that its credentials may write"
        ) from error
    return Published(len(changed), len(gone))


def _open(target: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    import fsspec  # noqa: PLC0415  only where a site is published

    try:
        fs, root = fsspec.core.url_to_fs(target, **options)
    except (ImportError, ValueError) as error:
        raise WatchkeeperError(
            f"WATCHKEEPER_PUBLISH_TO: {target} can't be opened ({error}); accepted are a folder, gs://bucket/folder "
            "(with the package gcsfs) and s3://bucket/folder (with s3fs)"
        ) from error
    return fs, str(root).rstrip("/")


def _manifest(fs: Any, root: str) -> dict[str, str]:
    """Return what stands at the target; nothing where there is no list of it, or one that can't be read."""
    try:
        found = json.loads(fs.cat_file(f"{root}/{MANIFEST}"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _files(site: Path) -> Iterable[Path]:
    return (path for path in site.rglob("*") if path.is_file() and not path.name.startswith(".part-"))


def _in_order(names: Iterable[str]) -> list[str]:
    """Return names in the order in which they are sent: what all pages share, the deepest pages, the fleet page."""
    return sorted(
        names, key=lambda name: (not name.startswith("assets/"), name == "index.html", -name.count("/"), name)
    )


def _send(fs: Any, path: str, content: bytes, name: str) -> None:
    """Write one file whole: a bucket's objects always are, and a folder's are renamed into place."""
    protocols = (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)
    if "file" in protocols:
        write.file(Path(path), content)
        return
    kind = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    key = next((CONTENT_TYPE[protocol] for protocol in protocols if protocol in CONTENT_TYPE), None)
    fs.pipe_file(path, content, **({key: kind} if key else {}))
