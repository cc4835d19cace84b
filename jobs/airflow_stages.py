"""An Airflow DAG for a job in stages: every task of a stage is a mapped task, which Airflow places and tries again.

Settings come from the environment of the workers, which all see the job, its inputs and the work place:

    RFMILL_JOB        the job file
    RFMILL_WORK       place for what passes between stages, such as s3://bucket/work; each run has a place of its own below it
    RFMILL_SHARDS     shards of customers (16)
    RFMILL            the program (rfmill)

The as-of date is the one of jobs/airflow_dag.py. Tasks that end with 2 or 3 (a wrong job, data that break their contract) fail
at once; all others are tried again. What a run leaves in its work place can go once it is committed, as by a rule of the bucket.
"""

import json
import os
import re
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

# In their order; only some jobs need the first two.
STAGES = ["prepare", "exclude", "scan", "names", "distributions", "cuts", "parts"]

FINAL = {2, 3}


def rfmill(*arguments: str) -> str:
    """Runs a command of the program, whose log goes to the task's log; what it printed."""
    program = os.environ.get("RFMILL", "rfmill")
    done = subprocess.run([program, *arguments, "--log-format", "json"], check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return done.stdout
    message = f"rfmill {' '.join(arguments[:2])} ended with exit {done.returncode}; see the log above"
    raise AirflowFailException(message) if done.returncode in FINAL else AirflowException(message)


def as_of_date(context: dict) -> str:
    """The last date that a run counts."""
    given = context["dag_run"].conf.get("as_of") if context["dag_run"].conf else None
    if given:
        return given
    end = context.get("data_interval_end") or pendulum.now(TIME_ZONE)
    return end.in_timezone(TIME_ZONE).subtract(days=1).to_date_string()


@dag(
    dag_id="rfmill_stages",
    schedule="30 4 * * *",
    start_date=pendulum.datetime(2024, 1, 1, tz=TIME_ZONE),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5), "trigger_rule": "none_failed"},
    doc_md=__doc__,
)
def rfmill_stages() -> None:
    @task
    def plan() -> dict:
        as_of = as_of_date(get_current_context())
        run_of_dag = re.sub(r"[^A-Za-z0-9]+", "-", get_current_context()["dag_run"].run_id)
        work = f"{os.environ['RFMILL_WORK']}/{as_of}-{run_of_dag}"
        shards = os.environ.get("RFMILL_SHARDS", "16")
        planned = rfmill("stage", "plan", os.environ["RFMILL_JOB"], "--as-of", as_of, "--shards", shards, "--work", work)
        return {"work": work, "tasks": {stage["stage"]: stage["tasks"] for stage in json.loads(planned)["stages"]}}

    @task
    def tasks_of(planned: dict, stage: str) -> list:
        return [{"work": planned["work"], "number": number} for number in range(planned["tasks"].get(stage, 0))]

    @task
    def run(stage: str, which: dict) -> None:
        rfmill("stage", stage, "--work", which["work"], "--task", str(which["number"]))

    @task
    def finish(planned: dict) -> None:
        if "finish" in planned["tasks"]:
            rfmill("stage", "finish", "--work", planned["work"])

    planned = before = plan()
    for stage in STAGES:
        which = tasks_of.override(task_id=f"tasks_of_{stage}")(planned, stage)
        ran = run.override(task_id=stage).partial(stage=stage).expand(which=which)
        before >> which
        before = ran
    before >> finish(planned)


stages = rfmill_stages()
