"""Every channel, with its real client, against a server on this machine that is well, slow, rude or gone."""

from __future__ import annotations

import gc
import logging
import socket
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.notifications.channels.console import Channel, DeliveryError
from alerting.notifications.channels.email import EmailChannel
from alerting.notifications.channels.webhook import (
    PagerDutyChannel,
    SlackWebhookChannel,
    WebhookChannel,
    dedup_key,
    is_signature_valid,
    sign_body,
)
from alerting.notifications.grouping import with_group_details
from alerting.notifications.messages.incident_message import compose_message
from alerting.notifications.messages.links import Links
from ledger.records.messages import Message
from tests.alerting import made
from tests.alerting.made import ARRIVED, FIRST, one_day, spec
from tests.alerting.notifications.channels import http_server, mail_server
from tests.alerting.notifications.channels.http_server import Web
from tests.alerting.notifications.channels.mail_server import PASSWORD, USER, Mail

SECRET = "a-secret-that-nobody-may-see"
(INCIDENT,) = one_day(*ARRIVED, made.NULL_FLOOD)
LINKS = Links("https://watch.example", "https://docs.example/watchkeeper")
TEXT, BLOCKS = compose_message(spec(), INCIDENT, "opened", LINKS)
OPENED = with_group_details(Message(INCIDENT.id, FIRST, "opened", "c", TEXT, BLOCKS), spec(), INCIDENT, LINKS)
UPDATED = replace(OPENED, kind="updated")
RESOLVED = replace(OPENED, kind="resolved", text="✅ Card payments, resolved: device_age_days is 31 % empty\nSince.")
AT = 1_772_600_000


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with http_server.running() as running:
        yield running


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mail]:
    with mail_server.running(tmp_path) as running:
        yield running


def pagerduty(web: Web) -> PagerDutyChannel:
    return PagerDutyChannel("on-call", SECRET, web.url, timeout_seconds=0.3)


def hook(web: Web) -> WebhookChannel:
    return WebhookChannel("hook", f"{web.url}/{SECRET}", SECRET, timeout_seconds=0.3, clock=lambda: AT)


def slack_hook(web: Web) -> SlackWebhookChannel:
    return SlackWebhookChannel("slack-hook", f"{web.url}/{SECRET}", timeout_seconds=1)


def mailing(mail: Mail, **more: object) -> EmailChannel:
    given = {"user": USER, "password": PASSWORD, "trust": mail.trust, "timeout_seconds": 2.0}
    return EmailChannel("mail", mail.address, "w@bank.example", ["a@bank.example", "b@bank.example"], **given | more)  # type: ignore[arg-type]


def test_pagerduty_is_told_one_alert_from_trigger_to_resolve(web: Web) -> None:
    web.usual = 202
    place = pagerduty(web).send(OPENED, None)
    for message in (replace(OPENED, kind="handled 7"), RESOLVED):
        assert pagerduty(web).send(message, place) == place
    assert [path for path, _, _ in web.posted] == ["/v2/enqueue"] * 3
    trigger, acknowledge, resolve = web.contents
    assert [each["event_action"] for each in web.contents] == ["trigger", "acknowledge", "resolve"]
    assert {each["dedup_key"] for each in web.contents} == {INCIDENT.id}
    assert trigger["payload"]["summary"] == "🔴 Card payments: device_age_days is 31 % empty"
    assert (trigger["payload"]["severity"], trigger["payload"]["source"]) == ("critical", "card_payments")
    assert trigger["payload"]["component"] == "card_payments/features"
    assert trigger["payload"]["custom_details"]["incidents"][0]["cause"] == "column_fault"
    assert [(link["text"], link["href"]) for link in trigger["links"]] == [
        ("Open the incident", LINKS.page(INCIDENT)),
        ("Runbook", "https://docs.example/watchkeeper/runbook/column_fault/"),
    ]
    assert acknowledge.keys() == resolve.keys() == {"routing_key", "event_action", "dedup_key"}


