"""A person's approval, by Airflow's own operator, that also keeps who rejected."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context
from airflow.sdk.configuration import conf

ANSWER_KEY = "answer"
"""Key of the XCom with the answer: ``approved``, and ``by`` whom (empty: nobody answered in time)."""


class Approval(ApprovalOperator):
    """Waits for Approve or Reject; Airflow's own returns nothing of a rejection, for it skips what comes after."""

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Keep who answered what, then go on or skip as Airflow does."""
        context["ti"].xcom_push(key=ANSWER_KEY, value=parse_answer(event))
        return super().execute_complete(context, event)


def parse_answer(event: dict[str, Any]) -> dict[str, Any]:
    """Return whether an answer approves and whose it is; an approval without a name is still a person's."""
    approved = event.get("chosen_options") == [ApprovalOperator.APPROVE]
    user = event.get("responded_by_user") or {}
    name = str(user.get("name") or user.get("id") or "")
    return {"approved": approved, "by": name or ("a person without a name" if approved else "")}


def answer_url(dag_id: str, run_id: str, task_id: str) -> str:
    """Return the address of Airflow's page on which a person approves or rejects."""
    base = conf.get("api", "base_url", fallback="") or "http://localhost:8080"
    return f"{base.rstrip('/')}/dags/{dag_id}/runs/{quote(run_id, safe='')}/tasks/{task_id}/required_actions"
