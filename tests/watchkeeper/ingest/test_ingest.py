from __future__ import annotations

import io
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as within
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.engine import Engine

from ledger.snapshot import snapshot_ledger
from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.spec import Spec
from profiles.profile import Profile
from tests.watchkeeper.conftest import MODEL
from tests.watchkeeper.ingest.streams import DAY, cut, json_lines, rows_of, streamed, write
from warehouse.profiling import arrow
from watchkeeper.context import Context
from watchkeeper.ingest.ingest import ingest_batches
from watchkeeper.pipeline import watch
from watchkeeper.pipeline.take_in import ensure_profile_schema
from watchkeeper.settings import Settings

ROOT = Path(__file__).parents[3]


@pytest.fixture
def settings(settings: Settings, broken_bank: Callable[..., Path]) -> Settings:
    """Return settings whose warehouse lacks the day that is streamed."""
    return replace(settings, warehouse=str(broken_bank(without=DAY)))


@pytest.fixture
def whole(ctx: Context, spec: Spec, bank: Path) -> dict[date, Profile]:
    """Return the profile of the day as a scan of its partition has it."""
    return watch.open_context(replace(ctx.settings, warehouse=str(bank))).warehouse.profile(
        spec, ensure_profile_schema(ctx, spec), DAY, DAY
    )


def command(settings: Settings, *arguments: str) -> tuple[list[str], dict[str, str]]:
    given_ = {
        f"WATCHKEEPER_{f.name.upper()}": str(getattr(settings, f.name) or "")
        for f in fields(settings)
        if f.name != "secrets"
    }
    environment = {**os.environ, **{name: value for name, value in given_.items() if value}, "COLUMNS": "400"}
    return [sys.executable, "-m", "watchkeeper", "ingest", "--model", MODEL, *arguments], environment


def say(settings: Settings, *arguments: str, stdin: bytes = b"") -> tuple[int, str]:
    """Run the command as a process of its own, with a pipe for its input; return its status and what it told."""
    line, environment = command(settings, *arguments)
    done = subprocess.run(line, cwd=ROOT, env=environment, input=stdin, capture_output=True, check=False, timeout=300)
    assert done.stdout == b""
    return done.returncode, done.stderr.decode()


def take(ctx: Context, spec: Spec, path: Path | str, batch_id: str | None = None, stdin: bytes = b"") -> list[str]:
    told: list[str] = []
    ingest_batches(ctx, spec, str(path), io.BytesIO(stdin), told.append, batch_id=batch_id, follow=False)
    return told


def test_a_directory_of_every_kind_of_file_has_the_profile_of_the_partition_and_counts_once(
    settings: Settings, ctx: Context, spec: Spec, bank: Path, whole: dict[date, Profile], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    kinds = ("a.arrow", "b.arrows", "c.parquet", "d.jsonl", "e.arrow")
    for part, name in zip(cut(rows_of(bank), len(kinds)), kinds, strict=True):
        write(part, folder / name)
    (folder / ".f.jsonl").write_text('{"half')
    (folder / "_g.arrow").write_bytes(b"half")
    status, told = say(settings, str(folder))
    assert (status, told.count("rows counted"), streamed(ctx, spec)) == (0, len(kinds), whole)
    before = snapshot_ledger(ctx.ledger)
    status, told = say(settings, str(folder))
    assert (status, told.count("was counted before"), snapshot_ledger(ctx.ledger)) == (0, len(kinds), before)


def test_json_lines_and_an_arrow_stream_from_a_pipe_have_the_profile_of_the_partition_and_count_once(
    settings: Settings, ctx: Context, spec: Spec, bank: Path, whole: dict[date, Profile]
) -> None:
    first, second = cut(rows_of(bank), 2)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, second.schema) as writer:
        writer.write_table(second)
    for _ in range(2):
        assert say(settings, "-", "--batch-id", "first", stdin=json_lines(first).encode())[0] == 0
        assert say(settings, "-", stdin=sink.getvalue())[0] == 0
    assert streamed(ctx, spec) == whole


