"""What a model-risk reviewer asks for: whether the log is whole, and a folder of evidence about one model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from alerting.incidents.silences import SILENCE_ADDED, SILENCE_ENDED
from ledger.events import SYSTEM_ACTOR, describe_first_broken_event
from ledger.records.events import Event
from ledger.records.incidents import Incident
from ledger.records.measurements import Verdict
from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.spec import Spec
from watchkeeper.context import Context
from watchkeeper.files import write_atomically
from watchkeeper.incident_actions import handlings_by_incident

CONFIGURED = "configured"
"""The kind of the event that says what a model was watched by from then on."""
EVIDENCE_TEMPLATE = Path(__file__).with_name("evidence.html")
MAX_QUERIES = 100


def verify_log(ledger: Ledger, heads: Sequence[str] = ()) -> tuple[str, Event | None]:
    """Return a sentence on the first broken event of the log ('' where it is whole), and the newest event."""
    events = ledger.events()
    return describe_first_broken_event(events, heads), events[-1] if events else None


def log_configuration(ctx: Context, spec: Spec) -> None:
    """Log the model file and code by which a model is watched, where they aren't what was logged last."""
    logged = ctx.ledger.events(spec.model, kinds=(CONFIGURED,))
    now = {"config_sha256": config_sha256(spec), "code_version": code_version()}
    before = {key: logged[-1].payload[key] for key in now} if logged else {}
    if before != now:
        changed = [key for key in now if before.get(key) != now[key]]
        named = {"config_sha256": "the model file", "code_version": "Watchkeeper's version"}
        reason = " and ".join(named[key] for key in changed) + (" changed" if logged else " it is first watched by")
        payload = now | {"model_file": spec.model_dump(mode="json", by_alias=True)}
        ctx.ledger.append_event(ctx.now, CONFIGURED, reason, model=spec.model, actor=SYSTEM_ACTOR, payload=payload)


def config_sha256(spec: Spec) -> str:
    """Return the SHA-256 of all that a model file says, with its defaults; comments and order don't count."""
    said = json.dumps(spec.model_dump(mode="json", by_alias=True), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def code_version() -> str:
    """Return the installed version of Watchkeeper."""
    try:
        return version("watchkeeper")
    except PackageNotFoundError:
        return "unknown"


def export_evidence(ctx: Context, spec: Spec, start: date, end: date, folder: Path, made_by: str) -> dict[str, str]:
    """Write a model's evidence for the days of a span into a new folder, and return each file's SHA-256.

    Raises WatchkeeperError where the folder isn't empty or can't be written, and for days in the wrong order.
    """
    if end < start:
        raise WatchkeeperError(f"--to {end} is before --from {start}")
    try:
        if folder.exists() and any(folder.iterdir()):
            raise WatchkeeperError(f"{folder}: is not empty; evidence is written into a folder of its own")
        folder.mkdir(parents=True, exist_ok=True)
        files = _evidence_files(ctx, spec, start, end, made_by)
        for name, text in files.items():
            write_atomically(folder / name, text)
        digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
        manifest = {
            "model": spec.model,
            "from": start,
            "to": end,
            "made_at": ctx.now,
            "made_by": made_by,
            "code_version": code_version(),
            "config_sha256": config_sha256(spec),
            "log": _log_head(ctx.ledger),
            "sha256": digests,
        }
        write_atomically(folder / "manifest.json", _to_json(manifest))
    except OSError as error:
        raise WatchkeeperError(f"{folder}: can't be written ({error.strerror})") from error
    return digests


def _evidence_files(ctx: Context, spec: Spec, start: date, end: date, made_by: str) -> dict[str, str]:
    ledger = ctx.ledger
    events = ledger.events(spec.model)
    incidents = [i for i in ledger.incidents(spec.model, withdrawn=True) if i.opened <= end and i.concluded >= start]
    figures = ledger.measurements(spec.model, as_of_from=start, as_of_to=end)
    baselines = [ledger.baseline(spec, as_of=start), *(b for b in ledger.baselines(spec.model) if start < b.day <= end)]
    decisions = [d for d in ledger.decisions(spec.model) if start <= d.day <= end]
    known = handlings_by_incident(ledger, spec.model)
    rows = [
        asdict(incident)
        | {
            "state": str(known[incident.id].state) if incident.id in known else str(incident.status),
            "history": [asdict(state) for state in ledger.incident_history(incident.id)],
            "events": [asdict(event) for event in events if event.incident == incident.id],
            "messages": [asdict(message) for message in ledger.messages(incident.id)],
        }
        for incident in incidents
    ]
    held = {
        "model": spec.model_dump(mode="json", by_alias=True),
        "incidents": rows,
        "events": [asdict(event) for event in [*events, *ledger.events("", kinds=(SILENCE_ADDED, SILENCE_ENDED))]],
        "chain": [[event.number, event.hash] for event in ledger.events()],
        "figures": [asdict(figure) for figure in figures],
        "runs": [asdict(run) for run in ledger.runs(spec.model, start, end)],
        "baselines": [asdict(baseline) for baseline in baselines],
        "decisions": [asdict(decision) for decision in decisions],
        "retrained": [asdict(each) for each in ledger.retraining_outcomes(spec.model)],
        "queries": _bad_day_queries(ctx, spec, start, end, incidents),
    }
    page = _render_summary_page(
        model={"name": spec.name, "owner": spec.owner, "tier": spec.tier},
        start=start,
        end=end,
        made_at=f"{ctx.now:%Y-%m-%d %H:%M} UTC",
        made_by=made_by,
        code=code_version(),
        config_sha256=config_sha256(spec),
        head=_log_head(ledger),
        chain=describe_first_broken_event(ledger.events()) or "each follows the one before it",
        baselines=held["baselines"],
        runs=held["runs"],
        figures=len(figures),
        breaches=sum(m.verdict is Verdict.BREACH for m in figures),
        incidents=[row for row in rows if row["fired"]],
        decisions=[asdict(d) for d in decisions if d.verdict != "not needed"],
    )
    return {**{f"{name}.json": _to_json(content) for name, content in held.items()}, "summary.html": page}


def _bad_day_queries(
    ctx: Context, spec: Spec, start: date, end: date, incidents: Sequence[Incident]
) -> list[dict[str, Any]]:
    """Return the query by which each bad day's partition is read, with its digest, or why there is none."""
    bad = {
        incident.opened + timedelta(days=step)
        for incident in incidents
        for step in range((incident.last_bad - incident.opened).days + 1)
    }
    found: list[dict[str, Any]] = []
    for day in sorted(day for day in bad if start <= day <= end)[:MAX_QUERIES]:
        try:
            query = ctx.warehouse.relation(spec, day).query
            found.append({"day": day, "sha256": hashlib.sha256(query.encode()).hexdigest(), "query": query})
        except WatchkeeperError as error:
            found.append({"day": day, "sha256": None, "query": None, "reason": str(error)})
    return found


def _log_head(ledger: Ledger) -> dict[str, Any]:
    events = ledger.events()
    return {"number": events[-1].number, "hash": events[-1].hash} if events else {"number": 0, "hash": ""}


def _render_summary_page(**content: Any) -> str:
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  only needed here

    pages = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return pages.from_string(EVIDENCE_TEMPLATE.read_text(encoding="utf-8")).render(**content)


def _to_json(content: Any) -> str:
    return json.dumps(content, indent=1, default=str, allow_nan=False)
