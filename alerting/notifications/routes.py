"""Who is told what: each owner's Slack channel, further channels by rule, how loud, when again, and when not.

``alerting/routes.yaml`` holds no secret. Each channel's secret is the environment variable
``WATCHKEEPER_SECRET_<NAME>``, or the password of Airflow's connection ``watchkeeper_<name>``.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

import catalogue
from alerting.incidents.silences import Silence, check_matchers
from alerting.notifications.channels.email import TlsMode
from ledger.records.incidents import Incident
from models.errors import WatchkeeperError, did_you_mean
from models.spec import Spec

ROUTES_FILE = Path(__file__).with_name("routes.yaml")

SlackName = Annotated[str, Field(pattern=r"^(#[^\s#@]{1,80}|[CGD][A-Z0-9]{6,})$")]
"""A channel's #name or its id."""
ChannelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Tier = Literal[1, 2, 3]


class Severity(StrEnum):
    """How loud an incident is: it pages, is a message of its own, or stands in the day's digest."""

    PAGE = "page"
    MESSAGE = "message"
    DIGEST = "digest"


class _RoutesSection(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PagerDutySettings(_RoutesSection):
    """PagerDuty's Events API v2; the secret is the integration's routing key."""

    kind: Literal["pagerduty"]
    url: str = "https://events.pagerduty.com"


class SlackWebhookSettings(_RoutesSection):
    """Slack's incoming webhook; the secret is its address."""

    kind: Literal["slack_webhook"]


class WebhookSettings(_RoutesSection):
    """A signed webhook; the secret is the key of its HMAC."""

    kind: Literal["webhook"]
    url: Annotated[str, Field(pattern=r"^https?://")]


class EmailSettings(_RoutesSection):
    """E-mail; the secret is the user's password."""

    kind: Literal["email"]
    server: Annotated[str, Field(pattern=r"^[^\s:/]+(:\d+)?$")]
    sender: Annotated[str, Field(pattern=r"^[^\s@]+@[^\s@]+$")]
    to: Annotated[list[Annotated[str, Field(pattern=r"^[^\s@,]+@[^\s@,]+$")]], Field(min_length=1)]
    user: str = ""
    tls: TlsMode = "starttls"


FurtherChannel = Annotated[
    PagerDutySettings | SlackWebhookSettings | WebhookSettings | EmailSettings, Field(discriminator="kind")
]


class PagingPolicy(_RoutesSection):
    """What pages: a data fault on a model of these tiers, and anything with so much at stake."""

    tiers: list[Tier] = [1]
    gbp_per_day: Annotated[float, Field(gt=0, strict=False)] | None = None


class DigestPolicy(_RoutesSection):
    """What only stands in the day's digest, unless it pages."""

    tiers: list[Tier] = Field(default_factory=list)
    causes: list[str] = Field(default_factory=list)

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
    """Tells incidents on further channels: at once, or once nobody took them on for ``after_hours``."""

    when: RuleConditions = RuleConditions()
    to: Annotated[list[ChannelName], Field(min_length=1)]
    after_hours: Annotated[float, Field(ge=0, strict=False)] = 0.0


class MaintenanceWindow(_RoutesSection):
    """Days of data of which nobody is told what fits every matcher, agreed on beforehand and reviewed as this file."""

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
    """The Slack channel of each owner and of all others, and what is told elsewhere."""

    default: SlackName
    owners: dict[str, SlackName] = Field(default_factory=dict)
    channels: dict[ChannelName, FurtherChannel] = Field(default_factory=dict)
    rules: list[RoutingRule] = Field(default_factory=list)
    page: PagingPolicy = PagingPolicy()
    digest: DigestPolicy = DigestPolicy()
    repeat_days: Annotated[int, Field(ge=1)] | None = None
    maintenance: list[MaintenanceWindow] = Field(default_factory=list)

    @property
    def silences(self) -> list[Silence]:
        """Return the maintenance windows as silences, numbered as they stand in the file."""
        return [each.silence(f"maintenance-{number}") for number, each in enumerate(self.maintenance, 1)]

    @model_validator(mode="after")
    def _known(self) -> Routes:
        for number, rule in enumerate(self.rules):
            for name in rule.to:
                if name not in self.channels:
                    hint = did_you_mean(name, self.channels)
                    known = ", ".join(self.channels) or "none yet"
                    raise ValueError(f"rules.{number}.to: 'channels' has no '{name}'; there are {known}{hint}")
        return self


def load_routes(path: Path = ROUTES_FILE) -> Routes:
    """Read the routes; raise WatchkeeperError that names the file, the key, and what is accepted."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WatchkeeperError(f"{path}: can't be read as YAML ({error.__class__.__name__})") from error
    try:
        return Routes.model_validate(content)
    except ValidationError as error:
        raise WatchkeeperError(
            "\n".join(f"{path}: {_describe_problem(problem)}" for problem in error.errors())
        ) from error


def slack_channel_of(spec: Spec, default: str = "", routes: Routes | None = None) -> str:
    """Return the Slack channel of a model's owner; for an owner without one ``default``, or else the routes' own."""
    known = routes or load_routes()
    return known.owners.get(spec.owner) or default or known.default


def severity_of(routes: Routes, spec: Spec, incident: Incident) -> Severity:
    """Return how loud an incident is; money and data faults on important models go first."""
    amount = incident.amount_gbp_per_day or 0.0
    costly = routes.page.gbp_per_day is not None and amount >= routes.page.gbp_per_day
    if costly or (incident.data_fault and spec.tier in routes.page.tiers):
        return Severity.PAGE
    if spec.tier in routes.digest.tiers or incident.cause in routes.digest.causes:
        return Severity.DIGEST
    return Severity.MESSAGE


def severity_on_channel(routes: Routes, channel: str, spec: Spec, incident: Incident) -> Severity | None:
    """Return how loud an incident is on a further channel, None where no rule tells it there at once."""
    return severity_of(routes, spec, incident) if channel in further_channels(routes, spec, incident) else None


def further_channels(routes: Routes, spec: Spec, incident: Incident, hours: float = 0.0) -> list[str]:
    """Return the further channels on which an incident is told that nobody took on for so many hours."""
    names = [n for rule in routes.rules if rule.after_hours <= hours and _rule_matches(routes, rule, spec, incident)
             for n in rule.to]  # fmt: skip
    return list(dict.fromkeys(names))


def _rule_matches(routes: Routes, rule: RoutingRule, spec: Spec, incident: Incident) -> bool:
    when = rule.when
    return (
        (when.owners is None or spec.owner in when.owners)
        and (when.tiers is None or spec.tier in when.tiers)
        and (when.severity is None or severity_of(routes, spec, incident) in when.severity)
        and (when.data_fault is None or incident.data_fault is when.data_fault)
        and (when.gbp_per_day is None or (incident.amount_gbp_per_day or 0.0) >= when.gbp_per_day)
    )


def _describe_problem(problem: object) -> str:
    assert isinstance(problem, dict)
    parts = [str(part) for part in problem["loc"]]
    key = ".".join(parts)
    if problem["type"] == "extra_forbidden":
        accepted = _accepted_keys(parts[:-1])
        return f"{key}: unknown key; accepted are {', '.join(accepted)}{did_you_mean(parts[-1], accepted)}"
    if problem["type"] == "missing":
        return f"{key}: is missing{'; the channel for owners without one of their own' if key == 'default' else ''}"
    if problem["type"] == "string_pattern_mismatch":
        if parts[0] in ("default", "owners"):
            return f"{key}: must be a channel's #name or its id such as C0123456789, not {problem['input']!r}"
        return f"{key}: {problem['input']!r} doesn't have the form of a {parts[-1] if len(parts) > 1 else 'name'}"
    if problem["type"] == "value_error":
        said = str(problem["ctx"]["error"])
        return f"{key}: {said}" if parts and parts[0] in ("digest", "maintenance") else said
    return f"{key or 'the file'}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"


SECTIONS: dict[str, type[_RoutesSection]] = {
    "pagerduty": PagerDutySettings, "slack_webhook": SlackWebhookSettings, "webhook": WebhookSettings,
    "email": EmailSettings, "page": PagingPolicy, "digest": DigestPolicy, "when": RuleConditions, "rules": RoutingRule,
    "maintenance": MaintenanceWindow,
}  # fmt: skip


def _accepted_keys(parts: list[str]) -> list[str]:
    named = next((SECTIONS[part] for part in reversed(parts) if part in SECTIONS), Routes)
    return [field.alias or name for name, field in named.model_fields.items()]
