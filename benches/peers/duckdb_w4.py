"""The sums of workload W4 in DuckDB: customers, revenue and its squares by arm, and products by pairs of periods.

    python benches/peers/duckdb_w4.py SRC_GLOB OUT_FOLDER --assignments FOLDER [--threads N]

FOLDER holds s0 to s4 as strategies.py writes them. This is a part of what rfmill does with them: one outcome of its three, without
the baseline, states and tests.
"""

import duckdb
from duckdb_shared import PARQUET, connect, parse_arguments, quoted

PERIODS = 8

# Orders of the eight quarters, by quarter.
ORDERS = """
CREATE TEMP TABLE orders AS
SELECT o_custkey AS k, date_trunc('quarter', o_orderdate)::DATE AS quarter, o_orderdate AS day, (o_totalprice * 100)::BIGINT AS cents
FROM read_parquet({source})
WHERE o_orderdate BETWEEN DATE '1996-07-01' AND DATE '1998-06-30'
"""

# Revenue of every assigned customer from the day of the assignment to the end of its quarter.
OUTCOMES = """
CREATE OR REPLACE TEMP TABLE outcomes AS
SELECT a.customer_id AS k, a.quarter, any_value(a.arm) AS arm, coalesce(sum(o.cents) FILTER (o.day >= a.assigned_on), 0)::BIGINT AS y
FROM (SELECT *, date_trunc('quarter', assigned_on)::DATE AS quarter FROM read_parquet({files})) a
LEFT JOIN orders o ON o.k = a.customer_id AND o.quarter = a.quarter
GROUP BY a.customer_id, a.quarter
"""

ARMS = """
INSERT INTO arms
SELECT {strategy}, quarter, arm, count(*), sum(y), sum(y::HUGEINT * y) FROM outcomes GROUP BY quarter, arm
"""

# A row per customer, so that a pair of periods is a product of two columns.
WIDE = """
CREATE OR REPLACE TEMP TABLE wide AS SELECT k, {columns} FROM outcomes GROUP BY k
"""

PAIRS = """
INSERT INTO pairs
SELECT {strategy}, {first}, arm{first}, {second}, arm{second}, count(*), sum(y{first}::HUGEINT * y{second})
FROM wide WHERE arm{first} IS NOT NULL AND arm{second} IS NOT NULL GROUP BY arm{first}, arm{second}
"""


def main() -> None:
    options = parse_arguments("The sums of workload W4 in DuckDB.")
    connection = connect(options)
    connection.execute(ORDERS.format(source=quoted(options.source)))
    connection.execute("CREATE TEMP TABLE arms (strategy INT, quarter DATE, arm TEXT, n BIGINT, sum_y DECIMAL(38, 0), sum_yy DECIMAL(38, 0))")
    connection.execute("CREATE TEMP TABLE pairs (strategy INT, first INT, arm TEXT, second INT, other_arm TEXT, n BIGINT, sum_yy DECIMAL(38, 0))")
    for strategy in range(5):
        sum_strategy(connection, strategy, f"{options.assignments}/s{strategy}/*.parquet")
    for table in ("arms", "pairs"):
        connection.execute(f"COPY {table} TO {quoted(f'{options.folder}/{table}.parquet')} {PARQUET}")


def sum_strategy(connection: duckdb.DuckDBPyConnection, strategy: int, files: str) -> None:
    connection.execute(OUTCOMES.format(files=quoted(files)))
    connection.execute(ARMS.format(strategy=strategy))
    quarters = [row[0] for row in connection.execute("SELECT DISTINCT quarter FROM outcomes ORDER BY quarter").fetchall()]
    columns = ", ".join(
        f"any_value(arm) FILTER (quarter = DATE '{quarter}') AS arm{n}, any_value(y) FILTER (quarter = DATE '{quarter}') AS y{n}"
        for n, quarter in enumerate(quarters)
    )
    connection.execute(WIDE.format(columns=columns))
    for first in range(PERIODS):
        for second in range(first + 1, PERIODS):
            connection.execute(PAIRS.format(strategy=strategy, first=first, second=second))


if __name__ == "__main__":
    main()
