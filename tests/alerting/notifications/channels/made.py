"""One incident's messages, as every channel is given them."""

from __future__ import annotations

from dataclasses import replace

from alerting.notifications.grouping import with_group_details
from alerting.notifications.messages.incident_message import compose_message
from alerting.notifications.messages.links import Links
from ledger.records.messages import Message
from tests.alerting import made
from tests.alerting.made import ARRIVED, FIRST, one_day, spec

SECRET = "a-secret-that-nobody-may-see"
(INCIDENT,) = one_day(*ARRIVED, made.NULL_FLOOD)
LINKS = Links("https://watch.example", "https://docs.example/watchkeeper")
TEXT, BLOCKS = compose_message(spec(), INCIDENT, "opened", LINKS)
OPENED = with_group_details(Message(INCIDENT.id, FIRST, "opened", "c", TEXT, BLOCKS), spec(), INCIDENT, LINKS)
UPDATED = replace(OPENED, kind="updated")
RESOLVED = replace(OPENED, kind="resolved", text="✅ Card payments, resolved: device_age_days is 31 % empty\nSince.")
AT = 1_772_600_000
