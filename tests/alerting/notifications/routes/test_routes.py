from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from alerting.notifications.channels.registry import channel_kinds
from alerting.notifications.routes.loading import load_routes
from alerting.notifications.routes.schema import DEFAULT_ROUTES, Routes, Severity
from alerting.notifications.routes.severity import further_channels, severity_of, severity_on_channel, slack_channel_of
from catalogue import causes
from ledger.records.incidents import Incident, Status
from models.errors import WatchkeeperError
from tests.alerting.made import FIRST, spec

EXAMPLE = Path(__file__).parents[4] / "examples" / "routes.yaml"


def test_the_example_is_accepted_and_says_what_holds_without_a_file() -> None:
    assert load_routes(EXAMPLE) == load_routes(None) == DEFAULT_ROUTES


def test_every_line_that_the_example_comments_out_is_accepted_too(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    text = EXAMPLE.read_text()
    for empty in ("channels: {}", "rules: []", "maintenance: []"):
        text = text.replace(empty, empty.partition(" ")[0])
    path.write_text(re.sub(r"^#  ", "  ", text, flags=re.MULTILINE).replace("# repeat_days", "repeat_days"))
    routes = load_routes(path)
    assert {each.kind for each in routes.channels.values()} == set(channel_kinds())
    assert (len(routes.rules), len(routes.maintenance), routes.repeat_days) == (2, 1, 3)


def test_an_owner_goes_first_then_the_settings_then_the_default() -> None:
    routes = Routes(default="#all", owners={"payments-fraud": "C0123456789"})
    assert slack_channel_of(routes, spec(), "#settings") == "C0123456789"
    assert slack_channel_of(routes, spec(owner="others"), "#settings") == "#settings"
    assert slack_channel_of(routes, spec(owner="others")) == "#all"


QUIET = "default: '#a'\nmaintenance: [{match: {"
DAYS = ", from: 2026-12-05, to: 2026-12-06, by: a, comment: b}]"
WITH_PAGER = "default: '#a'\nchannels: {pager: {kind: pagerduty}}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("owners: {}", "default: is missing"),
        ("default: '#a'\nowner: {x: '#b'}", "owner: unknown key; accepted are default, owners, channels"),
        ("default: '#a'\nowner: {x: '#b'}", "; did you mean 'owners'?"),
        ("default: '#a'\nrules: [{to: [pager]}]", "rules.0.to: 'channels' has no 'pager'; there are none yet"),
        (f"{WITH_PAGER}rules: [{{to: [pagr]}}]", "rules.0.to: 'channels' has no 'pagr'; there are pager; did you mean"),
        (f"{WITH_PAGER}rules: [{{to: [pager], when: {{tier: [1]}}}}]", "tier: unknown key; accepted are owners, tiers"),
        (f"{WITH_PAGER}rules: [{{to: [pager], when: {{severity: [loud]}}}}]", "input should be 'page', 'message' or"),
        ("default: '#a'\nchannels: {p: {kind: pager}}", "channels.p: no kind of channel 'pager'; accepted are slack, "),
        ("default: '#a'\nchannels: {p: {kind: pagerdut}}", "did you mean 'pagerduty'?"),
        ("default: '#a'\nchannels: {p: {url: x}}", "channels.p: must be a mapping with 'kind'; kinds are slack, "),
        ("default: '#a'\nchannels: {console: {kind: console}}", "channels.console: the name of the owners' channel"),
        ("default: '#a'\nchannels: {p: {kind: pagerduty, key: x}}", "key: unknown key; accepted are kind, url"),
        ("default: '#a'\nchannels: {m: {kind: email, server: m, sender: me, to: [a@b]}}", "doesn't have the form of a"),
        ("default: '#a'\nchannels: {m: {kind: email, server: m, sender: a@b}}", "channels.m.to: is missing"),
        ("default: '#a'\ndigest: {causes: [sesaon]}", "digest.causes: no cause 'sesaon'; accepted are watch_errored"),
        (f"{QUIET}model: x}}, from: 2026-12-05, by: a, comment: b}}]", "maintenance.0.to: is missing"),
        (f"{QUIET}modle: x}}{DAYS}", "maintenance.0: no matcher 'modle'; accepted are model, cause"),
        (f"{QUIET}model: '*'}}{DAYS}", "maintenance.0: this would silence everything"),
        (
            f"{QUIET}model: x}}, from: 2026-12-05, until: 2026-12-06}}]",
            "unknown key; accepted are match, from, to",
        ),
        (f"{QUIET}model: x}}, from: 2026-12-06, to: 2026-12-05, by: a, comment: b}}]", "is before its first day"),
        ("default: general", "default: must be a channel's #name or its id such as C0123456789, not 'general'"),
        ("default: '#a'\nowners: {x: '@somebody'}", "owners.x: must be a channel's #name"),
        ("default: 5", "default: input should be a valid string"),
        ("- a", "the file: input should be a valid dictionary"),
        (f"{QUIET}cause: sesaon}}{DAYS}", "maintenance.0: no cause 'sesaon'; accepted are watch_errored"),
        ("default: '#a'\nowners: [", "line 2: isn't YAML ("),
    ],
)
def test_a_broken_file_of_routes_says_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(text)
    with pytest.raises(WatchkeeperError) as error:
        load_routes(path)
    assert str(path) in str(error.value)
    assert said in str(error.value)


