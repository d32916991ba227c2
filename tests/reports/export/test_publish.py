"""A published site is the site, sent once, whole, and in an order in which no reader meets half of it."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from models.errors import WatchkeeperError
from reports.export.publish import DIGESTS_FILE, MANIFEST, PublishedCounts, publish_site


class Bucket(MemoryFileSystem):
    """A store in memory that writes down what it is asked to keep, and may break after some files."""

    protocol = "gs"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    written: ClassVar[list[tuple[str, str]]] = []
    breaks_after: int | None = None

    def pipe_file(
        self, path: str, value: bytes, mode: str = "overwrite", content_type: str = "", **options: Any
    ) -> None:
        if self.breaks_after is not None and len(self.written) >= self.breaks_after:
            raise ConnectionError("the network is gone")
        self.written.append((path, content_type))
        super().pipe_file(path, value, mode=mode, **options)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("gs://").strip("/")


@pytest.fixture
def bucket() -> Iterator[type[Bucket]]:
    before = fsspec.registry.get("gs")
    fsspec.register_implementation("gs", Bucket, clobber=True)
    Bucket.store, Bucket.pseudo_dirs, Bucket.written, Bucket.breaks_after = {}, [""], [], None
    Bucket.clear_instance_cache()
    yield Bucket
    if before is not None:
        fsspec.register_implementation("gs", before, clobber=True)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    for name in ("index.html", "index.json", "assets/site.css", "models/m/index.html", "models/m/days/2026-04-30.html"):
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (site / ".part-unfinished").write_text("half a page")
    return site


def standing(target: Path) -> dict[str, str]:
    files = (path for path in target.rglob("*") if path.is_file() and path.name not in (MANIFEST, DIGESTS_FILE))
    return {path.relative_to(target).as_posix(): path.read_text(encoding="utf-8") for path in files}


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_folder_holds_the_site_and_a_second_time_sends_nothing(small: Path, tmp_path: Path, prefix: str) -> None:
    target = tmp_path / "public"
    assert publish_site(small, f"{prefix}{target}") == PublishedCounts(5, 0)
    assert standing(target) == {name: name for name in standing(small) if not name.startswith(".part-")}
    assert publish_site(small, f"{prefix}{target}") == PublishedCounts(0, 0)


def test_only_what_changed_is_sent_and_what_is_gone_is_removed(small: Path, tmp_path: Path) -> None:
    target = tmp_path / "public"
    publish_site(small, str(target))
    (small / "models/m/index.html").write_text("new")
    (small / "models/m/days/2026-04-30.html").unlink()
    assert publish_site(small, str(target)) == PublishedCounts(1, 1)
    assert standing(target)["models/m/index.html"] == "new"
    assert "models/m/days/2026-04-30.html" not in standing(target)


def test_the_fleet_page_is_sent_last_and_each_file_with_its_type(small: Path, bucket: type[Bucket]) -> None:
    publish_site(small, "gs://bank/site")
    assert [path for path, _ in bucket.written] == [
        "/bank/site/assets/site.css", "/bank/site/models/m/days/2026-04-30.html", "/bank/site/models/m/index.html",
        f"/bank/site/models/m/{MANIFEST}", "/bank/site/index.json", "/bank/site/index.html", f"/bank/site/{MANIFEST}",
    ]  # fmt: skip
    kinds = dict(bucket.written)
    assert kinds["/bank/site/index.html"] == "text/html"
    assert kinds["/bank/site/assets/site.css"] == "text/css"


def test_a_broken_network_is_one_sentence_and_the_next_time_goes_on(small: Path, bucket: type[Bucket]) -> None:
    bucket.breaks_after = 2
    with pytest.raises(WatchkeeperError, match="the network is gone") as caught:
        publish_site(small, "gs://bank/site")
    assert "\n" not in str(caught.value)
    assert "/bank/site/index.html" not in [path for path, _ in bucket.written]
    bucket.breaks_after = None
    publish_site(small, "gs://bank/site")
    listed = json.loads(Bucket.store[f"/bank/site/{MANIFEST}"].getvalue())
    models = json.loads(Bucket.store[f"/bank/site/models/m/{MANIFEST}"].getvalue())
    assert {*listed["files"], *models} == set(standing(small)) - {".part-unfinished"}
    assert list(listed["parts"]) == ["models/m"]


def aged(site: Path, seconds: int = 60) -> None:
    """Let the files of a site be so old."""
    for path in site.rglob("*"):
        if path.is_file():
            os.utime(path, ns=(then := time.time_ns() - seconds * 10**9, then))


def test_a_file_that_stands_as_it_was_is_not_read_again(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged(small)
    publish_site(small, str(tmp_path / "public"))
    (small / "models/m/index.html").write_text("new")
    read: list[str] = []
    plain = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.name) or plain(path))
    assert publish_site(small, str(tmp_path / "other")) == PublishedCounts(5, 0)
    first, read[:] = read[0], []
    assert first == "index.html"
    assert publish_site(small, str(tmp_path / "other")) == PublishedCounts(0, 0)
    assert read == ["index.html"]  # which changed just now, and might change again without a sign of it


def test_a_file_that_changes_right_after_it_was_read_is_noticed(small: Path, tmp_path: Path) -> None:
    publish_site(small, str(tmp_path / "public"))
    page = small / "index.html"
    before = page.stat()
    page.write_text("INDEX.HTML")
    os.utime(page, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert publish_site(small, str(tmp_path / "public")) == PublishedCounts(1, 0)


def test_a_day_of_one_model_reads_and_writes_no_list_of_another(small: Path, bucket: type[Bucket]) -> None:
    (small / "models/n").mkdir()
    (small / "models/n/index.html").write_text("n")
    publish_site(small, "gs://bank/site")
    bucket.written.clear()
    (small / "models/m/index.html").write_text("new")
    assert publish_site(small, "gs://bank/site") == PublishedCounts(1, 0)
    assert [path.removeprefix("/bank/site/") for path, _ in bucket.written] == [
        "models/m/index.html", f"models/m/{MANIFEST}", MANIFEST,
    ]  # fmt: skip


def test_a_model_that_is_gone_goes_from_the_target_too(small: Path, tmp_path: Path) -> None:
    target = tmp_path / "public"
    publish_site(small, str(target))
    shutil.rmtree(small / "models")
    assert publish_site(small, str(target)) == PublishedCounts(0, 2)
    assert set(standing(target)) == {"index.html", "index.json", "assets/site.css"}
    assert not (target / "models/m" / MANIFEST).exists()


def test_an_address_that_nobody_knows_is_one_sentence(small: Path) -> None:
    with pytest.raises(WatchkeeperError, match="accepted are a folder, gs://"):
        publish_site(small, "nowhere://bank/site")