@given(data=st.data())
@within(max_examples=12, deadline=None)
def test_any_split_in_any_order_with_any_repeats_has_the_profile_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, bank: Path, data: st.DataObject
) -> None:
    spec, ctx = _small(bank, tmp_path_factory.mktemp("split"))
    rows = rows_of(bank, most=240)
    of = data.draw(st.lists(st.integers(0, 4), min_size=len(rows), max_size=len(rows)), label="batch of each row")
    names = sorted(set(of))
    sent = data.draw(st.permutations(names + data.draw(st.lists(st.sampled_from(names), max_size=3))), label="sent")
    for name in sent:
        batch = rows.filter(pa.array([each == name for each in of]))
        kind = data.draw(st.sampled_from(("arrow", "jsonl", "parquet")), label="kind")
        take(ctx, spec, write(batch, ctx.settings.site / f"{name}.{kind}"), batch_id=f"b{name}")
    assert streamed(ctx, spec) == arrow.profile_table(spec, ensure_profile_schema(ctx, spec), rows, "whole")
    ctx.ledger.close()


def _small(bank: Path, folder: Path) -> tuple[Spec, Context]:
    """Return the bank's model, and a context whose warehouse ends before the streamed day."""
    import yaml

    content = yaml.safe_load((ROOT / "demo" / "models" / f"{MODEL}.yaml").read_text())
    spec = Spec.model_validate(content | {"baseline": {"from": date(2026, 1, 1), "to": date(2026, 1, 2)}})
    features = folder / "bank" / MODEL / "features"
    features.mkdir(parents=True)
    for day in spec.baseline.days():
        (features / f"day={day}").symlink_to(bank / MODEL / "features" / f"day={day}")
    return spec, watch.open_context(
        Settings(warehouse=str(folder / "bank"), ledger=f"sqlite:///{folder}/ledger.db", site=folder / "in")
    )


def test_a_bad_line_is_named_and_nothing_of_its_file_is_counted_while_others_are(
    settings: Settings, ctx: Context, spec: Spec, bank: Path, tmp_path: Path
) -> None:
    first, second = cut(rows_of(bank, most=400), 2)
    bad = write(first, tmp_path / "in" / "a.jsonl")
    text = bad.read_text().splitlines()
    bad.write_text("\n".join([*text[:150], '{"amount_gbp": ', *text[150:]]))
    write(second, tmp_path / "in" / "b.jsonl")
    (tmp_path / "in" / "c.csv").write_text("a,b\n")
    status, told = say(settings, str(tmp_path / "in"))
    assert status == 2
    assert f"{bad}: line 151: isn't JSON" in told
    assert "c.csv: unknown kind of file; accepted are .arrow" in told
    assert "Traceback" not in told
    assert streamed(ctx, spec)[DAY].rows == len(second)


@pytest.mark.parametrize("kind", ["arrow", "arrows", "parquet"])
def test_a_file_that_is_cut_short_is_named_and_nothing_of_it_is_counted(
    ctx: Context, spec: Spec, bank: Path, tmp_path: Path, kind: str
) -> None:
    file = write(rows_of(bank, most=5000), tmp_path / f"a.{kind}")
    file.write_bytes(file.read_bytes()[:-3000])
    with pytest.raises(WatchkeeperError) as caught:
        take(ctx, spec, file)
    assert str(caught.value).startswith(f"{file}: can't be read (")
    assert "\n" not in str(caught.value)
    assert streamed(ctx, spec) == {}


def test_a_long_pipe_is_cut_into_batches_and_goes_on_after_its_bad_line_was_mended(ctx: Context, spec: Spec) -> None:
    line = f'{{"day": "{DAY}", "score": 0.01}}\n'
    with pytest.raises(WatchkeeperError, match="standard input: line 200010: isn't an object"):
        take(ctx, spec, "-", "long", (line * 200_009 + "3\n").encode())
    assert streamed(ctx, spec)[DAY].rows == 200_000
    told = take(ctx, spec, "-", "long", (line * 200_010).encode())
    assert streamed(ctx, spec)[DAY].rows == 200_010
    assert told == [
        "standard input: batch long/1 was counted before",
        "standard input: batch long/2 was counted before",
        f"standard input: batch long/3: rows counted: 10 of {DAY}",
    ]


