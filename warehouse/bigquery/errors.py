"""What Google's client raises, as sentences that say what to do and hold nothing from the rows."""

from __future__ import annotations

import re
from typing import Any

from google.api_core.exceptions import Forbidden, GoogleAPICallError, GoogleAPIError, NotFound, RetryError
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from models.errors import WatchkeeperError, did_you_mean

ABSENT_PATTERN = re.compile(r"[Nn]ot found: (Table|Dataset) ([\w:.-]+)", re.ASCII)
DENIED_PATTERN = re.compile(r"(Table|Dataset|Project) ([\w:.-]+)", re.ASCII)
QUOTA_REASONS = ("quotaExceeded", "rateLimitExceeded")
TOO_MANY_BYTES = "bytesBilledLimitExceeded"
SHORT_RETRY = DEFAULT_RETRY.with_timeout(5)
MOST_SHOWN = 200
"""Characters shown of BigQuery's own words."""


def to_watchkeeper_error(
    error: BaseException, where: str, client: bigquery.Client, *, planned: bool
) -> WatchkeeperError:
    """Return the sentence for an error. ``where`` begins it; ``planned``: BigQuery hadn't begun to read rows.

    A statement that is refused while it is planned is refused for its names and types, which may be shown; one that
    fails on the rows may quote a value, so only the kind of failure is shown.
    """
    if isinstance(error, RetryError) and error.cause is not None:
        error = error.cause
    if isinstance(error, GoogleAuthError):
        return no_credentials_error(where)
    reason, said = _google_detail(error, "reason"), _google_detail(error, "message") or str(error)
    words = _service_sentence(error, reason) or _table_sentence(error, reason, said, client)
    return WatchkeeperError(f"{where}: {words or _statement_sentence(error, reason, said, planned=planned)}")


def no_credentials_error(where: str) -> WatchkeeperError:
    """Return the sentence for credentials that are missing, expired or refused."""
    return WatchkeeperError(
        f"{where}: no valid Google credentials; set GOOGLE_APPLICATION_CREDENTIALS to a service account's file, "
        "or run: gcloud auth application-default login"
    )


def _google_detail(error: Any, key: str) -> str:
    """Return what Google says of an error: its ``reason``, e.g. accessDenied, or its ``message``; or nothing."""
    first: Any = next(iter(getattr(error, "errors", None) or ()), None)
    return str(first.get(key) or "") if isinstance(first, dict) else ""


def _service_sentence(error: BaseException, reason: str) -> str | None:
    if isinstance(error, TimeoutError):
        return "BigQuery took too long, and the job was cancelled; watch fewer days at a time"
    if reason in QUOTA_REASONS:
        return f"BigQuery's quota is used up ({reason}); wait, or ask for a larger one"
    if reason != TOO_MANY_BYTES and (not isinstance(error, GoogleAPICallError) or (error.code or 500) >= 500):
        kind = reason or type(error).__name__
        return f"BigQuery can't be reached, or failed ({kind}), also when tried again; run this later"
    return None


def _table_sentence(error: BaseException, reason: str, said: str, client: bigquery.Client) -> str | None:
    if isinstance(error, NotFound) and (absent := ABSENT_PATTERN.search(said)):
        return _absent_sentence(absent[1].lower(), absent[2].rstrip(".:"), client)
    if isinstance(error, Forbidden):
        return _denied_sentence(said)
    if reason == TOO_MANY_BYTES:
        return (
            "BigQuery would bill more than its dry run said, and read nothing; a table grew meanwhile: "
            "run this again, or raise budget.bytes_per_day in the model file"
        )
    return None


def _statement_sentence(error: BaseException, reason: str, said: str, *, planned: bool) -> str:
    if planned:
        return f"BigQuery refuses the statement: {' '.join(said.split())[:MOST_SHOWN]}"
    job = getattr(error, "query_job", None)
    hint = f"; its own words are at job {job.job_id} of project {job.project}" if job is not None else ""
    return f"BigQuery gave up on the rows ({reason or type(error).__name__}){hint}"


def _absent_sentence(kind: str, name: str, client: bigquery.Client) -> str:
    """Return that a table or dataset isn't there, with the nearest one that is."""
    *parents, own = name.replace(":", ".").split(".")
    try:
        if kind == "table":
            nearest = did_you_mean(
                own, [table.table_id for table in client.list_tables(".".join(parents), retry=SHORT_RETRY)]
            )
        else:
            nearest = did_you_mean(own, [dataset.dataset_id for dataset in client.list_datasets(retry=SHORT_RETRY)])
    except (GoogleAPIError, OSError, ValueError):  # may not list, or nothing to list
        nearest = ""
    return f"no such {kind} {'.'.join([*parents, own])} in BigQuery{nearest}"


def _denied_sentence(said: str) -> str:
    denied = DENIED_PATTERN.search(said)
    what = f" of {denied[1].lower()} {denied[2].rstrip('.:').replace(':', '.')}" if denied else ""
    return (
        f"BigQuery allows no reading{what}; the account needs the roles BigQuery Job User in the project, "
        "and BigQuery Data Viewer and Metadata Viewer on the tables"
    )
