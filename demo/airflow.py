"""A real Airflow of one's own: started in its process group, asked over its REST API, stopped as a whole."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

REPOSITORY = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def airflow_environment(home: Path, port: int, watchkeeper: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of an Airflow that keeps all in ``home``; its secrets are made once and stay there."""
    home.mkdir(parents=True, exist_ok=True)
    kept = home / "secrets.json"
    if not kept.exists():
        names = ("AIRFLOW_SECRET_KEY", "AIRFLOW_JWT_SECRET")
        made = {name: secrets.token_urlsafe(64) for name in names}
        made["AIRFLOW_FERNET_KEY"] = urlsafe_b64encode(secrets.token_bytes(32)).decode()
        kept.touch(mode=0o600)
        kept.write_text(json.dumps(made))
    return {
        **os.environ,
        **json.loads(kept.read_text()),
        **watchkeeper,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONFIG": str(REPOSITORY / "airflow.cfg"),
        "AIRFLOW_DATABASE": f"sqlite:///{home}/airflow.db",
        "AIRFLOW_PORT": str(port),
        "AIRFLOW__API__HOST": "127.0.0.1",  # everybody on this machine is its administrator; nobody else is to reach it
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "WATCHKEEPER_HOME": str(REPOSITORY),
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


@dataclass
class Airflow:
    """A running ``airflow standalone``: scheduler, API server, DAG processor and triggerer, SQLite, LocalExecutor."""

    home: Path
    port: int
    pid: int
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, home: Path, watchkeeper: Mapping[str, str]) -> Airflow:
        """Start it in a session of its own and return at once."""
        port = free_port()
        given = airflow_environment(home, port, watchkeeper)
        with (home / "airflow.log").open("ab") as log:
            process = subprocess.Popen(
                [str(Path(sys.executable).parent / "airflow"), "standalone"],
                env=given,
                cwd=home,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(home, port, process.pid, process)

    @property
    def url(self) -> str:
        """Return where its web page is."""
        return f"http://localhost:{self.port}"

    def stop(self) -> None:
        """Stop every process of its group: the parent alone would leave the others running."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.pid, sign)
            except ProcessLookupError:
                break
            time.sleep(3)
        if self.process is not None:
            self.process.wait()

    def wait_until_healthy(self, limit_seconds: float = 120) -> None:
        """Return when scheduler and database answer; raise TimeoutError with the end of its log otherwise."""
        until = time.monotonic() + limit_seconds
        while time.monotonic() < until:
            try:
                health = self.ask("/api/v2/monitor/health")
                if health["scheduler"]["status"] == "healthy" and health["metadatabase"]["status"] == "healthy":
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass  # it isn't up yet
            time.sleep(1)
        raise TimeoutError(f"Airflow was not healthy after {limit_seconds:.0f} s; its log ends:\n{self.log_end()}")

    def log_end(self) -> str:
        """Return the last lines that it logged."""
        return (self.home / "airflow.log").read_text(errors="replace")[-2000:]

    def ask(self, path: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
        """Return what its REST API answers."""
        headers = {"Content-Type": "application/json"}
        if not path.startswith("/api/v2/monitor"):
            headers["Authorization"] = f"Bearer {self._token()}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}{path}", data=data, headers=headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  our own address
            return json.load(answer)

    def _token(self) -> str:
        with urllib.request.urlopen(f"{self.url}/auth/token", timeout=30) as answer:  # noqa: S310
            return str(json.load(answer)["access_token"])

    def logical_day(self, dag_id: str, run_id: str) -> str:
        """Return the day a run is about: the start of its data interval, or when it was asked for."""
        run = self.ask(f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id)}")
        return str(run["data_interval_start"] or run["run_after"])[:10]

    def runs(self, dag_id: str) -> dict[str, str]:
        """Return the state of each run of a DAG, by run id; none for a DAG it doesn't know yet."""
        try:
            found = self.ask(f"/api/v2/dags/{dag_id}/dagRuns?limit=100")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return {}
            raise
        return {run["dag_run_id"]: run["state"] for run in found["dag_runs"]}
