"""A sign of life after each delivery: whoever watches the watch looks at its age, from anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.spec import Spec
from watchkeeper.files import write_atomically

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True)
class ModelHeartbeat:
    """When a model's watch was last completed, and its newest watched day."""

    at: datetime
    day: date | None


def write_heartbeat(file: Path, ledger: Ledger, specs: Sequence[Spec], now: datetime) -> dict[str, ModelHeartbeat]:
    """Write the heartbeat of models whose watch was completed, beside those of others, and return all.

    Raises WatchkeeperError where it can't be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with ledger.transaction():  # for its turn: other models' watches may come to their end at the same moment
            beats = _read_heartbeat_or_none(file) | {
                spec.model: ModelHeartbeat(now, ledger.newest_day(spec.model)) for spec in specs
            }
            models = {name: {"at": b.at.isoformat(), "day": str(b.day or "")} for name, b in sorted(beats.items())}
            write_atomically(file, json.dumps({"at": now.isoformat(), "models": models}, indent=1) + "\n")
    except OSError as error:
        raise WatchkeeperError(f"{file}: can't be written ({error.strerror}); set WATCHKEEPER_HEARTBEAT") from error
    return beats


def read_heartbeat(file: Path) -> dict[str, ModelHeartbeat]:
    """Return the newest heartbeat of each model; raise WatchkeeperError where there is none or it can't be read."""
    try:
        models = json.loads(file.read_text(encoding="utf-8"))["models"]
        return {str(model): _parse_heartbeat(each) for model, each in models.items()}
    except FileNotFoundError:
        raise WatchkeeperError(f"{file}: there is no heartbeat; no watch was completed yet") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WatchkeeperError(f"{file}: can't be read as a heartbeat ({type(error).__name__})") from error


def late_models(
    beats: Mapping[str, ModelHeartbeat], models: Iterable[str], now: datetime, most: timedelta
) -> list[str]:
    """Return a sentence for each model that is to be watched and whose heartbeat is missing or older than ``most``."""
    found = []
    for model in models:
        if model not in beats:
            found.append(f"{model}: no watch was completed yet")
        elif now - beats[model].at > most:
            at, old = beats[model].at, _describe_span(now - beats[model].at)
            found.append(
                f"{model}: its last watch was completed at {at:%Y-%m-%d %H:%M} UTC, {old} ago; "
                f"at most {_describe_span(most)} is wanted"
            )
    return found


def parse_age(text: str) -> timedelta:
    """Return a time such as '26h', '90m' or '2d'; raise WatchkeeperError for another text."""
    found = re.fullmatch(r"(\d{1,6}) ?([mhd])", text.strip())
    if not found:
        raise WatchkeeperError(f"--max-age: must be minutes, hours or days such as 90m, 26h or 2d, not '{text[:40]}'")
    return int(found[1]) * UNITS[found[2]]


def _parse_heartbeat(content: Mapping[str, str]) -> ModelHeartbeat:
    day = content["day"]
    return ModelHeartbeat(
        datetime.fromisoformat(content["at"]).astimezone(UTC), date.fromisoformat(day) if day else None
    )


def _read_heartbeat_or_none(file: Path) -> dict[str, ModelHeartbeat]:
    try:
        return read_heartbeat(file)
    except WatchkeeperError:
        return {}


def _describe_span(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 72 * 60 else f"{minutes // (24 * 60)} days"
