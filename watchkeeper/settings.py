"""Where a deployment's own files and services are: read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from alerting.notifications.channels.secrets import CHANNEL_SECRETS
from alerting.notifications.messages.links import Links
from models.errors import WatchkeeperError, did_you_mean

PREFIX = "WATCHKEEPER_"
TIMES = ("now", "read_at", "schedule_from", "schedule_to")
REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """One field for each ``WATCHKEEPER_<NAME>`` variable; a secret never appears in ``repr``."""

    home: Path = REPOSITORY
    """This repository; airflow.cfg finds the DAGs by it."""
    models: Path | None = None
    """Folder of model files; every command that watches or shows a model needs it."""
    routes: Path | None = None
    """The routes file, which says who is notified where (examples/routes.yaml is one to copy); empty: everything goes
    to the owners' channel, which is WATCHKEEPER_SLACK_CHANNEL or #model-monitoring, or the terminal without a token."""
    metrics: Path | None = None
    """Folder of the bank's own modules that `metrics` of a model file name; empty: they are found on PYTHONPATH."""
    warehouse: str = "warehouse-data"
    """A folder of Parquet tables, or bigquery://project, or bigquery://project/location."""
    read_at: str = ""
    """Read BigQuery as it was at this ISO time (UTC, at most seven days back); empty: as it is."""
    ledger: str = "sqlite:///watchkeeper.db"
    """SQLAlchemy address of the ledger; may hold a password."""
    site: Path = Path("site")
    """Folder into which the report is written."""
    site_url: str = ""
    """Address under which people open the site; empty: the folder itself."""
    docs_url: str = ""
    """Address of the documentation (``make docs``), for links from incidents to the runbook; empty: no link."""
    publish_to: str = ""
    """Where the site is copied to: another folder, gs://bucket/folder or s3://bucket/folder; empty: nowhere."""
    lineage: str = ""
    """Where OpenLineage events of each watch go: an http(s) address, to which /api/v1/lineage is added, or a file to
    which they are appended, one a line; empty: nowhere."""
    lineage_key: str = field(default="", repr=False)
    """API key for that address, sent as a bearer token."""
    registry: Path = Path("registry")
    """Folder of trained challengers, and of which one is in charge (stages.json)."""
    webhook_secret: str = field(default="", repr=False)
    """Key that signs retraining requests posted to a webhook (Standard Webhooks: whsec_ and base64, or any text)."""
    kubeflow_token: str = field(default="", repr=False)
    slack_token: str = field(default="", repr=False)
    slack_signing_secret: str = field(default="", repr=False)
    """Proves that a press of a button comes from Slack; empty: no button is answered."""
    slack_app_token: str = field(default="", repr=False)
    """An app-level token (xapp-), for buttons over Socket Mode where Slack can't reach the service."""
    slack_channel: str = ""
    """Channel for owners that the routes file doesn't name; empty: the routes file's own default."""
    slack_base_url: str = "https://slack.com/api/"
    api_tokens: str = field(default="", repr=False)
    """Who may use the HTTP API: name:sha256:read or name:sha256:read+write, with commas between; empty: nobody."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The variables ``WATCHKEEPER_SECRET_<NAME>``: the secret of each channel that the routes file names."""
    messages: Path = Path("messages.txt")
    """Where messages go, besides the terminal, when there is no Slack token."""
    heartbeat: Path = Path("heartbeat.json")
    """Written when a watch is completed; look at its age to know that Watchkeeper runs."""
    schedule_from: str = ""
    """First day that Airflow schedules (YYYY-MM-DD), e.g. for a demonstration; empty: from now on."""
    schedule_to: str = ""
    """Last day that Airflow schedules (YYYY-MM-DD); empty: no end."""
    now: str = ""
    """A fixed clock (ISO time, UTC), for demonstrations on days long past."""

    def models_folder(self) -> Path:
        """Return the folder of model files; raise WatchkeeperError where none is set."""
        if self.models is None:
            raise WatchkeeperError(
                "WATCHKEEPER_MODELS is not set: name the folder of your model files; "
                "'watchkeeper init TABLE' writes a first one"
            )
        return self.models

    @property
    def links(self) -> Links:
        """Return the addresses that messages link to."""
        return Links((self.site_url or self.site.resolve().as_uri()).rstrip("/"), self.docs_url.rstrip("/"))


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings; raise WatchkeeperError for a WATCHKEEPER_ variable that doesn't exist, or for no time."""
    given = os.environ if environment is None else environment
    accepted = set(Settings.__dataclass_fields__) - {"secrets"}
    secrets = {name: value for name, value in given.items() if name.startswith(CHANNEL_SECRETS) and value}
    values: dict[str, str | Path] = {}
    for variable in sorted(name for name in given if name.startswith(PREFIX)):
        name = variable.removeprefix(PREFIX).lower()
        if variable.startswith(CHANNEL_SECRETS) or name == "reference_data":  # which the acceptance tests use
            continue
        if name not in accepted:
            names = [f"{PREFIX}{field_name.upper()}" for field_name in sorted(accepted)]
            raise WatchkeeperError(
                f"{variable}: no such setting; accepted are {', '.join(names)}{did_you_mean(variable, names)}"
            )
        if given[variable]:
            if name in TIMES:
                _check_time(variable, given[variable])
            is_path = "Path" in str(Settings.__dataclass_fields__[name].type)
            values[name] = Path(given[variable]) if is_path else given[variable]
    return Settings(**values, secrets=secrets)  # type: ignore[arg-type]  # each value was made of its field's own type above


def _check_time(variable: str, text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise WatchkeeperError(f"{variable}: must be a day or time such as 2026-05-02T06:30, not '{text}'") from None
