"""The way of an on-call engineer, in a real browser: from the message to the cause to having it, in three clicks."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier

from demo.picture import render_slack_page
from ledger.records.messages import Message
from ledger.store import Ledger
from reports import site as reports_site
from service.app import create_app
from service.app_state import AppState, now_utc
from service.perform import make_deliverer, make_performer
from tests.alerting.conftest import slack
from tests.alerting.notifications.channels.slack.server import CHANNEL_NAME, TOKEN, Slack
from tests.reports import made
from tests.reports.test_browser import CHROMIUM, OVERFLOW, browser
from tests.service.conftest import REPOSITORY, serving
from warehouse.protocol import Warehouse
from watchkeeper.context import Context
from watchkeeper.pipeline import notifying
from watchkeeper.settings import Settings

__all__ = ["browser", "slack"]  # the fixtures
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs {CHROMIUM} (Debian's package 'chromium')")
SECRET = "the-secret-of-the-buttons"
FLOOD = "card_payments-column_fault"


class Quiet(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """Serve a folder as the bank serves its report; return the address."""
    (tmp_path / "site").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "site")))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ctx(tmp_path: Path, site: str, slack: Slack) -> Iterator[Context]:
    """Return a month of a model that ends in a null flood, told in Slack and published."""
    (tmp_path / "models").mkdir()
    shutil.copy(REPOSITORY / "demo" / "models" / "card_payments.yaml", tmp_path / "models")
    settings = Settings(
        models=tmp_path / "models", ledger=f"sqlite:///{tmp_path}/ledger.db", site=tmp_path / "site", site_url=site,
        docs_url="https://docs.example", slack_token=TOKEN, slack_channel=CHANNEL_NAME, slack_base_url=slack.url,
        slack_signing_secret=SECRET, heartbeat=tmp_path / "heartbeat.json",
    )  # fmt: skip
    ledger = Ledger.open(settings.ledger)
    ctx = Context(settings, cast("Warehouse", None), ledger, now_utc())
    made.fill(ledger, made.spec(), days=30, acknowledged=False)
    notifying.enqueue_news(ctx, made.spec(), made.LAST)
    notifying.deliver_waiting_messages(ctx, [made.spec()])
    reports_site.build_site(ledger, [made.spec()], settings.site)
    yield ctx
    ledger.close()


def told(slack: Slack) -> dict[str, Any]:
    """Return what stands in Slack about the flood."""
    (found,) = [m for m in slack.posted if m["metadata"]["event_payload"]["incident"].startswith(FLOOD)]
    return found


def show(page: Any, ctx: Context, slack: Slack) -> None:
    """Open the flood's message as Slack shows it."""
    message = Message("", made.LAST, "opened", "", told(slack)["text"], told(slack)["blocks"])
    (ctx.settings.site / "message.html").write_text(render_slack_page(message), encoding="utf-8")
    page.goto(f"{ctx.settings.site_url}/message.html")
    page.evaluate("document.querySelectorAll('button').forEach(b => b.onclick = () => press(b.name, b.value))")


def press(service: str, name: str, value: str) -> int:
    """Tell the service of a press, as Slack does."""
    action = {"action_id": name, "value": value, "type": "button"}
    payload = {"type": "block_actions", "user": {"id": "U1", "username": "on-call"}, "actions": [action]}
    body, timestamp = urlencode({"payload": json.dumps(payload)}).encode(), str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=timestamp, body=body) or ""
    headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    return httpx.post(f"{service}/slack/actions", content=body, headers=headers).status_code


def test_from_the_message_to_the_cause_to_having_it_in_three_clicks_on_a_phone(
    browser: Any, ctx: Context, slack: Slack, tmp_path: Path
) -> None:
    app_state = AppState(ctx.settings)
    with serving(create_app(ctx.settings, make_performer(app_state), make_deliverer(app_state))) as service:
        context = browser.new_context(viewport={"width": 430, "height": 900})
        page = context.new_page()
        answers: list[int] = []
        page.expose_function("press", lambda name, value: answers.append(press(service, name, value)))
        show(page, ctx, slack)
        assert "Runbook" in page.inner_text("body")
        page.screenshot(path=tmp_path / "1-message.png", full_page=True)

        page.get_by_role("link", name="Open the incident").click()
        facts = page.locator("dl.facts").inner_text()
        assert "Probable cause" in facts
        assert "by nobody yet: press Acknowledge in the message" in facts
        assert "watchkeeper incident acknowledge" in facts
        assert page.locator("p.first").bounding_box()["y"] < 450, "the first step stands on the first screen"
        assert page.evaluate(OVERFLOW) <= 0
        page.screenshot(path=tmp_path / "2-incident.png")

        page.locator("dl.facts a").click()
        assert page.locator("h1").inner_text().startswith("device_age_days")
        page.screenshot(path=tmp_path / "3-cause.png")

        show(page, ctx, slack)
        page.get_by_role("button", name="Acknowledge").click()
        page.wait_for_timeout(50)
        until = time.monotonic() + 10
        while "Acknowledged by on-call" not in str(told(slack)["blocks"]) and time.monotonic() < until:
            page.wait_for_timeout(50)
        assert answers == [200]
        show(page, ctx, slack)
        assert "Acknowledged by on-call (Slack U1)" in page.inner_text("body")
        page.screenshot(path=tmp_path / "4-acknowledged.png", full_page=True)

        reports_site.build_site(ctx.ledger, [made.spec()], ctx.settings.site)  # as the next watch does
        page.get_by_role("link", name="Open the incident").click()
        assert "by on-call (Slack U1) at " in page.locator("dl.facts").inner_text()
        assert "by nobody yet" not in page.inner_text("body")
        assert "Acknowledged by on-call" in page.locator(".timeline").inner_text()
        page.screenshot(path=tmp_path / "5-incident.png", full_page=True)
        context.close()
        if app_state._ledger is not None:
            app_state._ledger.close()


def test_the_message_has_its_figure_in_the_thread(ctx: Context, slack: Slack, tmp_path: Path) -> None:
    shown = next(f for f in slack.pictures if f["thread_ts"] == told(slack)["ts"])
    assert shown["title"] == "Share of nulls: device_age_days (%)"
    content = slack.uploads[shown["id"]]["content"]
    (tmp_path / "figure.png").write_bytes(content)
    assert content.startswith(b"\x89PNG")
