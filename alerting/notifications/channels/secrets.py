"""Where a channel's secret stands: an environment variable, or an Airflow connection; never the routes file."""

from __future__ import annotations

CHANNEL_SECRETS = "WATCHKEEPER_SECRET_"
"""Before the name of a channel, in capitals and with _ for -: the environment variable of its secret."""


def secret_variable(name: str) -> str:
    """Return the environment variable of a channel's secret."""
    return f"{CHANNEL_SECRETS}{name.upper().replace('-', '_')}"


def connection_id(name: str) -> str:
    """Return the Airflow connection whose password is a channel's secret where its variable isn't set."""
    return f"watchkeeper_{name.replace('-', '_')}"
