"""A dbt project with our sources.yml builds on DuckDB.

    python tests/dbt_build.py PATH/TO/rfmill        (needs dbt-core==1.11.16 and dbt-duckdb==1.11.1)

Makes the quickstart sample, writes `sources.yml` from its job, adds a model per source and the models and metrics of sql/dbt to the
project in tests/dbt, and runs `dbt build` there: models, tests of the models, and tests that come with the sources. dbt must know
every metric, with no measure that adds over dates.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

PROJECT = Path(__file__).parent / "dbt"
METRICS = Path(__file__).parent.parent / "sql" / "dbt"


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rfmill = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="rfmill-dbt-") as folder:
        home = Path(folder)
        subprocess.run([rfmill, "quickstart", home, "--orders", "50000", "--quiet"], check=True)
        subprocess.run([rfmill, "run", home / "quickstart.toml", "--as-of", "2025-01-31", "--quiet"], check=True)
        printed = subprocess.run(
            [rfmill, "schema", "--tables", home / "quickstart.toml", "--format", "dbt"], check=True, capture_output=True, text=True
        ).stdout
        project = home / "project"
        shutil.copytree(PROJECT, project)
        shutil.copytree(METRICS, project / "models" / "rfmill")
        (project / "models" / "sources.yml").write_text(printed)
        tables = [line.split()[-1] for line in printed.splitlines() if line.startswith("      - name: ")]
        written = sorted(path.name for path in (home / "out" / "tables").iterdir())
        assert set(written) <= set(tables), f"sources.yml has {tables}, the run wrote {written}"
        for table in written:
            model = f"select count(*) as row_count from {{{{ source('rfmill', '{table}') }}}}\n"
            (project / "models" / f"count_{table}.sql").write_text(model)
        build(project, home)
        check(home, written)
        check_metrics(project, home)
    print("The dbt project builds.")
    return 0


def build(project: Path, home: Path) -> None:
    environment = os.environ | {"RFMILL_DBT_DATABASE": str(home / "dbt.duckdb"), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    dbt = Path(sys.executable).with_name("dbt")
    command = [dbt, "--no-use-colors", "--warn-error", "build", "--profiles-dir", ".", "--vars", f"{{rfmill_output: {home / 'out'}}}"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout.strip().splitlines()[-1])


def check(home: Path, tables: list[str]) -> None:
    built = duckdb.connect(str(home / "dbt.duckdb"), read_only=True)
    for table in tables:
        files = f"read_parquet('{home}/out/tables/{table}/**/*.parquet', hive_partitioning = true)"
        want = duckdb.sql(f"select count(*) from {files}").fetchall()[0]
        got = built.sql(f"select row_count from count_{table}").fetchall()[0]
        assert got == want, f"{table}: dbt counts {got}, the files hold {want}"
    today = built.sql("select count(*), count(distinct as_of), max(as_of)::varchar from customers_today").fetchall()[0]
    assert today[0] > 0 and today[1:] == (1, "2025-01-31"), today


def check_metrics(project: Path, home: Path) -> None:
    known = json.loads((project / "target" / "semantic_manifest.json").read_text())
    names = sorted(metric["name"] for metric in known["metrics"])
    assert {"rfmill_customers", "rfmill_revenue_at_risk", "rfmill_share_at_risk"} <= set(names) and len(names) == 7, names
    (model,) = known["semantic_models"]
    for measure in model["measures"]:
        assert measure["non_additive_dimension"]["name"] == "as_of", f"{measure['name']} would be added over dates"
    # What metrics are made of is what customers says, date by date.
    built = duckdb.connect(str(home / "dbt.duckdb"), read_only=True)
    sums = built.sql("select as_of, sum(customers)::bigint, sum(revenue) from rfmill_segments group by 1 order by 1").fetchall()
    files = f"read_parquet('{home}/out/tables/customers/*/*.parquet', hive_partitioning = true)"
    assert sums == duckdb.sql(f"select as_of, count(*), sum(monetary) from {files} group by 1 order by 1").fetchall(), sums
    print(f"{len(names)} metrics on {len(model['measures'])} measures, none added over dates")


if __name__ == "__main__":
    sys.exit(main())
