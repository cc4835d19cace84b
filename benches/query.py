"""Orders in one CSV file through a query, against DuckDB reading the same file: workload W1 in one run.

    python benches/query.py --rfmill PATH --data FOLDER [--runs 5] [--threads N] [--memory-limit 2GiB] [--record benches/runs/NAME]
    python benches/query.py --rfmill PATH --smoke

rfmill-query must lie beside rfmill (cargo build --release -p rfmill-query). FOLDER holds the order files that make_data.py wrote;
the CSV file with all of their columns is made of them once, beside FOLDER. Nothing is timed before the customers tables are equal
in every row.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from runner import HERE, Tool, Workload

JOB = """
[[source]]
name = "orders"
path = "{csv}"

[orders]
query = '''
SELECT CAST(o_custkey AS BIGINT) AS o_custkey, CAST(o_orderdate AS DATE) AS o_orderdate, o_totalprice
FROM orders
'''
"""


class Query(Workload):
    needs_rfmill = True

    def more_arguments(self, arguments: argparse.ArgumentParser) -> None:
        arguments.add_argument("--memory-limit", help="limit of memory for rfmill")

    def said(self, options: argparse.Namespace) -> str:
        return f" --memory-limit {options.memory_limit}" if options.memory_limit else ""

    def make_tools(self, options: argparse.Namespace, data: Path, scratch: Path) -> list[Tool]:
        csv = make_csv(data)
        job = scratch / f"query-{data.name}.toml"
        text = (HERE / self.job).read_text(encoding="utf-8")
        sections = JOB.format(csv=csv)
        if data.name == "orders_str":
            sections = sections.replace("CAST(o_custkey AS BIGINT) AS o_custkey", "o_custkey")
        text = text.replace("[orders]\n", sections, 1).replace('path = "orders/*.parquet"\n', "", 1)
        job.write_text(text, encoding="utf-8")
        command = [str(options.rfmill.resolve()), "run", str(job), f"--threads={options.threads}", "--quiet"]
        if options.memory_limit:
            command.append(f"--memory-limit={options.memory_limit}")
        script = str(HERE / "peers" / "duckdb_w1.py")
        return [
            Tool("rfmill", command, ["--output", "{out}"], self.tables),
            Tool(
                "duckdb",
                [sys.executable, script, f"--threads={options.threads}", str(csv)],
                ["{out}"],
                {table: f"{table}.parquet" for table in self.tables},
            ),
        ]


def make_csv(data: Path) -> Path:
    """All orders of a folder in one CSV file beside it."""
    path = data.with_suffix(".csv")
    if not path.exists():
        # In a process of its own, so that this one stays small.
        copy = f"COPY (SELECT * FROM read_parquet('{data}/*.parquet')) TO '{path}' (FORMAT csv, HEADER)"
        subprocess.run([sys.executable, "-c", "import sys, duckdb; duckdb.sql(sys.argv[1])", copy], check=True)
    return path


QUERY = Query("W1", "nightly.toml", {"customers": "latest/customers/as_of=1998-08-02/*.parquet"})
QUERY.title = "Workload W1 from one CSV file"
QUERY.about = "Time workload W1 from one CSV file in rfmill and DuckDB."

if __name__ == "__main__":
    sys.exit(QUERY.main())