def test_a_long_id_is_shortened_for_pagerduty_and_stays_its_own() -> None:
    one, other = dedup_key("x" * 300), dedup_key("x" * 299 + "y")
    assert len(one) == len(other) == 255
    assert one != other


def test_a_webhook_is_signed_over_its_time_and_body_and_the_same_at_every_attempt(web: Web) -> None:
    hook(web).send(OPENED, None)
    hook(web).send(replace(OPENED, attempts=3), None)
    hook(web).send(RESOLVED, INCIDENT.id)
    (_, headers, body), (_, again, _), (_, ended, _) = web.posted
    assert is_signature_valid(
        SECRET, headers["X-Watchkeeper-Timestamp"], headers["X-Watchkeeper-Signature"], body, AT + 10
    )
    assert headers["Idempotency-Key"] == again["Idempotency-Key"] != ended["Idempotency-Key"]
    (about,) = web.contents[0]["incidents"]
    assert (about["id"], about["table"], about["opened"]) == (INCIDENT.id, "card_payments/features", "2026-03-03")
    assert about["runbook"] == "https://docs.example/watchkeeper/runbook/column_fault/"


def test_a_forged_replayed_or_late_request_is_not_genuine() -> None:
    body = b"{}"
    good = sign_body(SECRET, AT, body)
    assert is_signature_valid(SECRET, str(AT), good, body, AT)
    assert not is_signature_valid("other", str(AT), good, body, AT)
    assert not is_signature_valid(SECRET, str(AT), good, b"{ }", AT)
    assert not is_signature_valid(SECRET, str(AT + 1), good, body, AT)
    assert not is_signature_valid(SECRET, str(AT), good, body, AT + 301)
    assert not is_signature_valid(SECRET, "soon", good, body, AT)
    assert not is_signature_valid(SECRET, str(AT), "ü", body, AT)


def test_an_incoming_webhook_of_slack_tells_the_start_and_the_end_without_buttons(web: Web) -> None:
    place = slack_hook(web).send(OPENED, None)
    slack_hook(web).send(UPDATED, place)
    slack_hook(web).send(RESOLVED, place)
    assert [content["text"].partition(" ")[0] for content in web.contents] == ["🔴", "✅"]
    assert "header" in {block["type"] for block in web.contents[0]["blocks"]}
    assert "actions" not in {block["type"] for block in web.contents[0]["blocks"]}


HTTP = pytest.mark.parametrize("channel", [pagerduty, hook, slack_hook])


@HTTP
@pytest.mark.parametrize(
    ("answer", "permanent", "wait"),
    [
        ((429, {"Retry-After": "17"}), False, 17.0),
        ((429, {"Retry-After": "soon"}), False, 60.0),
        ((500, {}), False, None),
        ((503, {}), False, None),
        ((408, {}), False, None),
        ((400, {}), True, None),
        ((404, {}), True, None),
        ("drop", False, None),
    ],
)
def test_what_an_answer_means_is_told_apart(
    web: Web, channel: object, answer: object, permanent: bool, wait: float | None
) -> None:
    web.next = [answer]
    with pytest.raises(DeliveryError) as error:
        channel(web).send(OPENED, None)  # type: ignore[operator]
    assert error.value.permanent is permanent
    assert error.value.retry_after_seconds == wait
    assert channel(web).send(OPENED, None)  # type: ignore[operator]


@pytest.mark.parametrize("channel", [pagerduty, hook])
def test_a_secret_is_not_carried_elsewhere(web: Web, channel: object) -> None:
    web.next = [(307, {"Location": f"{web.url}/elsewhere"}), (302, {"Location": f"{web.url}/elsewhere"})]
    for _ in range(2):
        with pytest.raises(DeliveryError, match="answers with status 30"):
            channel(web).send(OPENED, None)  # type: ignore[operator]
    assert "/elsewhere" not in [path for path, _, _ in web.posted]


