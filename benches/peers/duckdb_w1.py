"""Workload W1 in DuckDB, the whole work from order files to the customers table.

    python benches/peers/duckdb_w1.py SRC_GLOB OUT.parquet [--threads N]

The statements are what a person at home in DuckDB would write for speed; README.md lists the variants that were tried.
"""

import argparse
import os

import duckdb

AS_OF = "DATE '1998-08-02'"

# States as enums are written as Parquet dictionaries without hashing each value.
STATES = """
CREATE TYPE segment_state AS ENUM (
    'Champions', 'Loyal', 'Potential Loyalist', 'New', 'Promising',
    'Need Attention', 'About to Sleep', 'Can''t Lose', 'At Risk', 'Hibernating'
);
CREATE TYPE lifecycle_state AS ENUM ('active', 'silent', 'sleeping', 'lapsing', 'churned')
"""

# One row per customer with at least one order on or before the as-of date. Summing doubles is faster than summing
# decimals, and exact once it is rounded to cents: a customer's sum is below ten million, where a double errs in the
# eighth digit after the point.
MEASURES = """
CREATE TEMP TABLE measures AS
SELECT
    o_custkey AS customer_id,
    ({as_of} - max(o_orderdate))::INTEGER AS recency_days,
    count(*) AS frequency,
    sum(o_totalprice::DOUBLE)::DECIMAL(18, 2) AS monetary
FROM read_parquet({source})
WHERE o_orderdate <= {as_of}
GROUP BY o_custkey
"""

# Type 7 cut points. Money enters as a double: quantile_cont of a decimal gives a decimal of the same scale, and a
# cut between two cents is then not exact.
CUTS = """
CREATE TEMP TABLE cuts AS
SELECT
    quantile_cont(recency_days, [0.2, 0.4, 0.6, 0.8]) AS r,
    quantile_cont(frequency, [0.2, 0.4, 0.6, 0.8]) AS f,
    quantile_cont(monetary::DOUBLE, [0.2, 0.4, 0.6, 0.8]) AS m
FROM measures
"""

# A score counts the cuts strictly below the value; recency counts down from five.
CUSTOMERS = """
COPY (
    WITH scored AS (
        SELECT
            customer_id, recency_days, frequency, monetary,
            5 - {above_r} AS r_score,
            1 + {above_f} AS f_score,
            1 + {above_m} AS m_score
        FROM measures, cuts
    )
    SELECT
        *,
        CASE
            WHEN r_score <= 2 AND f_score <= 2 THEN 'Hibernating'
            WHEN r_score <= 2 AND f_score <= 4 THEN 'At Risk'
            WHEN r_score <= 2 THEN 'Can''t Lose'
            WHEN r_score = 5 AND f_score >= 4 THEN 'Champions'
            WHEN f_score >= 4 THEN 'Loyal'
            WHEN r_score = 3 AND f_score = 3 THEN 'Need Attention'
            WHEN r_score = 3 THEN 'About to Sleep'
            WHEN f_score >= 2 THEN 'Potential Loyalist'
            WHEN r_score = 5 THEN 'New'
            ELSE 'Promising'
        END::segment_state AS segment,
        CASE
            WHEN recency_days <= 90 THEN 'active'
            WHEN recency_days <= 180 THEN 'silent'
            WHEN recency_days <= 270 THEN 'sleeping'
            WHEN recency_days <= 365 THEN 'lapsing'
            ELSE 'churned'
        END::lifecycle_state AS lifecycle
    FROM scored
) TO {target} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)
"""


def cuts_below(value: str, cuts: str) -> str:
    """SQL for how many of the four cuts lie strictly below the value."""
    return "(" + " + ".join(f"({value} > {cuts}[{k}])::INTEGER" for k in range(1, 5)) + ")"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def main() -> None:
    arguments = argparse.ArgumentParser(description="Workload W1 in DuckDB.")
    arguments.add_argument("source", help="glob of the order files")
    arguments.add_argument("target", help="the Parquet file to write")
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = arguments.parse_args()

    connection = duckdb.connect()
    connection.execute(f"SET threads = {options.threads}")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET enable_progress_bar = false")
    connection.execute(STATES)
    connection.execute(MEASURES.format(as_of=AS_OF, source=quoted(options.source)))
    connection.execute(CUTS)
    connection.execute(
        CUSTOMERS.format(
            above_r=cuts_below("recency_days", "r"),
            above_f=cuts_below("frequency", "f"),
            above_m=cuts_below("monetary::DOUBLE", "m"),
            target=quoted(options.target),
        )
    )


if __name__ == "__main__":
    main()
