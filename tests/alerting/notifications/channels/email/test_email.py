from __future__ import annotations

import gc
import socket
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.notifications.channels.email.sender import EmailChannel
from alerting.notifications.channels.errors import DeliveryError
from tests.alerting.notifications.channels.email import server as mail_server
from tests.alerting.notifications.channels.email.server import PASSWORD, USER, Mail
from tests.alerting.notifications.channels.made import OPENED, RESOLVED, UPDATED


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mail]:
    with mail_server.running(tmp_path) as running:
        yield running


def mailing(mail: Mail, **more: object) -> EmailChannel:
    given = {"user": USER, "password": PASSWORD, "trust": mail.trust, "timeout_seconds": 2.0}
    return EmailChannel("mail", mail.address, "w@bank.example", ["a@bank.example", "b@bank.example"], **given | more)  # type: ignore[arg-type]


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
