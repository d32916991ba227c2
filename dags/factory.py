"""The DAGs of one model: ``watch__<model>`` runs every day, ``retrain__<model>`` when its asset asks for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, AssetAlias, CronDataIntervalTimetable, dag, task
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from dags.approval import ANSWER_KEY, Approval, answer_url
from dags.day import day_of_run
from dags.wait import PartitionWait
from models.spec import Spec
from watchkeeper.settings import Settings


def retraining_asset(model: str) -> Asset:
    """Return the asset whose events ask for a model's retraining."""
    return Asset(name=f"retraining__{model}", uri=f"x-watchkeeper://retraining/{model}", group="watchkeeper")


def make_watch_dag(spec: Spec, settings: Settings) -> None:
    """Make the DAG that watches one model: wait -> watch -> publish and notify, one run a day."""
    requests = AssetAlias(f"requests__{spec.model}")

    @dag(
        dag_id=f"watch__{spec.model}",
        description=f"Watch {spec.name}",
        schedule=CronDataIntervalTimetable(spec.schedule.cron, timezone=spec.schedule.timezone),
        start_date=_schedule_bound(settings.schedule_from) or datetime(2026, 1, 1, tzinfo=UTC),
        end_date=_schedule_bound(settings.schedule_to, hours=24),
        catchup=bool(settings.schedule_from),
        max_active_runs=1,
        tags=["watchkeeper", f"tier {spec.tier}", spec.owner],
        default_args=_default_args(spec),
        deadline=_deadline(spec),
    )
    def watch_one() -> None:
        wait = PartitionWait(task_id="wait", model=spec.model)

        @task(task_id="watch", outlets=[requests])
        def run_watch(*, outlet_events: Any = None, **context: Any) -> str:
            from dags import steps  # noqa: PLC0415  the heavy imports belong to the task

            live = context["dag_run"].run_type != "backfill"
            decision = steps.watch_day(spec.model, day_of_run(context, spec.schedule.timezone), live=live)
            if decision is None:
                return "backfilled"
            if decision.verdict == "requested":
                outlet_events[requests].add(retraining_asset(spec.model), extra=steps.request_as_extra(decision))
            return f"retraining {decision.verdict}"

        @task(task_id="publish")
        def run_publish(**context: Any) -> str:
            from dags import steps  # noqa: PLC0415

            return steps.publish_day(spec.model, day_of_run(context, spec.schedule.timezone))

        @task(task_id="notify")
        def run_notify() -> str:
            from dags import steps  # noqa: PLC0415

            return steps.deliver_messages(spec.model)

        @task(task_id="shadow")
        def run_shadow(**context: Any) -> str:
            from dags import steps  # noqa: PLC0415

            if context["dag_run"].run_type == "backfill":
                return "backfilled"
            return steps.end_shadow(spec.model, day_of_run(context, spec.schedule.timezone))

        watched = wait >> run_watch()
        if spec.retraining.shadow_days:
            watched = watched >> run_shadow()
        watched >> [run_publish(), run_notify()]

    watch_one()


def make_retrain_dag(spec: Spec) -> None:
    """Make the DAG that answers a model's requests: request (-> announce -> approve) -> retrain -> finish.

    It reads the open request from the ledger, so that an event that comes twice, or two merged into one run, do
    no harm; without an open request every task is skipped. Where a person must approve, the incident's message says
    so and where; a rejection, or no answer within ``approval_hours``, is recorded and notified, and the champion stays.
    """

    @dag(
        dag_id=f"retrain__{spec.model}",
        description=f"Train, judge and perhaps promote a challenger of {spec.name}",
        schedule=[retraining_asset(spec.model)],
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        max_active_runs=1,
        tags=["watchkeeper", "retraining", spec.owner],
        default_args=_default_args(spec),
    )
    def retrain_one() -> None:
        @task.short_circuit(task_id="request")
        def read_request() -> dict[str, Any] | None:
            from dags import steps  # noqa: PLC0415

            return steps.waiting_request(spec.model)

        @task(task_id="announce")
        def run_announce(*, ti: Any = None) -> str:
            from dags import steps  # noqa: PLC0415

            return steps.ask_approval(spec.model, answer_url(ti.dag_id, ti.run_id, "approve"))

        @task(task_id="retrain")
        def run_retraining(*, ti: Any = None) -> str:
            from dags import steps  # noqa: PLC0415

            request = ti.xcom_pull(task_ids="request")["request"]
            return steps.run_retraining(
                spec.model, request, (ti.xcom_pull(task_ids="approve", key=ANSWER_KEY) or {}).get("by", "")
            )

        @task(task_id="finish", trigger_rule="none_failed")
        def run_finish(*, ti: Any = None) -> str:
            from dags import steps  # noqa: PLC0415

            answer = ti.xcom_pull(task_ids="approve", key=ANSWER_KEY)
            if answer is not None and not answer["approved"]:
                steps.refuse_request(spec.model, ti.xcom_pull(task_ids="request")["request"], answer["by"])
            steps.publish_model(spec.model)
            return steps.deliver_messages(spec.model)

        chain = read_request()
        if spec.retraining.approval == "required":
            announced = chain >> run_announce()
            approve = Approval(
                task_id="approve",
                subject=f"Retrain {spec.name}?",
                body=APPROVAL_BODY,
                defaults=Approval.REJECT,
                response_timeout=timedelta(hours=spec.retraining.approval_hours),
            )
            chain = announced >> approve
        chain >> run_retraining() >> run_finish()

    retrain_one()


WATCHED_WITHIN = timedelta(hours=24)
"""From when a run is queued: by the next one the last must be over, however long it waited for its partition."""


def _deadline(spec: Spec) -> DeadlineAlert:
    given = {"model": spec.model, "timezone": spec.schedule.timezone}
    callback = SyncCallback("dags.late.notify_not_watched", kwargs=given)
    return DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, WATCHED_WITHIN, callback, name="not watched in time")


APPROVAL_BODY = """{% set request = ti.xcom_pull(task_ids='request') -%}
{% for reason in request.reasons %}- {{ reason }}
{% endfor %}
| | |
|---|---|
| Learn from | {{ request.fit_from }} to {{ request.fit_to }} |
| Without | {{ request.excluded | join(', ') or 'no day left out' }} |
| Judge on | the days after, up to {{ request.evaluate_to }} |
| May win back | GBP {{ '{:,.0f}'.format(request.gain_gbp_per_day or 0) }} a day at most |
| Incident | {{ request.incident }} |
"""


def _default_args(spec: Spec) -> dict[str, Any]:
    return {"owner": spec.owner, "retries": 2, "retry_delay": timedelta(minutes=1)}


def _schedule_bound(day: str, hours: int = 0) -> datetime | None:
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(hours=hours) if day else None