def test_rows_of_several_days_go_to_the_profiles_of_their_days(
    ctx: Context, spec: Spec, bank: Path, tmp_path: Path
) -> None:
    today = rows_of(bank, most=30)
    place = today.schema.get_field_index("event_time")
    tomorrow = today.slice(0, 20).set_column(place, "event_time", pa.repeat(pa.scalar("2026-01-27 00:00:01"), 20))
    write(today, tmp_path / "in" / "a.jsonl")
    with (tmp_path / "in" / "a.jsonl").open("a") as file:
        file.write(json_lines(tomorrow))
    take(ctx, spec, tmp_path / "in")
    found = streamed(ctx, spec, (DAY, date(2026, 1, 27)))
    assert {day: found[day].rows for day in (DAY, date(2026, 1, 27))} == {DAY: 30, date(2026, 1, 27): 20}


def _killed_at(settings: Settings, spec: Spec, folder: Path, commit: int) -> None:
    """Take a directory in this process, and kill it with SIGKILL just before its nth commit."""
    seen = 0

    def count(_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == commit:
            os.kill(os.getpid(), signal.SIGKILL)

    ctx = watch.open_context(settings)
    event.listen(Engine, "commit", count)
    take(ctx, spec, folder)


def test_killed_at_any_batch_and_run_again_the_ledger_is_the_same(
    settings: Settings, spec: Spec, bank: Path, tmp_path: Path
) -> None:
    for i, part in enumerate(cut(rows_of(bank, most=900), 3)):
        write(part, tmp_path / "in" / f"{i}.arrow")
    undisturbed = watch.open_context(settings)
    take(undisturbed, spec, tmp_path / "in")
    fork = multiprocessing.get_context("fork")
    killed = 0
    for commit in range(1, 20):
        mine = replace(settings, ledger=f"sqlite:///{tmp_path}/killed-{commit}.db")
        Ledger.open(mine.ledger).close()
        child = fork.Process(target=_killed_at, args=(mine, spec, tmp_path / "in", commit))
        child.start()
        child.join(120)
        again = watch.open_context(mine)
        take(again, spec, tmp_path / "in")
        assert snapshot_ledger(again.ledger) == snapshot_ledger(undisturbed.ledger), f"killed before commit {commit}"
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        killed += 1
    assert killed == 4, "the frame and each of three batches are a commit"


@contextmanager
def following(settings: Settings, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    line, environment = command(settings, str(folder), "--follow")
    with subprocess.Popen(line, cwd=ROOT, env=environment, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_directory_is_followed_until_interrupted(
    settings: Settings, ctx: Context, spec: Spec, bank: Path, whole: dict[date, Profile], tmp_path: Path
) -> None:
    first, second = cut(rows_of(bank), 2)
    write(first, tmp_path / "in" / "1.arrow")
    with following(settings, tmp_path / "in") as process:
        assert process.stderr is not None
        assert b"1.arrow: batch 1.arrow-" in process.stderr.readline()
        write(second, tmp_path / "in" / "2.arrow")
        assert b"2.arrow: batch 2.arrow-" in process.stderr.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert streamed(ctx, spec) == whole


def test_a_directory_has_no_batch_id_and_a_file_is_not_followed(ctx: Context, spec: Spec, tmp_path: Path) -> None:
    with pytest.raises(WatchkeeperError, match="each of its files is a batch of its own"):
        take(ctx, spec, tmp_path, batch_id="b")
    with pytest.raises(WatchkeeperError, match="--follow needs a directory"):
        ingest_batches(ctx, spec, "a.arrow", io.BytesIO(), str, batch_id=None, follow=True)
    with pytest.raises(WatchkeeperError, match=r"a.arrow: can't be read \(No such file or directory\)"):
        take(ctx, spec, tmp_path / "a.arrow")
