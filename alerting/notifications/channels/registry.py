"""The kinds of channel that routes.yaml may name. Everything that depends on the kind is derived from this list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import get_args

from alerting.notifications.channels.console.settings import ConsoleSettings
from alerting.notifications.channels.email.settings import EmailSettings
from alerting.notifications.channels.errors import DeliveryError
from alerting.notifications.channels.pagerduty.settings import PagerDutySettings
from alerting.notifications.channels.protocol import Channel, ChannelSettings, CheckResult
from alerting.notifications.channels.secrets import connection_id, secret_variable
from alerting.notifications.channels.slack.settings import SlackSettings
from alerting.notifications.channels.slack_webhook.settings import SlackWebhookSettings
from alerting.notifications.channels.webhook.settings import WebhookSettings
from ledger.records.messages import Message
from models.errors import did_you_mean

CHANNEL_KINDS: list[type[ChannelSettings]] = [
    SlackSettings,
    SlackWebhookSettings,
    EmailSettings,
    PagerDutySettings,
    WebhookSettings,
    ConsoleSettings,
]


def kind_name(settings: type[ChannelSettings]) -> str:
    """Return the word by which routes.yaml names a kind, such as 'pagerduty'."""
    return str(get_args(settings.model_fields["kind"].annotation)[0])


def channel_kinds() -> dict[str, type[ChannelSettings]]:
    """Return the settings of each kind of channel by its name."""
    return {kind_name(settings): settings for settings in CHANNEL_KINDS}


def how_to_page(settings: ChannelSettings) -> str:
    """Return the file name of a kind's how-to page in docs/how-to/."""
    return f"{settings.kind.replace('_', '-')}.md"


def read_channel(content: object) -> ChannelSettings:
    """Return the settings of one channel as routes.yaml writes them; raise ValueError, or pydantic's of its kind."""
    if isinstance(content, ChannelSettings):
        return content
    if not isinstance(content, dict) or "kind" not in content:
        raise ValueError(f"must be a mapping with 'kind'; kinds are {', '.join(channel_kinds())}")
    kind = str(content["kind"])
    kinds = channel_kinds()
    if kind not in kinds:
        raise ValueError(f"no kind of channel '{kind}'; accepted are {', '.join(kinds)}{did_you_mean(kind, kinds)}")
    return kinds[kind].model_validate(content)


def build_channel(name: str, settings: ChannelSettings, secret: str) -> Channel:
    """Return a channel that the routes name, with its secret.

    Without a secret that it needs a channel keeps its messages and says, at every delivery, what to set.
    """
    if settings.needs_secret and not secret:
        return UnusableChannel(name, missing_secret(name, settings))
    return settings.build(name, secret)


def examine_channel(name: str, settings: ChannelSettings, secret: str, now: datetime) -> Iterator[CheckResult]:
    """Yield what ``watchkeeper doctor`` finds about a channel that the routes name."""
    if settings.needs_secret and not secret:
        yield "broken", missing_secret(name, settings), f"see docs/how-to/{how_to_page(settings)}"
    else:
        yield from settings.examine(secret, now)


def missing_secret(name: str, settings: ChannelSettings) -> str:
    """Return the sentence that says where a channel's secret is to be set."""
    where = f"set {secret_variable(name)}, or the password of Airflow's connection {connection_id(name)}"
    return f"{name} has no secret; {where} ({settings.credential})"


class UnusableChannel:
    """Stands for a channel whose settings a person has to correct first."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self._reason = reason

    def send(self, message: Message, ts: str | None) -> str:
        """Raise DeliveryError."""
        raise DeliveryError(self._reason, permanent=True)
