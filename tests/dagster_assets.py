"""`jobs/dagster_assets.py` in Dagster itself: partitions are as-of dates, and every exit code has its end.

    python tests/dagster_assets.py PATH/TO/rfmill        (needs dagster and benches/requirements.txt's duckdb)

Runs the job over sample orders for two dates and the first of them again, holds the tables against DuckDB's count of the orders,
and lets a stand-in for the program end with each exit code.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import dagster as dg
import duckdb

sys.path.insert(0, str(Path(__file__).parent.parent / "jobs"))
import dagster_assets as jobs

JOB = """name = "nightly"
[orders]
path = "orders/*.parquet"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
[periods]
as_of = [2024-12-31]
[output]
path = "out"
"""


def materialise(date: str) -> dg.ExecuteInProcessResult:
    return dg.materialize([jobs.rfm_tables, jobs.rfm_database], partition_key=date, raise_on_error=False)


def nights(rfmill: Path, home: Path) -> None:
    subprocess.run([rfmill, "sample", home / "orders", "--orders", "20000", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    (home / "job.toml").write_text(JOB)
    os.environ |= {"RFMILL": str(rfmill), "RFMILL_JOB": str(home / "job.toml"), "RFMILL_OUTPUT": str(home / "out")}
    for date in ("2024-12-30", "2024-12-31", "2024-12-30"):
        result = materialise(date)
        assert result.success, date
        (made,) = result.asset_materializations_for_node("rfm_tables")
        rows = made.metadata["dagster/row_count"].value
        [(counted,)] = duckdb.sql(f"""SELECT count(DISTINCT customer_id) FROM '{home}/orders/*.parquet'
            WHERE ordered_at::DATE <= '{date}' AND amount >= 0""").fetchall()
        [(written,)] = duckdb.sql(f"SELECT count(*) FROM '{home}/out/tables/customers/as_of={date}/*.parquet'").fetchall()
        assert written == counted and rows > counted, (date, written, counted, rows)
    assert len(list((home / "out" / "tables" / "customers").iterdir())) == 2


def ends(home: Path) -> None:
    """A stand-in that notes its calls and ends with a code."""
    program, calls = home / "rfmill", home / "calls"
    os.environ |= {"RFMILL": str(program), "RFMILL_WAIT_SECONDS": "0"}
    for code in range(1, 10):
        program.write_text(f'#!/bin/sh\necho "$1" >>"{calls}"\nexit {code}\n')
        program.chmod(0o755)
        calls.unlink(missing_ok=True)
        assert not materialise("2024-12-31").success
        tries = calls.read_text().split()
        expected = jobs.TRIES if code in (4, 6, 7, 8, 9) else 1
        assert tries == ["run"] * expected, (code, tries)


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="rfmill-dagster-") as folder:
        home = Path(folder)
        nights(Path(sys.argv[1]).resolve(), home)
        ends(home)
    (schedule,) = jobs.defs.get_repository_def().schedule_defs
    assert schedule.job_name == "rfmill_nightly" and schedule.cron_schedule == "30 4 * * *", schedule
    print(f"ok: Dagster {dg.__version__}: three runs of two dates, nine exit codes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
