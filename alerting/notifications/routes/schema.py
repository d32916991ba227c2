"""What the routes file may say: each owner's Slack channel, further channels by rule, severity, maintenance windows.

The file holds no secret: see ``alerting.notifications.channels.registry``.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, field_validator, model_validator

import catalogue
from alerting.incidents.silences import Silence, check_matchers
from alerting.notifications.channels.protocol import ChannelSettings
from alerting.notifications.channels.registry import read_channel
from alerting.notifications.channels.slack.settings import SlackName
from models.errors import WatchkeeperError, did_you_mean

ChannelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
FurtherChannel = Annotated[ChannelSettings, PlainValidator(read_channel, json_schema_input_type=dict[str, Any])]
"""A channel besides the owners' own, of any kind in ``CHANNEL_KINDS``."""
Tier = Literal[1, 2, 3]
OWNERS_CONSOLE = "console"
"""The owners' channel where there is no Slack token."""


class Severity(StrEnum):
    """How urgent an incident is: it pages, is a message of its own, or stands in the day's digest."""

    PAGE = "page"
    MESSAGE = "message"
    DIGEST = "digest"


class _RoutesSection(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


class PagingPolicy(_RoutesSection):
    """What pages: a data fault on a model of these tiers, and anything with so much at stake."""

    tiers: list[Tier] = [1]
    gbp_per_day: Annotated[float, Field(gt=0, strict=False)] | None = None


class DigestPolicy(_RoutesSection):
    """What only stands in the day's digest, unless it pages."""

    tiers: list[Tier] = Field(default_factory=list)
    causes: list[str] = Field(default_factory=list)
    """Keys of causes, such as season."""

    @field_validator("causes")
    @classmethod
    def _known(cls, causes: list[str]) -> list[str]:
        for key in causes:
            if key not in catalogue.CAUSES:
                known = ", ".join(catalogue.CAUSES)
                raise ValueError(f"no cause '{key}'; accepted are {known}{did_you_mean(key, catalogue.CAUSES)}")
        return causes


class RuleConditions(_RoutesSection):
    """Which incidents a rule is about: those that fit everything that is given."""

    owners: list[str] | None = None
    tiers: list[Tier] | None = None
    severity: list[Annotated[Severity, Field(strict=False)]] | None = None
    data_fault: bool | None = None
    gbp_per_day: Annotated[float, Field(gt=0, strict=False)] | None = None


class RoutingRule(_RoutesSection):
    """Sends incidents to further channels: at once, or once nobody took them on for ``after_hours``."""

    when: RuleConditions = RuleConditions()
    to: Annotated[list[ChannelName], Field(min_length=1)]
    after_hours: Annotated[float, Field(ge=0, strict=False)] = 0.0


class MaintenanceWindow(_RoutesSection):
    """Days of data of which nobody is notified where every matcher fits; agreed beforehand, reviewed with this file."""

    match: dict[str, str | int]
    start: Annotated[date, Field(alias="from")]
    end: Annotated[date, Field(alias="to")]
    by: Annotated[str, Field(min_length=1)]
    comment: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _sound(self) -> MaintenanceWindow:
        try:
            self.silence("")
        except WatchkeeperError as error:
            raise ValueError(str(error).removeprefix("silence: ")) from None
        return self

    def silence(self, id_: str) -> Silence:
        """Return the same as a silence."""
        matchers = check_matchers({name: str(wanted) for name, wanted in self.match.items()}, self.start, self.end)
        return Silence(id_, matchers, self.start, self.end, self.by, self.comment)


class Routes(_RoutesSection):
    """The Slack channel of each owner and of all others, and what is sent elsewhere."""

    default: SlackName
    """The Slack channel of owners without one of their own."""
    owners: dict[str, SlackName] = Field(default_factory=dict)
    """The Slack channel of each owner that a model file names."""
    channels: dict[ChannelName, FurtherChannel] = Field(default_factory=dict)
    """Further channels by name; each is of one of the kinds below."""
    rules: list[RoutingRule] = Field(default_factory=list)
    """Every rule that fits an incident adds its channels."""
    page: PagingPolicy = PagingPolicy()
    digest: DigestPolicy = DigestPolicy()
    repeat_days: Annotated[int, Field(ge=1)] | None = None
    """Notify again every so many days of what is still broken and nobody took on."""
    maintenance: list[MaintenanceWindow] = Field(default_factory=list)

    @property
    def silences(self) -> list[Silence]:
        """Return the maintenance windows as silences, numbered as they stand in the file."""
        return [each.silence(f"maintenance-{number}") for number, each in enumerate(self.maintenance, 1)]

    @model_validator(mode="after")
    def _known(self) -> Routes:
        if OWNERS_CONSOLE in self.channels:
            raise ValueError(f"channels.{OWNERS_CONSOLE}: the name of the owners' channel without Slack; take another")
        for number, rule in enumerate(self.rules):
            for name in rule.to:
                if name not in self.channels:
                    hint = did_you_mean(name, self.channels)
                    known = ", ".join(self.channels) or "none yet"
                    raise ValueError(f"rules.{number}.to: 'channels' has no '{name}'; there are {known}{hint}")
        return self


DEFAULT_ROUTES = Routes(default="#model-monitoring")
"""What holds without a routes file: everything goes to the owners' channel, by the default severities."""
