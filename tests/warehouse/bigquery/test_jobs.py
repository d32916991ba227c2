"""Statements on BigQuery: on the emulator, and, for what that lacks (bytes, failures), against a local server."""

import logging
import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, date, datetime

import pytest

from models.errors import WatchkeeperError
from tests.warehouse.bigquery import billing_server, emulator
from warehouse.bigquery import jobs as jobs_module
from warehouse.bigquery.jobs import SMALLEST_BILL, Jobs, Purpose, connect_bigquery
from warehouse.bigquery.parameters import bind_parameters
from warehouse.budget import CostAccount

GB = 10**9
WHO = {"model": "card_payments", "step": "profile"}


@pytest.fixture
def billing():
    with billing_server.running() as server:
        yield server


@pytest.fixture
def jobs(billing):
    return Jobs(emulator.client_of(billing.url))


@pytest.fixture
def emulated(bigquery_client):
    return Jobs(bigquery_client)


def test_values_of_every_kind_come_back_as_they_were_bound(emulated):
    values = {
        "text": "o'clock; DROP TABLE x --", "whole": 2**62, "number": 0.1, "truth": True, "day": date(2026, 3, 1),
        "moment": datetime(2026, 3, 1, 9, 30, tzinfo=UTC), "texts": ["a", "b"], "wholes": [1, 2], "numbers": [1, 2.5],
        "days": [date(2026, 3, 1)], "none": [],
    }  # fmt: skip
    text = "SELECT " + ", ".join(f"@{name} AS {name}_" for name in values)
    (row,) = emulated.run(text, values, **WHO).to_pylist()
    assert row == {f"{name}_": value for name, value in values.items()}


def test_a_moment_without_a_time_zone_is_taken_as_utc(emulated):
    naive = datetime(2026, 3, 1, 9, 30, tzinfo=UTC).replace(tzinfo=None)
    (row,) = emulated.run("SELECT @moment AS m", {"moment": naive}, **WHO).to_pylist()
    assert row == {"m": naive.replace(tzinfo=UTC)}


def test_a_truth_is_no_number_and_a_moment_no_day():
    bound = bind_parameters({"a": True, "b": datetime(2026, 3, 1, tzinfo=UTC), "c": [True], "d": []})
    assert [getattr(one, "type_", None) or one.array_type for one in bound] == ["BOOL", "TIMESTAMP", "BOOL", "STRING"]


def test_a_job_says_whose_it_is_where_it_runs_and_what_it_may_bill_at_most(billing, jobs):
    billing.estimate = billing.billed = 4 * GB
    found = jobs.run("SELECT 7 AS n", {"v0": 1}, model="Card Payments", step="profile")
    assert found.to_pydict() == {"n": [7]}
    dry, real = billing.inserted
    assert dry["configuration"]["dryRun"]
    assert real["jobReference"]["location"] == dry["jobReference"]["location"] == "EU"
    (job,) = billing.jobs
    assert job["labels"] == {"watchkeeper": "profile", "model": "card_payments"}
    assert job["query"]["maximumBytesBilled"] == str(round(4.4 * GB))
    assert job["jobTimeoutMs"] == "3600000"
    assert job["query"]["queryParameters"][0]["parameterValue"] == {"value": "1"}


def test_a_label_is_cut_to_what_bigquery_takes():
    labels = Purpose("m" * 64, "Étape 1/2").labels
    assert labels == {"watchkeeper": "_tape_1_2", "model": "m" * 63}


def test_what_a_statement_cost_is_recorded_by_model_and_step(billing, jobs, caplog):
    billing.estimate, billing.billed = 3 * GB, 3 * GB + 1
    with caplog.at_level(logging.INFO, "warehouse.bigquery.jobs"):
        jobs.run("SELECT 7", {}, **WHO, budget=10 * GB)
    jobs.run("SELECT 7", {}, model="app_scams", step="arrive")
    assert [(used.model, used.step, used.estimated, used.billed) for used in jobs.account.used] == [
        ("card_payments", "profile", 3 * GB, 3 * GB + 1),
        ("app_scams", "arrive", 3 * GB, 3 * GB + 1),
    ]
    assert jobs.account.billed("card_payments") == 3 * GB + 1
    assert caplog.messages[:1] == ["card_payments, step profile: reads 3 GB of 10 GB that are left today"]


