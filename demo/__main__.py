"""``python -m demo run | up | down``: build the bank, backfill its history, let Airflow run the last days, show all."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from demo.airflow import REPOSITORY, Airflow, free_port
from demo.compare import compare_with_script
from ledger.records.messages import Message
from ledger.store import Ledger

MODELS = ("card_payments", "app_scams", "account_opening")
WATCHED_FROM, LIVE_FROM, LAST_DAY = date(2026, 3, 1), date(2026, 4, 28), date(2026, 4, 30)
LIVE_DAYS = (LAST_DAY - LIVE_FROM).days + 1
FOLDER = REPOSITORY / ".demo"
console = Console(highlight=False, soft_wrap=True, width=max(100, Console().width))


def demo_settings(folder: Path) -> dict[str, str]:
    """Return the demonstration's settings: everything in one folder, no cloud, messages to a file."""
    return {
        "WATCHKEEPER_MODELS": str(REPOSITORY / "demo" / "models"),
        "WATCHKEEPER_WAREHOUSE": str(folder / "bank"),
        "WATCHKEEPER_LEDGER": f"sqlite:///{folder}/ledger.db",
        "WATCHKEEPER_SITE": str(folder / "site"),
        "WATCHKEEPER_REGISTRY": str(folder / "registry"),
        "WATCHKEEPER_MESSAGES": str(folder / "messages.txt"),
        "WATCHKEEPER_HEARTBEAT": str(folder / "heartbeat.json"),
        "WATCHKEEPER_SCHEDULE_FROM": str(LIVE_FROM),
        "WATCHKEEPER_SCHEDULE_TO": str(LAST_DAY),
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def run_demo(folder: Path) -> int:
    """Run the demonstration from nothing; return 0 when the incidents are exactly the scripted ones."""
    began = time.monotonic()
    stop_started(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _print_step(began, "1/4 building a miniature bank: 3 models x 120 days, with a month of trouble")
    _run_python("-m", "simulator", "--to", str(folder / "bank"), "--script", "demo", folder=folder)
    _print_step(began, f"2/4 watching its history, {WATCHED_FROM} to {LIVE_FROM}, notifying nobody")
    _backfill_history(folder, began)
    _print_step(began, f"3/4 Airflow watches the last {LIVE_DAYS} days of each model, and retrains where asked")
    airflow = Airflow.start(folder / "airflow", demo_settings(folder))
    try:
        airflow.wait_until_healthy()
        _follow_airflow(airflow, began)
    finally:
        airflow.stop()
    _print_step(began, "4/4 publishing the whole site")
    _run_watchkeeper("site", folder=folder)
    return _show_results(folder, began)


def start_browsing(folder: Path) -> int:
    """Keep Airflow and the site running for browsing, after a demonstration."""
    if not (folder / "ledger.db").exists():
        console.print("nothing to show yet: run `make demo` first", style="red")
        return 2
    stop_started(folder)
    airflow = Airflow.start(folder / "airflow", demo_settings(folder))
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder / "site")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (folder / "running.json").write_text(json.dumps([airflow.pid, server.pid]))
    airflow.wait_until_healthy()
    console.print(f"Airflow: {airflow.url}\nreport:  http://localhost:{port}\n`make down` stops both, and only them")
    return 0


def stop_started(folder: Path) -> int:
    """Stop what ``start_browsing`` started, and nothing else."""
    running = folder / "running.json"
    if running.exists():
        for pid in json.loads(running.read_text()):
            Airflow(folder, 0, pid).stop()
        running.unlink()
        console.print("stopped")
    return 0


def _backfill_history(folder: Path, began: float) -> None:
    """Watch the models' histories side by side, and show how many days are done."""
    last = date.fromordinal(LIVE_FROM.toordinal() - 1)
    span = ("--from", str(WATCHED_FROM), "--to", str(last), "--no-site")
    ledger = Ledger.open(demo_settings(folder)["WATCHKEEPER_LEDGER"])
    columns = (TextColumn("    days watched"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with ThreadPoolExecutor(len(MODELS)) as pool, Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(MODELS) * (LIVE_FROM - WATCHED_FROM).days)
        models = [
            pool.submit(_run_watchkeeper, "backfill", "--model", model, *span, folder=folder, capture=True)
            for model in MODELS
        ]
        while not all(model.done() for model in models):
            progress.update(task, completed=len(ledger.runs()))
            time.sleep(1)
        progress.update(task, completed=len(ledger.runs()))
    for model in models:
        model.result()
    _print_step(began, f"    {len(ledger.runs())} days watched")


def _follow_airflow(airflow: Airflow, began: float, limit_seconds: float = 400) -> None:
    """Show each DAG run's state as it changes, until the last days are watched and the retraining has ended."""
    dags = [f"watch__{model}" for model in MODELS] + ["retrain__app_scams"]
    wanted = dict.fromkeys(dags, LIVE_DAYS) | {"retrain__app_scams": 1}
    known: dict[tuple[str, str], str] = {}
    until = time.monotonic() + limit_seconds
    while time.monotonic() < until:
        states = {(dag, name): state for dag in dags for name, state in airflow.runs(dag).items()}
        for (dag, name), state in states.items():
            if known.get((dag, name)) != state and state in ("success", "failed"):
                _print_step(began, f"    {dag} of {airflow.logical_day(dag, name)}: {state}")
        known = states
        ended = [dag for (dag, _), state in states.items() if state in ("success", "failed")]
        if all(ended.count(dag) >= count for dag, count in wanted.items()):
            failed = sorted(dag for (dag, _), state in states.items() if state == "failed")
            if failed:
                raise RuntimeError(f"{', '.join(failed)} failed; see {airflow.home}/logs")
            return
        time.sleep(2)
    raise TimeoutError(f"Airflow did not end in {limit_seconds:.0f} s; its log is {airflow.home}/airflow.log")


def _show_results(folder: Path, began: float) -> int:
    console.rule("What Slack would show now: one message per incident, with its history in the thread")
    _show_messages(folder)
    console.rule("Retraining")
    _show_retraining(folder)
    console.rule("Incidents")
    found = json.loads(_run_watchkeeper("incidents", "--json", folder=folder, capture=True))
    problems = compare_with_script(found, console)
    for problem in problems:
        console.print(problem, style="red", markup=False)
    verdict = (
        "the incidents are exactly the scripted ones"
        if not problems
        else f"{len(problems)} differences from the script"
    )
    _print_step(began, verdict)
    console.print(f"\nreport: {folder / 'site' / 'index.html'}")
    console.print("`make up` keeps Airflow and the report running for browsing; `make down` stops them")
    return 1 if problems else 0


def _show_messages(folder: Path) -> None:
    """Print each incident's message as it reads now, and what was noted in its thread."""
    ledger = Ledger.open(demo_settings(folder)["WATCHKEEPER_LEDGER"])
    by_incident: dict[str, list[Message]] = {}
    for message in ledger.messages():
        by_incident.setdefault(message.incident, []).append(message)
    for messages in by_incident.values():
        console.print(messages[-1].text, markup=False)
        for message in messages:
            if message.thread_note:
                console.print(f"    ↳ {message.day}: {message.thread_note}", markup=False, style="dim")
        console.print()


def _show_retraining(folder: Path) -> None:
    """Print what was decided on the live days, once where it stays the same, and what became of each request."""
    ledger = Ledger.open(demo_settings(folder)["WATCHKEEPER_LEDGER"])
    first_reasons: dict[tuple[str, str], str] = {}
    for decision in ledger.decisions():
        first_reasons.setdefault(
            (decision.model, decision.verdict), f"on {decision.day}: {'; '.join(decision.reasons)}"
        )
    for (model, verdict), why in first_reasons.items():
        console.print(f"{model}: {verdict} {why}", markup=False)
    for outcome in ledger.retraining_outcomes():
        judged = f"judged on {outcome.evaluated_from} to {outcome.evaluated_to}, unseen"
        console.print(f"{outcome.model}: {outcome.outcome}, {judged}: {'; '.join(outcome.reasons)}", markup=False)


def _print_step(began: float, text: str) -> None:
    console.print(f"[{time.monotonic() - began:5.0f} s] {text}", markup=False)


def _run_python(*arguments: str, folder: Path, capture: bool = False) -> str:
    """Run Python in the demonstration's settings; what is captured is shown only when it fails."""
    into = subprocess.PIPE if capture else None
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **demo_settings(folder)},
        cwd=REPOSITORY,
        check=False,
        stdout=into,
        stderr=into,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}\n{done.stderr or ''}")
    return done.stdout or ""


def _run_watchkeeper(*arguments: str, folder: Path, capture: bool = False) -> str:
    return _run_python("-m", "watchkeeper", *arguments, folder=folder, capture=capture)


def main(arguments: Sequence[str]) -> int:
    """Run the named command; without one, the whole demonstration."""
    commands = {"run": run_demo, "up": start_browsing, "down": stop_started}
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("command", nargs="?", choices=commands, default="run", help="the whole demonstration (run)")
    command = parser.parse_args(arguments).command
    try:
        return commands[command](FOLDER)
    except (RuntimeError, TimeoutError) as error:
        console.print(str(error), style="red", markup=False)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