def test_a_file_of_routes_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WatchkeeperError, match=r"no\.yaml: no such file; WATCHKEEPER_ROUTES names"):
        load_routes(tmp_path / "no.yaml")


def test_a_folder_or_a_file_that_is_no_text_in_place_of_routes_is_told(tmp_path: Path) -> None:
    with pytest.raises(WatchkeeperError, match=r"can't be read \(Is a directory\)"):
        load_routes(tmp_path)
    (tmp_path / "routes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WatchkeeperError, match=r"routes\.yaml: can't be read as text; it must be YAML in UTF-8"):
        load_routes(tmp_path / "routes.yaml")


ROUTES = Routes.model_validate(
    {
        "default": "#all",
        "channels": {"pager": {"kind": "pagerduty"}, "risk": {"kind": "pagerduty"}},
        "rules": [
            {"when": {"severity": ["page"]}, "to": ["pager"]},
            {"when": {"tiers": [1], "data_fault": True}, "to": ["risk", "pager"], "after_hours": 4},
            {"when": {"owners": ["credit"], "gbp_per_day": 1000}, "to": ["risk"]},
        ],
        "page": {"tiers": [1], "gbp_per_day": 50_000},
        "digest": {"tiers": [3], "causes": ["season"]},
    }
)


def incident(cause: str, amount: float | None = None) -> Incident:
    return Incident("a-1", "a", cause, FIRST, FIRST, FIRST, Status.FIRING, amount_gbp_per_day=amount)


@pytest.mark.parametrize(
    ("tier", "cause", "amount", "loud"),
    [
        (1, causes.COLUMN_FAULT, None, Severity.PAGE),
        (2, causes.COLUMN_FAULT, None, Severity.MESSAGE),
        (3, causes.COLUMN_FAULT, None, Severity.DIGEST),
        (1, causes.PERFORMANCE_DECAY, 10.0, Severity.MESSAGE),
        (3, causes.PERFORMANCE_DECAY, 60_000.0, Severity.PAGE),
        (1, causes.SEASON, None, Severity.DIGEST),
    ],
)
def test_the_ladder_goes_by_tier_cause_and_money(tier: int, cause: str, amount: float | None, loud: Severity) -> None:
    assert severity_of(ROUTES, spec(tier=tier), incident(cause, amount)) is loud


def test_every_rule_that_fits_adds_its_channels_and_some_wait() -> None:
    fault, decay = incident(causes.COLUMN_FAULT), incident(causes.PERFORMANCE_DECAY, 2000.0)
    assert further_channels(ROUTES, spec(tier=1), fault) == ["pager"]
    assert further_channels(ROUTES, spec(tier=1), fault, hours=4) == ["pager", "risk"]
    assert further_channels(ROUTES, spec(tier=2), fault, hours=9) == []
    assert further_channels(ROUTES, spec(tier=1, owner="credit"), decay) == ["risk"]
    assert further_channels(ROUTES, spec(tier=1), decay) == []
    assert severity_on_channel(ROUTES, "risk", spec(tier=1), fault) is None
    assert severity_on_channel(ROUTES, "pager", spec(tier=1), fault) is Severity.PAGE


def test_a_maintenance_window_of_the_file_is_a_silence_over_its_days_of_data(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(f"{QUIET}model: 'card_*', tier: 1}}{DAYS}")
    (window,) = load_routes(path).silences
    assert (window.id, window.matchers) == ("maintenance-1", {"model": "card_*", "tier": "1"})
    assert (window.start, window.end, window.by, window.comment) == (date(2026, 12, 5), date(2026, 12, 6), "a", "b")