def test_a_statement_that_the_days_budget_cannot_pay_is_never_run(billing, jobs):
    billing.estimate = billing.billed = 4 * GB
    jobs.run("SELECT 7", {}, **WHO, budget=10 * GB)
    jobs.run("SELECT 7", {}, **WHO, budget=10 * GB)
    with pytest.raises(
        WatchkeeperError,
        match=r"^card_payments, step profile: would bill 4 GB, and 2 GB of the 10 GB a day are left; raise "
        r"budget.bytes_per_day in the model file",
    ):
        jobs.run("SELECT 7", {}, **WHO, budget=10 * GB)
    assert len(billing.jobs) == 2
    jobs.run("SELECT 7", {}, model="app_scams", step="profile", budget=10 * GB)
    assert len(billing.jobs) == 3


def test_what_was_billed_before_this_process_counts_too(billing):
    billing.estimate = 4 * GB
    jobs = Jobs(emulator.client_of(billing.url), CostAccount({"card_payments": 7 * GB}))
    with pytest.raises(WatchkeeperError, match="3 GB of the 10 GB a day are left"):
        jobs.run("SELECT 7", {}, **WHO, budget=10 * GB)


def test_a_job_may_never_bill_more_than_is_left_of_the_budget(billing, jobs):
    billing.estimate = 4 * GB
    jobs.run("SELECT 7", {}, **WHO, budget=int(4.1 * GB))
    assert billing.jobs[0]["query"]["maximumBytesBilled"] == str(int(4.1 * GB))


def test_the_smallest_bill_is_that_of_one_table(billing, jobs):
    billing.estimate = 1
    assert jobs.estimate("SELECT 7", {}, **WHO) == SMALLEST_BILL
    billing.estimate = 0
    assert jobs.estimate("SELECT 7", {}, **WHO) == 0
    assert billing.jobs == []


def test_a_limit_that_bigquery_enforces_is_told_with_what_to_do(billing, jobs):
    billing.job_error = (
        "bytesBilledLimitExceeded",
        "Query exceeded limit for bytes billed: 10. 20 or higher required.",
    )
    with pytest.raises(WatchkeeperError, match=r"profile: BigQuery would bill more than .* raise budget.bytes_per_day"):
        jobs.run("SELECT 7", {}, **WHO)


@pytest.mark.parametrize(
    "failure", [(503, "backendError", "try later"), (429, "rateLimitExceeded", "slow"), (0, "", "")]
)
def test_a_passing_failure_is_tried_again_after_a_pause(billing, jobs, failure):
    billing.fail_next = [failure]
    assert jobs.run("SELECT 7 AS n", {}, **WHO).to_pydict() == {"n": [7]}
    assert len(billing.jobs) == 1


def test_a_job_that_bigquery_lost_is_run_once_more(billing, jobs, monkeypatch):
    billing.job_error = ("jobBackendError", "lost")
    answer = type(billing).answer

    def heals(self, method, path, body):
        found = answer(self, method, path, body)
        if "/queries/" not in path and len(self.jobs) > 1:
            self.job_error = None
            found = answer(self, method, path, body) if method == "GET" else found
        return found

    monkeypatch.setattr(type(billing), "answer", heals)
    assert jobs.run("SELECT 7 AS n", {}, **WHO).to_pydict() == {"n": [7]}
    assert len(billing.jobs) >= 2


def test_a_failure_that_stays_is_told_and_not_tried_for_ever(billing, jobs, monkeypatch):
    monkeypatch.setattr(jobs_module, "RETRY", jobs_module.RETRY.with_timeout(0.5))
    billing.fail_next = [(503, "backendError", "down")] * 100
    with pytest.raises(WatchkeeperError, match=r"profile: BigQuery can't be reached, or failed \(backendError\)"):
        jobs.run("SELECT 7", {}, **WHO)


def test_an_unreachable_bigquery_is_told(monkeypatch):
    monkeypatch.setattr(jobs_module, "RETRY", jobs_module.RETRY.with_timeout(0.5))
    with pytest.raises(WatchkeeperError, match="BigQuery can't be reached"):
        Jobs(emulator.client_of("http://127.0.0.1:9")).run("SELECT 7", {}, **WHO)


def test_a_refused_permission_names_the_table_and_the_roles(billing, jobs):
    said = "Access Denied: Table bank:d.features: User does not have permission to query table bank:d.features."
    billing.fail_next = [(403, "accessDenied", said)]
    with pytest.raises(WatchkeeperError, match=r"no reading of table bank.d.features; .*BigQuery Data Viewer"):
        jobs.run("SELECT 7", {}, **WHO)


def test_a_used_up_quota_is_not_a_refused_permission(billing, jobs):
    billing.fail_next = [(403, "quotaExceeded", "Quota exceeded")]
    with pytest.raises(WatchkeeperError, match=r"quota is used up \(quotaExceeded\)"):
        jobs.run("SELECT 7", {}, **WHO)


