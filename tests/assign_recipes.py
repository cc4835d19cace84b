#!/usr/bin/env python3
"""Holds the recipes of docs/ASSIGN.md, run as they stand there, against what `rfmill assign` draws.

Usage: python tests/assign_recipes.py path/to/rfmill     (needs duckdb; PostgreSQL's psql only if DSN is set)
"""
import csv
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import duckdb

JOB = """name = "recipes"
[orders]
path = "orders"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
[periods]
as_of = [2024-12-31]
[output]
path = "out/nightly"
"""


def blocks(language):
    text = (pathlib.Path(__file__).parent.parent / "docs" / "ASSIGN.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


def main():
    rfmill = pathlib.Path(sys.argv[1]).resolve()
    os.chdir(tempfile.mkdtemp(prefix="rfmill-recipes-"))
    for ids in ([], ["--string-ids"]):
        pathlib.Path("job.toml").write_text(JOB)
        subprocess.run(["rm", "-rf", "orders", "out", "a.csv"], check=True)
        subprocess.run([rfmill, "sample", "orders", "--orders", "20000", "-q", *ids], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([rfmill, "run", "job.toml", "-q"], check=True)
        draw = ["--from", "segment=At Risk", "--name", "winback", "--holdout", "0.1", "--salt", "winback-2024-q2"]
        subprocess.run([rfmill, "assign", "out/nightly", *draw, "-o", "a.csv"], check=True, stdout=subprocess.DEVNULL)
        drawn = {row["customer_id"]: row["arm"] for row in csv.DictReader(open("a.csv"))}
        assert len(drawn) > 20 and set(drawn.values()) == {"control", "treatment"}, drawn

        (python,) = blocks("python")
        scope = {}
        exec(python, scope)
        assert drawn == {customer: scope["arm"]("winback-2024-q2", customer, 1, 10) for customer in drawn}

        duck, postgres = blocks("sql")
        found = duckdb.sql(duck.strip().rstrip(";")).fetchall()
        assert drawn == {str(customer): arm for customer, arm in found}, "DuckDB"

        if dsn := os.environ.get("DSN"):
            customers = duckdb.sql("SELECT customer_id FROM read_parquet('out/nightly/latest/customers/*/*.parquet') WHERE segment = 'At Risk'")
            kind = "text" if ids else "bigint"
            rows = ", ".join(f"('{customer}'::{kind}, 'At Risk')" for (customer,) in customers.fetchall())
            query = f"WITH customers (customer_id, segment) AS (VALUES {rows}) {postgres}"
            out = subprocess.run(["psql", dsn, "-At", "-F", ","], input=query, check=True, capture_output=True, text=True)
            assert drawn == dict(line.split(",") for line in out.stdout.split()), "PostgreSQL"
        print(f"{len(drawn)} customers, {'string' if ids else 'integer'} ids: every recipe draws the same arms")


main()
