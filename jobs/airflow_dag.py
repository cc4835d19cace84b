"""An Airflow DAG for a nightly job: run, verify and, if a database is named, load. Tested with Airflow 3.3; the imports of 2.7 and later
are tried, too.

Settings come from the environment of the workers:

    RFMILL_JOB        the job file
    RFMILL_OUTPUT     the output folder
    RFMILL_LOAD_TO    database to load into, such as postgres://loader@db/shop?sslmode=verify-full; the password belongs
                      in PGPASSWORD or ~/.pgpass. Without it nothing is loaded.
    RFMILL            the program (rfmill)

The as-of date is the day before the data interval ends, in the DAG's time zone, so a run at half past four counts the
orders up to yesterday, and a backfilled or repeated run counts the same dates as it did then. `as_of` in a manual run's
configuration replaces it. Runs do not overlap, since an output folder has one writer.

Exit codes: Airflow tries again what time can heal, as jobs/nightly.sh does, and also what a signal ended, since workers
come and go. After 9 (nobody knows whether the commit happened) the output is verified before the next try. Everything else
fails at once, without retries. The program never exits with 99, which Airflow would read as "skipped".
"""

import os
import subprocess
from datetime import timedelta

import pendulum

try:  # Airflow 3
    from airflow.sdk import dag, get_current_context, task
    from airflow.sdk.exceptions import AirflowException, AirflowFailException
except ImportError:
    from airflow.decorators import dag, task
    from airflow.exceptions import AirflowException, AirflowFailException
    from airflow.operators.python import get_current_context

TIME_ZONE = "Europe/London"

# Input late, output or database out of reach, memory or disk full, locked, outcome of the commit unknown, signals.
WORTH_A_RETRY = {4, 6, 7, 8, 9, 130, 143}


def rfmill(*arguments: str) -> None:
    """Runs a command of the program; its log goes to the task's log."""
    program = os.environ.get("RFMILL", "rfmill")
    code = subprocess.run([program, *arguments], check=False).returncode
    # Python has -N for a signal N, shells have 128 + N.
    code = 128 - code if code < 0 else code
    if code == 0:
        return
    if code == 9:
        subprocess.run([program, "verify", os.environ["RFMILL_OUTPUT"], "--log-format", "json"], check=False)
    # The URL of a database stays out of the message.
    message = f"rfmill {arguments[0]} ended with exit {code}; see the log above"
    raise AirflowException(message) if code in WORTH_A_RETRY else AirflowFailException(message)


def as_of_date(context: dict) -> str:
    """The last date that a run counts."""
    given = context["dag_run"].conf.get("as_of") if context["dag_run"].conf else None
    if given:
        return given
    end = context.get("data_interval_end") or pendulum.now(TIME_ZONE)
    return end.in_timezone(TIME_ZONE).subtract(days=1).to_date_string()


@dag(
    dag_id="rfmill_nightly",
    schedule="30 4 * * *",
    start_date=pendulum.datetime(2024, 1, 1, tz=TIME_ZONE),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    doc_md=__doc__,
)
def rfmill_nightly() -> None:
    @task
    def run() -> None:
        as_of = as_of_date(get_current_context())
        output = os.environ["RFMILL_OUTPUT"]
        rfmill("run", os.environ["RFMILL_JOB"], "--as-of", as_of, "--output", output, "--log-format", "json")

    @task
    def verify() -> None:
        rfmill("verify", os.environ["RFMILL_OUTPUT"], "--log-format", "json")

    @task
    def load() -> None:
        if target := os.environ.get("RFMILL_LOAD_TO"):
            rfmill("load", os.environ["RFMILL_OUTPUT"], "--to", target, "--log-format", "json")

    run() >> verify() >> load()


nightly = rfmill_nightly()
