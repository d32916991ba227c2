"""The site is whole, light, the same at every build, and harmless whatever the data says."""

from __future__ import annotations

import json
import re
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from catalogue import causes
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from ledger.records.messages import Message
from ledger.records.runs import Run
from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.spec import Spec
from profiles.bins import Levels, number_grid
from profiles.profile import EVERYONE, Counts, Profile
from profiles.schema import ProfileSchema
from reports.site import build_site
from tests.reports import made

HALF_A_MEGABYTE = 500_000
TURNED = "\u202egnirts\u2066"
HOSTILE = "</script><script>alert('x')</script><img src=x onerror=alert(1)>"


class Tags(HTMLParser):
    """Every start tag of a page with its attributes."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def contents(site: Path) -> dict[str, bytes]:
    return {str(path.relative_to(site)): path.read_bytes() for path in site.rglob("*") if path.is_file()}


def fresh(tmp_path: Path) -> Ledger:
    return Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")


@contextmanager
def disk_full_beyond(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_every_kind_of_page_is_there_with_its_json(site: Path) -> None:
    names = {path.relative_to(site).as_posix() for path in pages(site)}
    assert {"index.html", "models/card_payments/index.html", "models/account_opening/index.html"} <= names
    assert "models/card_payments/days/2026-04-30.html" in names
    assert any(name.startswith("incidents/card_payments-column_fault") for name in names)
    assert len([name for name in names if "/days/2026" in name]) == 36
    assert "models/card_payments/days/index.html" in names
    assert {f"models/{name}/days/latest.html" for name in ("card_payments", "app_scams")} <= names
    assert {"coverage.html", "methods.html", "models/card_payments/features/device_age_days.html"} <= names
    for path in pages(site):
        assert json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def test_every_link_leads_somewhere(site: Path) -> None:
    for page in pages(site):
        for tag, attributes in Tags(page).found:
            target = attributes.get("href") if tag in ("a", "link") else attributes.get("src")
            if target and not target.startswith(("#", "data:")):
                assert (page.parent / unquote(target.partition("#")[0])).exists(), f"{page.name}: {target}"


def test_a_page_is_light_and_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in pages(site):
        text = page.read_text(encoding="utf-8")
        assert len(text.encode()) < HALF_A_MEGABYTE
        assert "http://" not in text
        assert "https://" not in text


def test_the_content_policy_allows_no_script_in_a_page(site: Path) -> None:
    for page in pages(site):
        found = Tags(page).found
        policy = next(a["content"] for tag, a in found if tag == "meta" and a.get("http-equiv"))
        assert policy is not None
        assert re.search(r"script-src 'self'(;|$)", policy)
        assert "unsafe" not in policy or page.name == "explore.html"  # plotly sets styles where it draws
        assert [a for tag, a in found if (tag == "script" and "src" not in a and a.get("type") != "application/json")
                or tag == "style" or "style" in a] == []  # fmt: skip


def test_building_again_writes_the_same_bytes(site: Path, ledger: Ledger, specs: list[Spec], tmp_path: Path) -> None:
    build_site(ledger, specs, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(site)


def test_touching_a_new_day_gives_the_site_that_building_everything_gives(tmp_path: Path) -> None:
    ledger, spec, other = fresh(tmp_path), made.spec(), made.spec("app_scams")
    made.fill(ledger, other, days=5)
    day = date(2026, 4, 12)
    made.fill(ledger, spec, days=8, last=day - timedelta(days=1))
    build_site(ledger, [spec, other], tmp_path / "step")
    made.fill(ledger, spec, days=8, last=day)
    build_site(ledger, [spec, other], tmp_path / "step", touched={(spec.model, date(2026, 4, d)) for d in range(5, 13)})
    build_site(ledger, [spec, other], tmp_path / "whole")
    step, whole = contents(tmp_path / "step"), contents(tmp_path / "whole")
    assert {name for name in whole if step.get(name) != whole[name]} == set()


def test_touching_one_model_leaves_the_pages_of_another_alone(
    site: Path, ledger: Ledger, specs: list[Spec], tmp_path: Path
) -> None:
    copy = tmp_path / "site"
    shutil.copytree(site, copy)
    built: list[str] = []
    build_site(
        ledger, specs, copy, touched={("card_payments", made.LAST)}, progress=lambda name, *_: built.append(name)
    )
    assert built
    assert all("app_scams" not in name for name in built)
    flooded = [made.LAST - timedelta(days=i) for i in (3, 2, 1, 0)]  # the incident's headline counts their nulls
    assert [name for name in built if "/days/2" in name] == [f"models/card_payments/days/{day}" for day in flooded]
    assert contents(copy) == contents(site)


def test_an_incident_that_the_ledger_no_longer_has_loses_its_page(tmp_path: Path) -> None:
    ledger, spec = fresh(tmp_path), made.spec()
    made.fill(ledger, spec, days=5)
    build_site(ledger, [spec], tmp_path / "site")
    (gone,) = (tmp_path / "site/incidents").glob("*column_fault*.html")
    for day in ledger.incident_history(gone.stem):
        ledger.save_incidents(spec.model, day.concluded, [])
    build_site(ledger, [spec], tmp_path / "site", touched={(spec.model, made.LAST)})
    assert not gone.exists()
    assert not gone.with_suffix(".json").exists()


def test_messages_that_could_not_be_delivered_are_a_banner_on_the_fleet_page(tmp_path: Path, specs: list[Spec]) -> None:
    ledger = fresh(tmp_path)
    dead = Message("card_payments-1", date(2026, 3, 3), "opened", "#fraud", "A", [], last_error="Slack <b>", dead=True)
    ledger.enqueue(dead)
    build_site(ledger, specs, tmp_path / "site")
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "1 message could not be delivered for days and won&#39;t be tried again (on #fraud)." in page
    assert "Slack &lt;b&gt;. Fix it, then run: watchkeeper alerts resend" in page
    ledger.retry_dead_letters()
    build_site(ledger, specs, tmp_path / "site")
    assert "could not be delivered" not in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_a_full_disk_is_one_sentence_and_the_old_site_stays(tmp_path: Path) -> None:
    ledger, spec, site = fresh(tmp_path), made.spec(), tmp_path / "site"
    made.fill(ledger, spec, days=2)
    build_site(ledger, [spec], site)
    before = contents(site)
    made.retrain(ledger, spec)
    with disk_full_beyond(1_000), pytest.raises(WatchkeeperError, match="can't be written") as caught:
        build_site(ledger, [spec], site)
    assert "\n" not in str(caught.value)
    assert contents(site) == before


def test_a_site_that_is_a_file_is_one_sentence(ledger: Ledger, specs: list[Spec], tmp_path: Path) -> None:
    (tmp_path / "site").write_text("not a folder")
    with pytest.raises(WatchkeeperError, match="WATCHKEEPER_SITE"):
        build_site(ledger, specs, tmp_path / "site")


def test_hostile_names_are_shown_and_never_run(tmp_path: Path) -> None:
    ledger, spec = hostile(tmp_path)
    build_site(ledger, [spec], tmp_path / "site")
    for page in pages(tmp_path / "site"):
        text = page.read_text(encoding="utf-8")
        assert HOSTILE not in text
        assert not set(TURNED) & set("\u202e\u2066") & set(text)
        tags = Tags(page).found
        assert not [tag for tag, _ in tags if tag == "img"]
        assert all(a.get("src") or a.get("type") == "application/json" for tag, a in tags if tag == "script")
        assert not [name for _, a in tags for name in a if name.startswith("on")]


def hostile(tmp_path: Path) -> tuple[Ledger, Spec]:
    """Return a ledger in which every text that comes from data is hostile."""
    ledger = fresh(tmp_path)
    columns = {HOSTILE: {"kind": "number", "importance": 0.5}, TURNED: {"kind": "category"}}
    levels = (HOSTILE, TURNED, "x" * 10_000, "\"' onload='alert(1)")
    frame = ProfileSchema(
        "f", {HOSTILE: number_grid((0, 1, 2))}, {TURNED: Levels(levels, frozenset(levels))}, None, (), {}
    )
    ledger.save_profile_schema("card_payments", frame)
    counts = {TURNED: Counts(bins=dict.fromkeys(range(4), 50)), HOSTILE: Counts(bins={0: 90, 3: 40})}
    profiled = [made.BASELINE[0], *(made.LAST - timedelta(days=i) for i in range(2))]
    groups = {EVERYONE: counts, ("channel", HOSTILE): counts, ("channel", TURNED): counts}
    ledger.save_profiles("card_payments", {day: Profile("f", 200, groups) for day in profiled})
    spec = made.spec(title=HOSTILE, owner=HOSTILE, features={"table": "t", "columns": columns})
    for day in (made.LAST - timedelta(days=1), made.LAST):
        base = Measurement(
            spec.model,
            day,
            day,
            "drift",
            "psi",
            HOSTILE,
            f"channel={HOSTILE}",
            0.4,
            0.3,
            0.5,
            100,
            0.1,
            Verdict.BREACH,
            HOSTILE,
        )
        found = [base, replace(base, slice=""), replace(base, monitor="fairness", metric="selection_rate", feature="")]
        found.append(replace(base, monitor="check", metric="expect_column_to_exist", slice=""))
        found.append(replace(base, feature=TURNED, slice="", reason="y" * 10_000))
        ledger.save_measurements(spec.model, day, ("drift", "fairness", "check"), found)
        ledger.save_run(Run(spec.model, day, HOSTILE, 100, live=True, steps={}))
    incident = Incident(
        "hostile-1",
        spec.model,
        causes.COLUMN_FAULT,
        made.LAST,
        made.LAST,
        made.LAST,
        Status.FIRING,
        HOSTILE,
        HOSTILE,
        made.LAST,
        summary=f"`{HOSTILE}` {HOSTILE}",
        confidence=HOSTILE,
        first_step=HOSTILE,
        evidence=(HOSTILE,),
        figures=(f"drift/psi/{HOSTILE}/", f"drift/psi/{HOSTILE}/channel={HOSTILE}"),
    )
    ledger.save_incidents(spec.model, made.LAST, [incident])
    return ledger, spec


def test_a_model_of_two_hundred_features_still_has_light_pages(tmp_path: Path) -> None:
    ledger = fresh(tmp_path)
    names = [f"feature_{number:03}_with_a_rather_long_name" for number in range(200)]
    columns = {name: {"kind": "number", "importance": 0.005} for name in names}
    spec = made.spec(features={"table": "t", "columns": columns})
    span = [made.LAST - timedelta(days=i) for i in range(60)]
    for day in span:
        found = [
            Measurement(
                spec.model,
                day,
                day,
                "drift",
                "psi",
                name,
                "",
                0.0123,
                0.01,
                0.02,
                20_000,
                0.1,
                Verdict.OK,
                "quiet " * 20,
            )
            for name in names
        ]
        ledger.save_measurements(spec.model, day, ("drift",), found)
        ledger.save_run(Run(spec.model, day, "1", 20_000, live=True, steps={}))
    metrics = ("ks", "wasserstein", "jensen_shannon", "null_share", "scale_ratio")
    crowded = [
        Measurement(
            spec.model,
            made.LAST,
            made.LAST,
            "drift",
            metric,
            name,
            slice_,
            0.5,
            0.4,
            0.6,
            20_000,
            0.1,
            Verdict.BREACH,
            "x" * 150,
        )
        for metric in metrics
        for name in names
        for slice_ in ("", "channel=app")
    ]
    ledger.save_measurements(spec.model, made.LAST, ("drift",), crowded)
    build_site(ledger, [spec], tmp_path / "site")
    for page in pages(tmp_path / "site"):
        assert page.stat().st_size < HALF_A_MEGABYTE, page.name
    day_page = tmp_path / f"site/models/{spec.model}/days/{made.LAST}"
    assert "1,400 more are in the JSON" in day_page.with_suffix(".html").read_text(encoding="utf-8")
    assert len(json.loads(day_page.with_suffix(".json").read_text(encoding="utf-8"))["measurements"]) == 2_000


def test_the_day_page_shows_breaches_before_quiet_figures(site: Path) -> None:
    text = (site / "models/card_payments/days/2026-04-28.html").read_text(encoding="utf-8")
    assert text.index("over its limit") < text.index("other figure")
    assert text.index("Drift of features") < text.index("Arrival")


def test_what_is_not_watched_is_said(site: Path) -> None:
    text = (site / "models/account_opening/index.html").read_text(encoding="utf-8")
    assert "names no labels" in text
    assert "names no threshold" in text
    assert "names no protected columns" in text
    assert "It has not been watched yet." in text


def test_the_fleet_page_puts_the_dearest_model_first_and_says_what_is_at_stake(site: Path) -> None:
    text = (site / "index.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    assert "4 incidents open on 2 of 3 models, about GBP 82k a day at stake." in text
    assert text.index("App scams") < text.index("Account opening")


def test_the_incident_page_says_what_to_do_first_and_that_retraining_is_blocked(site: Path) -> None:
    (page,) = (site / "incidents").glob("card_payments-column_fault*.html")
    text = page.read_text(encoding="utf-8").replace("\u00a0", " ")
    for said in (
        "retraining is blocked",
        "Look at the device feed",
        "about GBP 41k a day (GBP 28k to 55k)",
        "Certain: never above 0.4 % in 59 days",
        "Notified (#fraud-models) at 06:04 UTC",
        "Acknowledged by on-call at 06:30 UTC: looking at the feed",
    ):
        assert said in text


def test_a_drill_down_is_linked_only_where_its_file_is(tmp_path: Path) -> None:
    ledger, spec = fresh(tmp_path), made.spec()
    made.fill(ledger, spec, days=5)
    build_site(ledger, [spec], tmp_path / "site")
    (page,) = (tmp_path / "site/incidents").glob("*column_fault*.html")
    assert "evidently" not in page.read_text(encoding="utf-8").lower()
    page.with_name(f"{page.stem}-evidently.html").write_text("report")
    build_site(ledger, [spec], tmp_path / "site")
    assert f'href="{page.stem}-evidently.html"' in page.read_text(encoding="utf-8")
