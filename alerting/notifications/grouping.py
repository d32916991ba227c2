"""One cause, one message: which incidents share one, and what is too much for one night.

A broken feature table breaks every model that reads it in the same way. Such incidents share a ``group`` and become
one message (a notification group) that lists the models. When a night brings more than a handful, the heaviest keep a
message of their own and the rest share one: nobody reads a flood.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from alerting.notifications.messages.links import Links
from alerting.wording import format_percent, format_pounds
from ledger.records.incidents import Incident
from ledger.records.messages import Message
from models.spec import Spec

MAX_NEW_MESSAGES = 6
"""Messages that one day may open on a channel; what is beyond shares one more."""
FLOOD, DIGEST = "flood", "digest"


@dataclass(frozen=True)
class NotificationGroup:
    """One message that people see: ``pending`` waits to be sent in it, ``notified`` is what it says already.

    Both hold each incident's newest message only; ``superseded`` are those that ``pending`` makes out of date.
    ``location`` is where it stands, '' where it wasn't sent yet.
    """

    id: str
    pending: tuple[Message, ...]
    notified: tuple[Message, ...] = ()
    superseded: tuple[Message, ...] = ()
    location: str = ""

    @property
    def members(self) -> tuple[Message, ...]:
        """Return the newest message of each incident, the heaviest first."""
        newest = {m.incident: m for m in (*self.notified, *self.pending)}
        return tuple(sorted(newest.values(), key=_weight_order))

    @property
    def was_tried(self) -> bool:
        """Return whether somebody tried before, so that it may stand somewhere unrecorded."""
        return any(m.attempts > 0 for m in (*self.pending, *self.superseded))


def with_group_details(message: Message, spec: Spec, incident: Incident, links: Links) -> Message:
    """Return a message with what it takes to group its incident with others like it, and to programs."""
    importance = _decision_share(spec, incident)
    amount = incident.amount_gbp_per_day
    said = [f"importance {format_percent(importance)}"] if incident.feature and importance else []
    if amount is not None:
        said.append(f"{'up to ' if incident.data_fault else ''}{format_pounds(amount)} a day")
    return replace(
        message,
        group=group_key(spec, incident),
        line=", ".join([f"{spec.name} (tier {spec.tier})", *said]),
        weight=(float(incident.data_fault), importance, amount or 0.0, float(-spec.tier)),
        about=(_incident_details(spec, incident, links),),
    )


def group_key(spec: Spec, incident: Incident) -> str:
    """Return what incidents of several models that share a message have in common; '' for one on its own."""
    if not incident.cause_entry.feed_wide:
        return ""
    return f"{spec.features.table}|{incident.cause}|{incident.feature}|{incident.slice}"


def gather_notification_groups(
    unsent: Sequence[Message], notified: Sequence[Message], locations: dict[str, str]
) -> list[NotificationGroup]:
    """Return the messages of one channel that are to be sent now, each with all that belongs into it.

    ``unsent`` and ``notified`` are in the order of sending, ``locations`` says where each incident stands. An incident
    stays in the message in which it was first sent; a new one joins the message of its group that still has an open
    incident, or opens one. Of a day's new ones those beyond ``MAX_NEW_MESSAGES`` share one, the lightest.
    """
    newest: dict[str, Message] = {}
    for message in unsent:
        newest[message.incident] = replace(message, bundle=_assigned_group_id(message, unsent, notified))
    newest = {id_: m for id_, m in newest.items() if not m.dead}
    open_groups = _open_group_ids(notified, newest)
    opened = {(m.day, m.bundle) for m in (*notified, *newest.values()) if m.kind == "opened" and m.bundle}
    fresh = sorted((m for m in newest.values() if not m.bundle), key=_weight_order)
    for message in fresh:
        name = open_groups.get(message.group) if message.group else None
        if name is None:
            name = message.incident if _has_room(message.day, opened) else f"{FLOOD}-{message.day:%Y%m%d}"
            opened.add((message.day, name))
            if message.group:
                open_groups[message.group] = name
        newest[message.incident] = replace(message, bundle=name)
    return _build_notification_groups(newest, unsent, notified, locations)


def _assigned_group_id(message: Message, unsent: Sequence[Message], notified: Sequence[Message]) -> str:
    """Return the notification group that an incident belongs to; of messages from before there were any, its own."""
    same = [m for m in (*notified, *unsent) if m.incident == message.incident]
    named = next((m.bundle for m in same if m.bundle), "")
    return named or (message.incident if any(m.sent_at for m in same) else "")


def _open_group_ids(notified: Sequence[Message], newest: dict[str, Message]) -> dict[str, str]:
    """Return the message that each group's newcomers join: one in which an incident of the group is still open."""
    states = {m.incident: m for m in notified} | newest
    first = {m.incident: m for m in reversed((*notified, *newest.values()))}
    return {
        m.group: states[id_].bundle or m.bundle
        for id_, m in first.items()
        if m.group and states[id_].kind != "resolved" and (states[id_].bundle or m.bundle)
    }


