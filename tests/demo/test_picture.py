"""The pictures of the README are made from what the watch wrote, not drawn by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from alerting.notifications.messages.incident_message import compose_message
from alerting.notifications.messages.links import Links
from catalogue import causes
from demo import picture
from ledger.records.incidents import Incident, Status
from ledger.records.messages import Message
from ledger.store import Ledger
from models.spec import Spec
from reports.site import build_site

DAY = date(2026, 4, 28)
needs_chromium = pytest.mark.skipif(not picture.CHROMIUM.exists(), reason=f"needs {picture.CHROMIUM}")


def spec() -> Spec:
    return Spec.model_validate(
        {
            "model": "card_payments",
            "title": "Card <payments>",
            "features": {"table": "card_payments/features", "day": "day", "id": "payment_id"},
            "score": {"column": "score"},
            "baseline": {"from": date(2026, 1, 1), "to": date(2026, 2, 28)},
        }
    )


def incident(cause: str, summary: str) -> Incident:
    return Incident(
        id=f"card_payments-{cause}",
        model="card_payments",
        cause=cause,
        concluded=DAY,
        opened=DAY,
        last_bad=DAY,
        status=Status.FIRING,
        fired=DAY,
        bad_days=1,
        summary=summary,
        confidence="Certain: 31 % empty & rising; never above <1 %.",
        first_step="Look at the feed of `device_age_days`.",
    )


FLOOD = replace(
    incident(causes.COLUMN_FAULT, "`device_age_days` is 31 % empty"), figures=("drift/null_share/device_age_days/",)
)
DECAY = incident(causes.PERFORMANCE_DECAY, "recall fell to 47 %")


def told(about: Incident) -> Message:
    text, blocks = compose_message(spec(), about, "opened", Links("https://watch.example"))
    return Message(about.id, DAY, "opened", "console", text, blocks)


def test_a_message_looks_as_slack_shows_its_blocks() -> None:
    page = picture.render_slack_page(told(FLOOD))
    assert 'title="🔴"></i> Card &lt;payments&gt;: device_age_days is 31 % empty</h3>' in page
    assert "<b>Data fault, not a change in customers.</b> Since Tue 28 Apr, 1 day of 1.<br>" in page
    assert "<b>Certain:</b> 31 % empty &amp; rising; never above &lt;1 %." in page
    assert "<b>First step:</b> Look at the feed of <code>device_age_days</code>." in page
    assert '<a href="https://watch.example/incidents/card_payments-column_fault.html">Open the incident</a>' in page


def test_a_value_in_a_message_is_no_html() -> None:
    hostile = replace(FLOOD, summary="`<img src=x onerror=alert(1)>` is null", first_step="<script>*x*</script>")
    page = picture.render_slack_page(told(hostile))
    assert "<img" not in page
    assert "<script" not in page


@needs_chromium
def test_every_picture_is_taken_from_a_demonstration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    with ledger.transaction():
        ledger.save_incidents("card_payments", DAY, [FLOOD, DECAY])
        ledger.enqueue(told(FLOOD))
    build_site(ledger, [spec()], tmp_path / "site")
    ledger.close()
    monkeypatch.setattr(picture, "IMAGES", tmp_path / "images")
    assert picture.main([str(tmp_path)]) == 0
    taken = {path.name: path for path in (tmp_path / "images").iterdir()}
    assert set(taken) == {"fleet.png", "model.png", "incident.png", "message.png"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in taken.values())
    assert "message.png" in capsys.readouterr().out


def test_without_a_demonstration_one_sentence_says_how_to_get_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "CHROMIUM", tmp_path)
    assert picture.main([str(tmp_path / "nothing")]) == 2
    assert "run `make demo` first" in capsys.readouterr().out


def test_without_chromium_one_sentence_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "CHROMIUM", tmp_path / "chromium")
    assert picture.main([str(tmp_path)]) == 0
    assert "Debian's package 'chromium'" in capsys.readouterr().out
