"""Runs single statements on BigQuery: estimated first, labelled, bounded in bytes and time, cancelled when we stop."""

from __future__ import annotations

import logging
import os
import re
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

import requests
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import GoogleAPIError
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY, DEFAULT_RETRY

from models.errors import WatchkeeperError
from warehouse.bigquery import errors
from warehouse.bigquery.guarded_client import GuardedClient
from warehouse.bigquery.parameters import Parameter, bind_parameters
from warehouse.budget import CostAccount, StatementCost, format_bytes

if TYPE_CHECKING:
    import pyarrow as pa

LOG = logging.getLogger(__name__)
JOB_SECONDS = 3600
"""A job that takes longer is cancelled: by us or, where we were killed, by BigQuery itself."""
RETRY_SECONDS = 300
"""How long a request that fails, or a job that BigQuery lost, is tried again, with growing pauses."""
RETRY = DEFAULT_RETRY.with_timeout(RETRY_SECONDS)
JOB_RETRY = DEFAULT_JOB_RETRY.with_timeout(RETRY_SECONDS)
HEADROOM = 1.1
"""A job may bill so many times what was estimated: a table may grow between the two."""
SMALLEST_BILL = 10 * 2**20
"""Bytes that BigQuery bills at least for each table that a statement reads."""
MOST_TABLES = 10
"""Tables that a statement reads at most: each is billed with at least SMALLEST_BILL, which no estimate says."""
FAILURES = (GoogleAPIError, GoogleAuthError, requests.RequestException, TimeoutError)


