"""Airflow's API server serves Watchkeeper's API and Slack's buttons too, under /watchkeeper.

What Airflow mounts it doesn't protect: the app lets nobody in by itself (``service.guard``).
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.plugins_manager import AirflowPlugin

log = logging.getLogger(__name__)


class WatchkeeperPlugin(AirflowPlugin):
    """Mounts the app; every other part of Airflow loads this file too, so the app is made when it is asked for."""

    name = "watchkeeper"

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]  # made when asked for
        """Return the app and its place; nothing, with a line in the log, where our settings can't be used."""
        from models.errors import WatchkeeperError  # noqa: PLC0415
        from service.app import create_app  # noqa: PLC0415
        from service.app_state import AppState  # noqa: PLC0415
        from service.perform import make_deliverer, make_performer  # noqa: PLC0415
        from watchkeeper.settings import read_settings  # noqa: PLC0415

        try:
            settings = read_settings()
            app_state = AppState(settings)
            app = create_app(settings, make_performer(app_state), make_deliverer(app_state))
        except WatchkeeperError:
            log.exception("Watchkeeper's API isn't served")
            return []
        return [{"app": app, "url_prefix": "/watchkeeper", "name": "watchkeeper"}]