@HTTP
def test_a_server_that_hangs_is_left_after_a_while(web: Web, channel: object) -> None:
    web.next = ["hang"]
    with pytest.raises(DeliveryError, match="can't be reached") as error:
        channel(web).send(OPENED, None)  # type: ignore[operator]
    assert not error.value.permanent


@HTTP
def test_a_secret_is_in_no_log_no_error_and_no_repr(
    web: Web, channel: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    to: Channel = channel(web)  # type: ignore[operator]
    said = [repr(to), str(to)]
    for answer in ((400, {}), (500, {}), (429, {}), "drop", "hang"):
        web.next = [answer]
        try:
            to.send(OPENED, None)
        except DeliveryError as error:
            said += [repr(error), "".join(traceback.format_exception(error))]
    to.send(OPENED, None)
    shown = "\n".join([*said, caplog.text])
    assert len(said) > 10
    assert SECRET not in shown


def test_a_mail_goes_out_encrypted_and_its_end_is_in_the_same_thread(mail: Mail) -> None:
    place = mailing(mail).send(OPENED, None)
    assert mailing(mail).send(UPDATED, place) == place
    mailing(mail).send(RESOLVED, place)
    first, last = mail.mails
    assert first["Subject"] == "🔴 Card payments: device_age_days is 31 % empty"
    assert first["To"] == "a@bank.example, b@bank.example"
    assert "First step: " in first.get_content()
    assert "Runbook: https://docs.example/watchkeeper/runbook/column_fault/" in first.get_content().splitlines()
    assert last["In-Reply-To"] == first["Message-ID"] == place != last["Message-ID"]
    assert mail.in_the_clear == [line for line in mail.in_the_clear if line.split()[0] in ("ehlo", "EHLO", "STARTTLS")]


def test_a_mail_server_in_trouble_is_told_apart(mail: Mail) -> None:
    cases = [({"password": "wrong"}, True, "refuses the login"), ({"trust": None}, True, "certificate isn't trusted")]
    for change, permanent, said in cases:
        with pytest.raises(DeliveryError, match=said) as error:
            mailing(mail, **change).send(OPENED, None)
        assert error.value.permanent is permanent
        assert PASSWORD not in "".join(traceback.format_exception(error.value))
    for answer, permanent in (("450 later", False), ("550 nobody", True)):
        mail.rcpt = answer
        with pytest.raises(DeliveryError, match=f"recipients are refused \\({answer[:3]}\\)") as error:
            mailing(mail).send(OPENED, None)
        assert error.value.permanent is permanent
    gone = EmailChannel("mail", "127.0.0.1:9", "w@bank.example", ["a@bank.example"], timeout_seconds=1)
    with pytest.raises(DeliveryError, match="can't be reached") as error:
        gone.send(OPENED, None)
    assert not error.value.permanent


def test_a_mail_server_without_encryption_is_told_nothing(mail: Mail) -> None:
    mail.offers_tls = False
    with pytest.raises(DeliveryError, match="lacks STARTTLS") as error:
        mailing(mail).send(OPENED, None)
    assert error.value.permanent
    assert mail.mails == []


def test_a_subject_can_carry_no_header_of_its_own(mail: Mail) -> None:
    mailing(mail).send(replace(OPENED, text="🔴 A\r\x0bBcc: x@evil.example\nrest"), None)
    (one,) = mail.mails
    assert one["Bcc"] is None
    assert one["Subject"] == "🔴 A Bcc: x@evil.example"


@pytest.mark.parametrize("said", [b"", b"EHLO a\r\n", b"EHLO a\r\nSTARTTLS\r\n", b"DATA\r\nhalf a"])
def test_the_mail_server_of_these_tests_leaves_no_connection_behind(tmp_path: Path, said: bytes) -> None:
    """A connection that is left warns when it is collected, in this test or in another one; warnings are errors."""
    with mail_server.running(tmp_path) as mail:
        host, _, port = mail.address.partition(":")
        left_open = [socket.create_connection((host, int(port))) for _ in range(5)]
        for each in left_open:
            each.sendall(said)
    for each in left_open:
        each.close()
    gc.collect()