@dataclass(frozen=True)
class Purpose:
    """Whose statement it is, what for, and the bytes that the model may bill a day (None: no limit)."""

    model: str
    step: str
    budget: int | None = None

    def __str__(self) -> str:
        return f"{self.model}, step {self.step}"

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels of its jobs, by which the bill can be split; BigQuery takes at most 63 such characters."""
        given = {"watchkeeper": self.step, "model": self.model}
        return {key: re.sub(r"[^a-z0-9_-]", "_", value.lower())[:63] for key, value in given.items()}


def connect_bigquery(project: str, location: str | None = None, account: CostAccount | None = None) -> Jobs:
    """Return the jobs of a project, with the credentials of the environment; an emulator's need none.

    Raises WatchkeeperError where there are no credentials.
    """
    options: dict[str, Any] = {}
    if emulator := os.environ.get("BIGQUERY_EMULATOR_HOST"):  # Google's own name for it
        nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
        options = {"client_options": ClientOptions(api_endpoint=emulator), "credentials": nobody}
    try:
        return Jobs(bigquery.Client(project=project, location=location, **options), account)
    except GoogleAuthError as error:
        raise errors.no_credentials_error(f"warehouse bigquery://{project}") from error


class Jobs:
    """Runs statements with one client, in the client's location; ``account`` keeps what they cost."""

    def __init__(self, client: bigquery.Client, account: CostAccount | None = None) -> None:
        self._client = client
        self.account = account or CostAccount()

    def run(
        self, text: str, values: Mapping[str, object], *, model: str, step: str, budget: int | None = None
    ) -> pa.Table:
        """Run a statement with values bound to its ``@names`` and return its rows.

        ``budget`` are the bytes that the model may bill a day. Raises WatchkeeperError where the dry run says more than
        is left of it, and where BigQuery refuses the statement, fails, or takes longer than JOB_SECONDS.
        """
        purpose = Purpose(model, step, budget)
        job = self.run_to_end(text, bind_parameters(values), purpose)
        with self._translated_errors(str(purpose), planned=False):
            # a REST download: what we read is small, and the faster one needs a permission of its own
            return job.to_arrow(create_bqstorage_client=False)

    def estimate(self, text: str, values: Mapping[str, object], *, model: str, step: str) -> int:
        """Return the bytes that a statement would bill, by a dry run, which is free; raise as ``run`` does."""
        return _estimated_bill(self.planned(text, bind_parameters(values), Purpose(model, step)))

    def table(self, name: str) -> bigquery.Table:
        """Return what BigQuery knows of a table, ``dataset.table`` or ``project.dataset.table``."""
        try:
            reference = bigquery.TableReference.from_string(name, default_project=self._client.project)
        except ValueError as error:
            raise WatchkeeperError(
                f"table '{name}': accepted in BigQuery is dataset.table, or project.dataset.table"
            ) from error
        with self._translated_errors(f"table {name}", planned=True):
            return self._client.get_table(reference, retry=RETRY)

    def guarded(self, purpose: Purpose, whole: str) -> GuardedClient:
        """Return a client for a library that sends its own statements about the rows of the query ``whole``."""
        return GuardedClient(self, self._client, purpose, whole)

    def run_to_end(self, text: str, bound: Sequence[Parameter], purpose: Purpose) -> bigquery.QueryJob:
        """Run a statement to its end and return its job, whose cost is in the account; raise as ``run`` does."""
        estimated = _estimated_bill(self.planned(text, bound, purpose))
        config = bigquery.QueryJobConfig(
            query_parameters=bound,
            labels=purpose.labels,
            maximum_bytes_billed=self._most(estimated, purpose),
            job_timeout_ms=1000 * JOB_SECONDS,
        )
        with self._translated_errors(str(purpose), planned=False), _sigterm_raises():
            job = self._client.query(text, job_config=config, retry=RETRY, job_retry=JOB_RETRY)
            try:
                job.result(retry=RETRY, timeout=JOB_SECONDS)
            except BaseException:  # whatever stops us, an interrupt too: nobody would read the result
                with suppress(*FAILURES):
                    job.cancel(retry=None, timeout=10)
                raise
            finally:
                billed, processed = job.total_bytes_billed or 0, job.total_bytes_processed or 0
                self.account.record(StatementCost(purpose.model, purpose.step, estimated, processed, billed))
        return job

    def planned(self, text: str, bound: Sequence[Parameter], purpose: Purpose) -> bigquery.QueryJob:
        """Return the dry run of a statement, which is free: it knows the columns and the bytes of the result."""
        config = bigquery.QueryJobConfig(query_parameters=bound, labels=purpose.labels, dry_run=True)
        with self._translated_errors(str(purpose), planned=True):
            return self._client.query(text, job_config=config, retry=RETRY, job_retry=None)

    def _most(self, estimated: int, purpose: Purpose) -> int:
        """Return the bytes that a job may bill; raise WatchkeeperError where that isn't enough for it."""
        most = max(round(estimated * HEADROOM), MOST_TABLES * SMALLEST_BILL)
        if purpose.budget is None:
            LOG.info("%s: reads %s", purpose, format_bytes(estimated))
            return most
        left = max(purpose.budget - self.account.billed(purpose.model), 0)
        LOG.info("%s: reads %s of %s that are left today", purpose, format_bytes(estimated), format_bytes(left))
        if estimated > left:
            raise WatchkeeperError(
                f"{purpose}: would bill {format_bytes(estimated)}, and {format_bytes(left)} of the "
                f"{format_bytes(purpose.budget)} a day are left; raise budget.bytes_per_day in the model file, "
                "or run this tomorrow"
            )
        return max(min(most, left), 1)

    @contextmanager
    def _translated_errors(self, where: str, *, planned: bool) -> Iterator[None]:
        try:
            yield
        except FAILURES as error:
            # not chained: its text may hold values of the rows and of the statement
            raise errors.to_watchkeeper_error(error, where, self._client, planned=planned) from None


def _estimated_bill(planned: bigquery.QueryJob) -> int:
    """Return the bytes that a planned job would bill: at least those of one table, where it reads any."""
    estimated = planned.total_bytes_processed or 0
    return max(estimated, SMALLEST_BILL) if estimated else 0


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Let SIGTERM raise SystemExit: Python would end at once, and Airflow's handler lets the task run until killed."""
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or before in (None, signal.SIG_IGN):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if callable(before):
            before(number, frame)
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
