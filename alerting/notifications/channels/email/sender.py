"""E-mail as a channel: plain text, one thread of mails for each incident."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from typing import Literal

from alerting.notifications.channels.errors import DeliveryError
from ledger.records.messages import Message

SUBJECT_CHARACTERS = 150
TlsMode = Literal["starttls", "implicit", "none"]


class EmailChannel:
    """Sends mails over SMTP. An update is left out: people read a mail once; its end is a reply in the same thread."""

    def __init__(
        self,
        name: str,
        server: str,
        sender: str,
        to: Sequence[str],
        *,
        user: str = "",
        password: str = "",
        tls: TlsMode = "starttls",
        timeout_seconds: float = 15,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self._host, _, port = server.partition(":")
        self._port = int(port or (465 if tls == "implicit" else 587))
        self._sender, self._to = sender, list(to)
        self._user, self._password, self._tls = user, password, tls
        self._timeout_seconds = timeout_seconds
        self._trust = trust or ssl.create_default_context()

    def send(self, message: Message, ts: str | None) -> str:
        """Send one mail, unless it only updates; the same at every attempt by its Message-ID. Raises DeliveryError."""
        if ts is not None and message.kind == "updated":
            return ts
        try:
            with self._connect() as connection:
                if self._user:
                    connection.login(self._user, self._password)
                connection.send_message(self._compose_email(message, ts))
        except smtplib.SMTPAuthenticationError:
            raise DeliveryError(f"{self.name}: the mail server refuses the login", permanent=True) from None
        except smtplib.SMTPNotSupportedError:
            raise DeliveryError(f"{self.name}: the mail server lacks STARTTLS or login", permanent=True) from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _ in error.recipients.values()})
            lasting = all(code >= 500 for code in codes)
            raise DeliveryError(f"{self.name}: recipients are refused ({codes[0]})", permanent=lasting) from None
        except smtplib.SMTPResponseException as error:
            said = f"{self.name}: the mail server refuses ({error.smtp_code})"
            raise DeliveryError(said, permanent=error.smtp_code >= 500) from None
        except ssl.SSLCertVerificationError:
            raise DeliveryError(f"{self.name}: the mail server's certificate isn't trusted", permanent=True) from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise DeliveryError(f"{self.name}: the mail server can't be reached ({type(error).__name__})") from None
        return ts or _message_id(message.incident)

    def _connect(self) -> smtplib.SMTP:
        if self._tls == "implicit":
            return smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout_seconds, context=self._trust)
        connection = smtplib.SMTP(self._host, self._port, timeout=self._timeout_seconds)
        try:
            if self._tls == "starttls":
                connection.starttls(context=self._trust)
        except BaseException:
            connection.close()
            raise
        return connection

    def _compose_email(self, message: Message, ts: str | None) -> EmailMessage:
        head, _, rest = message.text.partition("\n")
        mail = EmailMessage()
        mail["Subject"] = " ".join(head.split())[:SUBJECT_CHARACTERS]
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._to)
        first = _message_id(message.incident)
        mail["Message-ID"] = first if ts is None else _message_id(f"{message.incident} {message.day} {message.kind}")
        if ts is not None:
            mail["In-Reply-To"] = mail["References"] = first
        mail.set_content(f"{head}\n\n{rest}\n")
        return mail


def _message_id(of: str) -> str:
    return f"<{hashlib.sha256(of.encode()).hexdigest()[:32]}@watchkeeper>"
