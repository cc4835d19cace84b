"""Dagster assets for a nightly job: a partition is an as-of date, which is run, verified and, if a database is named, loaded.

Settings come from the environment of the code location:

    RFMILL_JOB        the job file
    RFMILL_OUTPUT     the output folder
    RFMILL_LOAD_TO    database to load into, such as postgres://loader@db/shop?sslmode=verify-full; the password belongs
                      in PGPASSWORD or ~/.pgpass. Without it nothing is loaded.
    RFMILL            the program (rfmill)

The schedule materialises yesterday's partition at half past four in TIME_ZONE, and a backfill any others; what is committed
already is recognised and not computed again. An output has one writer: give the pool `rfmill` the limit 1. What time can heal
is tried again, as jobs/nightly.sh does; everything else fails at once.
"""

import json
import os
import subprocess

import dagster as dg

TIME_ZONE = "Europe/London"

# Input late, output or database out of reach, memory or disk full, locked, outcome of the commit unknown, signals.
WORTH_A_RETRY = {4, 6, 7, 8, 9, 130, 143}
TRIES = 4

dates = dg.DailyPartitionsDefinition(start_date="2024-01-01", timezone=TIME_ZONE)


def rfmill(*arguments: str) -> str:
    """Runs a command of the program, whose log goes to that of the run; what it printed."""
    done = subprocess.run([os.environ.get("RFMILL", "rfmill"), *arguments], check=False, stdout=subprocess.PIPE, text=True)
    # Python has -N for a signal N, shells have 128 + N.
    code = 128 - done.returncode if done.returncode < 0 else done.returncode
    if code == 0:
        return done.stdout
    # The URL of a database stays out of the message.
    message = f"rfmill {arguments[0]} ended with exit {code}; see the log above"
    if code in WORTH_A_RETRY:
        raise dg.RetryRequested(max_retries=TRIES - 1, seconds_to_wait=float(os.environ.get("RFMILL_WAIT_SECONDS", "300"))) from RuntimeError(message)
    raise dg.Failure(message, allow_retries=False)


@dg.asset(partitions_def=dates, pool="rfmill", kinds={"parquet"})
def rfm_tables(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Customers with their scores and states, segments, transitions: tables below RFMILL_OUTPUT."""
    output = os.environ["RFMILL_OUTPUT"]
    printed = rfmill("run", os.environ["RFMILL_JOB"], "--as-of", context.partition_key, "--output", output, "--quiet", "--format", "json")
    rfmill("verify", output, "--log-format", "json")
    said = json.loads(printed)
    states = {f"{state['scheme']}/{state['state']}": state["customers"] for state in said["states"]}
    return dg.MaterializeResult(metadata={"run_id": said["run_id"], "dagster/row_count": said["table_rows"], **states})


@dg.asset(partitions_def=dates, pool="rfmill", deps=[rfm_tables], kinds={"postgres"})
def rfm_database() -> None:
    """The same tables in the database that RFMILL_LOAD_TO names."""
    if target := os.environ.get("RFMILL_LOAD_TO"):
        rfmill("load", os.environ["RFMILL_OUTPUT"], "--to", target, "--log-format", "json")


nightly = dg.define_asset_job("rfmill_nightly", selection=[rfm_tables, rfm_database])

defs = dg.Definitions(
    assets=[rfm_tables, rfm_database],
    jobs=[nightly],
    schedules=[dg.build_schedule_from_partitioned_job(nightly, hour_of_day=4, minute_of_hour=30)],
)
