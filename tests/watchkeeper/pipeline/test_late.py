from __future__ import annotations

from datetime import date

from ledger.records.runs import Run
from models.spec import Spec
from tests.watchkeeper.conftest import MODEL
from watchkeeper.context import Context
from watchkeeper.pipeline import late, watch
from watchkeeper.pipeline.day_cache import DayCache
from watchkeeper.settings import Settings

DAY = date(2026, 1, 20)


def run() -> Run:
    return Run(MODEL, DAY, "v1", 10, live=True, steps={})


def told(settings: Settings) -> str:
    return settings.messages.read_text() if settings.messages.exists() else ""


def test_a_day_that_was_not_watched_in_time_is_told_and_logged_once(
    ctx: Context, spec: Spec, settings: Settings
) -> None:
    assert watch.notify_late_day(ctx, spec, DAY) == "1 sent, 0 waiting"
    assert watch.notify_late_day(ctx, spec, DAY) == "nothing to notify"
    assert "Tue 20 Jan was not watched\nThe watch of this day was not completed in time" in told(settings)
    assert [(e.kind, e.payload) for e in ctx.ledger.events(MODEL)] == [("not watched", {"day": str(DAY)})]


def test_a_day_that_was_watched_is_not_late(ctx: Context, spec: Spec, settings: Settings) -> None:
    ctx.ledger.save_run(run())
    assert watch.notify_late_day(ctx, spec, DAY) == "nothing to notify"
    assert (told(settings), ctx.ledger.events()) == ("", [])


def test_another_days_watch_leaves_the_message_and_its_own_ends_it(ctx: Context, spec: Spec) -> None:
    watch.notify_late_day(ctx, spec, DAY)
    watch.conclude_day(ctx, spec, date(2026, 1, 21), None, DayCache())
    assert [m.kind for m in ctx.ledger.messages()] == ["opened"]
    watch.conclude_day(ctx, spec, DAY, None, DayCache())
    late_messages = [m for m in ctx.ledger.messages() if m.incident == f"{MODEL}-20260120-not_watched"]
    assert [m.kind for m in late_messages] == ["opened", "resolved"]
    assert late_messages[1].text.startswith("✅ ")


def test_nothing_is_said_over_a_day_that_was_never_late(ctx: Context, spec: Spec) -> None:
    late.notify_completed_late(ctx, spec, DAY)
    assert ctx.ledger.messages() == []
