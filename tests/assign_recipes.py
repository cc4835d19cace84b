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


QUARTERS = """name = "quarters"
[orders]
path = "orders"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
[periods]
every = "quarter"
from = 2024-01-01
to = 2024-12-31
[output]
path = "out/quarterly"
"""


def global_holdout(rfmill, lot):
    """The strategy of everything: its effects are those of SQL over the orders, and its control is in no other file."""
    pathlib.Path("quarters.toml").write_text(QUARTERS)
    subprocess.run([rfmill, "run", "quarters.toml", "-q"], check=True)
    (commands,) = blocks("sh")
    path = {**os.environ, "PATH": f"{rfmill.parent}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-ec", commands], check=True, env=path, stdout=subprocess.DEVNULL)
    (strategy,) = blocks("toml")
    pathlib.Path("quarters.toml").write_text(QUARTERS + strategy)
    subprocess.run([rfmill, "run", "quarters.toml", "-q"], check=True)

    customers = duckdb.sql("SELECT DISTINCT customer_id, min(ordered_at)::date AS first FROM 'orders/*.parquet' WHERE customer_id IS NOT NULL GROUP BY 1").fetchall()
    rows = [(customer, first, lot("ours", customer) < -(-(2**64) // 20)) for customer, first in customers]
    duckdb.sql("CREATE OR REPLACE TEMP TABLE arms (customer_id VARCHAR, first DATE, control BOOLEAN)")
    duckdb.executemany("INSERT INTO arms VALUES (?, ?, ?)", rows)
    want = duckdb.sql("""
        WITH quarters (start) AS (VALUES (DATE '2024-04-01'), (DATE '2024-07-01'), (DATE '2024-10-01')),
        spent AS (
            SELECT start, customer_id, control, coalesce(sum(amount), 0)::DOUBLE AS y
            FROM quarters JOIN arms ON first < start
            LEFT JOIN (SELECT customer_id::VARCHAR AS id, ordered_at::DATE AS day, amount FROM 'orders/*.parquet') ON id = customer_id
                AND day >= start AND day < start + INTERVAL 3 MONTH
            GROUP BY ALL
        )
        SELECT start, count(*) FILTER (NOT control), count(*) FILTER (control),
            avg(y) FILTER (NOT control), avg(y) FILTER (control) FROM spent GROUP BY start ORDER BY start
    """).fetchall()
    # Effects are within the strata of the draw, and their sums those of all.
    arms = """SELECT period_start, (sum(n) FILTER (arm <> 'held_out'))::BIGINT, (sum(n) FILTER (arm = 'held_out'))::BIGINT,
        sum(sum_y) FILTER (arm <> 'held_out') / (100 * sum(n) FILTER (arm <> 'held_out')),
        sum(sum_y) FILTER (arm = 'held_out') / (100 * sum(n) FILTER (arm = 'held_out'))
        FROM 'out/quarterly/latest/arms.parquet'
        WHERE outcome = 'revenue' AND phase = 'during' AND state = '(all)' AND y_bin IS NULL AND other_period_start IS NULL
        GROUP BY 1 ORDER BY 1"""
    got = duckdb.sql(arms).fetchall()
    assert len(got) == 3 and [row[:3] for row in got] == [row[:3] for row in want], (got, want)
    assert all(abs(float(a) - b) < 1e-6 for one, other in zip(got, want) for a, b in zip(one[3:], other[3:])), (got, want)
    effects = """SELECT n_treated, n_control FROM 'out/quarterly/latest/effects.parquet'
        WHERE outcome = 'revenue' AND state = '(all)' AND headline AND difference IS NOT NULL ORDER BY period_start"""
    assert duckdb.sql(effects).fetchall() == [row[1:3] for row in want]
    over_time = "SELECT count(*) FROM 'out/quarterly/latest/effects_over_time.parquet' WHERE outcome = 'revenue' AND state = '(all)' AND method = 'permutation' AND difference IS NOT NULL"
    assert duckdb.sql(over_time).fetchall() == [(1,)]

    other = ["--from", "lifecycle", "--name", "x", "--salt", "x", "--holdout", "0.1", "--global-holdout", "0.05", "--global-salt", "ours"]
    subprocess.run([rfmill, "assign", "out/quarterly", *other, "-o", "other.csv"], check=True, stdout=subprocess.DEVNULL)
    drawn = {row["customer_id"] for row in csv.DictReader(open("other.csv"))}
    assert drawn == {str(customer) for customer, _, control in rows if not control}


def blocks(language):
    text = (pathlib.Path(__file__).parent.parent / "docs" / "ASSIGN.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


def main():
    rfmill = pathlib.Path(sys.argv[1]).resolve()
    os.chdir(tempfile.mkdtemp(prefix="rfmill-recipes-"))
    for ids in ([], ["--string-ids"]):
        pathlib.Path("job.toml").write_text(JOB)
        subprocess.run("rm -rf orders out *.csv *.parquet", shell=True, check=True)
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
        global_holdout(rfmill, scope["lot"])
        print(f"{len(drawn)} customers, {'string' if ids else 'integer'} ids: every recipe draws the same arms")


main()