def _has_room(day: date, opened: Collection[tuple[date, str]]) -> bool:
    own = {name for on, name in opened if on == day and not name.startswith((FLOOD, DIGEST))}
    return len(own) < MAX_NEW_MESSAGES


def _build_notification_groups(
    newest: dict[str, Message], unsent: Sequence[Message], notified: Sequence[Message], locations: dict[str, str]
) -> list[NotificationGroup]:
    latest = {m.incident: m for m in notified}
    result = []
    for name in dict.fromkeys(m.bundle for m in newest.values()):
        pending = tuple(m for m in newest.values() if m.bundle == name)
        ids = {m.incident for m in pending}
        others = tuple(m for m in latest.values() if m.bundle == name and m.incident not in ids)
        superseded = tuple(m for m in unsent if m.incident in ids and m.key != newest[m.incident].key)
        standing = [locations[id_] for id_ in (*ids, *(m.incident for m in others)) if id_ in locations]
        lined = tuple(_with_line(m, unsent, notified) for m in pending)
        result.append(NotificationGroup(name, lined, others, superseded, min(standing, default="")))
    return result


def _with_line(message: Message, unsent: Sequence[Message], notified: Sequence[Message]) -> Message:
    """Return a message with the line of an earlier one where it has none of its own."""
    if message.line:
        return message
    earlier = next((m for m in (*notified, *unsent) if m.incident == message.incident and m.line), message)
    return replace(message, line=earlier.line, weight=earlier.weight, group=earlier.group)


def _incident_details(spec: Spec, incident: Incident, links: Links) -> dict[str, Any]:
    known = {name: getattr(incident, name) for name in INCIDENT_DETAIL_FIELDS}
    return {name: str(v) if isinstance(v, (date, StrEnum)) else v for name, v in known.items()} | {
        "owner": spec.owner,
        "tier": spec.tier,
        "table": spec.features.table,
        "url": links.page(incident),
        "runbook": links.runbook(incident.cause),
    }


INCIDENT_DETAIL_FIELDS = (
    "id", "model", "cause", "status", "feature", "slice", "opened", "last_bad", "resolved", "summary", "confidence",
    "first_step", "data_fault", "amount_gbp_per_day", "amount_low_gbp_per_day", "amount_high_gbp_per_day", "page",
)  # fmt: skip
"""What programs get of an incident."""


def _weight_order(message: Message) -> tuple[tuple[float, ...], str]:
    """Order the heaviest first; of equals the one whose id comes first."""
    return tuple(-weight for weight in message.weight), message.incident


def _decision_share(spec: Spec, incident: Incident) -> float:
    """Return the share of the model's decisions that rest on what is broken: all of them for a whole table."""
    if not incident.feature:
        return 1.0
    column = spec.features.columns.get(incident.feature)
    return (column.importance or 0.0) if column else 0.0