def test_a_table_that_is_not_there_is_told_with_the_nearest_one(billing, jobs):
    with pytest.raises(WatchkeeperError, match=r"no such table bank.d.feature in BigQuery; did you mean 'features'\?"):
        jobs.table("d.feature")
    with pytest.raises(WatchkeeperError, match=r"accepted in BigQuery is dataset\.table"):
        jobs.table("features")


def test_a_table_that_the_emulator_lacks_is_told_too(emulated, bigquery_client):
    bigquery_client.create_dataset("absent", exists_ok=True)
    bigquery_client.query("CREATE OR REPLACE TABLE absent.payments (n INT64)").result()
    assert emulated.table("absent.payments").schema[0].name == "n"
    with pytest.raises(
        WatchkeeperError, match=r"no such table bank.absent.payment in BigQuery; did you mean 'payments'"
    ):
        emulated.run("SELECT * FROM absent.payment", {}, **WHO)


def test_a_statement_refused_before_it_reads_shows_bigquerys_words(billing, jobs):
    billing.fail_next = [(400, "invalidQuery", "Unrecognized name: amout_gbp; Did you mean amount_gbp? at [1:8]")]
    with pytest.raises(WatchkeeperError, match="BigQuery refuses the statement: Unrecognized name: amout_gbp"):
        jobs.run("SELECT 7", {}, **WHO)


def test_a_statement_that_fails_on_the_rows_shows_none_of_their_values(billing, jobs):
    billing.job_error = ("invalidQuery", "Bad int64 value: SECRET-ACCOUNT-12345")
    with pytest.raises(
        WatchkeeperError, match=r"gave up on the rows \(invalidQuery\); its own words are at job"
    ) as raised:
        jobs.run("SELECT CAST(x AS INT64) FROM d.t WHERE y = 'SECRET-TEXT'", {"v0": "SECRET-VALUE"}, **WHO)
    assert "SECRET" not in str(raised.value)
    assert raised.value.__suppress_context__


# an interrupted request leaves its connection to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_a_job_is_cancelled_when_we_are_interrupted(billing, jobs, interrupt):
    billing.never_ends = True

    def stop(*_):
        raise interrupt

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(interrupt):
            jobs.run("SELECT 7", {}, **WHO)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert billing.cancelled == [billing.inserted[-1]["jobReference"]["jobId"]]


def test_a_job_that_takes_too_long_is_cancelled_and_told(billing, jobs, monkeypatch):
    billing.never_ends = True
    monkeypatch.setattr(jobs_module, "JOB_SECONDS", 1)
    with pytest.raises(WatchkeeperError, match="profile: BigQuery took too long, and the job was cancelled"):
        jobs.run("SELECT 7", {}, **WHO)
    assert len(billing.cancelled) == 1


def test_a_job_is_cancelled_when_the_program_is_told_to_end(billing):
    billing.never_ends = True
    program = f"""
        from tests.warehouse.bigquery import emulator
        from warehouse.bigquery.jobs import Jobs
        Jobs(emulator.client_of({billing.url!r})).run("SELECT 7", {{}}, model="m", step="s")
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], env=dict(os.environ)) as process:
        assert billing.waited_for.wait(60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
    assert billing.cancelled == [billing.inserted[-1]["jobReference"]["jobId"]]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_what_handled_the_signal_before_still_does(billing, jobs):
    billing.never_ends, told = True, []

    def handler(number, _frame):
        told.append(number)

    before = signal.signal(signal.SIGTERM, handler)
    previous = signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(SystemExit):
            jobs.run("SELECT 7", {}, **WHO)
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGALRM, previous)
    assert told == [signal.SIGTERM]
    assert len(billing.cancelled) == 1


def test_a_library_that_sends_its_own_statements_is_held_to_the_budget(billing, jobs):
    billing.estimate = billing.billed = 4 * GB
    from google.cloud.bigquery import QueryJobConfig

    client = jobs.guarded(Purpose("card_payments", "check", 5 * GB), whole="SELECT * FROM d.t")
    assert [row.n for row in client.query_and_wait("SELECT 7 AS n", job_config=QueryJobConfig())] == [7]
    assert client.project == "bank"
    with pytest.raises(WatchkeeperError, match="step check: would bill 4 GB, and 1 GB"):
        client.query_and_wait("SELECT 7 AS n", job_config=QueryJobConfig())


def test_missing_credentials_are_told_with_where_they_are_looked_for(monkeypatch, tmp_path):
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(WatchkeeperError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        connect_bigquery("bank")


def test_an_emulator_named_as_google_names_it_needs_no_credentials(billing, monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", billing.url)
    assert connect_bigquery("bank", "EU").run("SELECT 7 AS n", {}, **WHO).to_pydict() == {"n": [7]}
