"""Workload W1 in DuckDB, the whole work from order files to the customers table.

    python benches/peers/duckdb_w1.py SRC_GLOB OUT_FOLDER [--threads N]

The statements are what a person at home in DuckDB would write for speed; README.md lists the variants that were tried.
"""

from duckdb_shared import LIFECYCLE, PARQUET, SEGMENT, SHARES, connect, cut_columns, cuts_below, parse_arguments, quoted

AS_OF = "DATE '1998-08-02'"

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
FROM {source}
WHERE o_orderdate <= {as_of}
GROUP BY o_custkey
"""

# Text is read with the types that it has, which is faster than letting DuckDB find them out.
READ_CSV = """
read_csv({file}, auto_detect = false, header = true, columns = {{
    'o_orderkey': 'BIGINT', 'o_custkey': {id}, 'o_orderstatus': 'VARCHAR', 'o_totalprice': 'DECIMAL(15, 2)',
    'o_orderdate': 'DATE', 'o_orderpriority': 'VARCHAR', 'o_clerk': 'VARCHAR', 'o_shippriority': 'INTEGER',
    'o_comment': 'VARCHAR'
}})
"""

CUTS = f"""
CREATE TEMP TABLE cuts AS
WITH lists AS (
    SELECT
        quantile_cont(recency_days, {SHARES}) AS r,
        quantile_cont(frequency, {SHARES}) AS f,
        quantile_cont(monetary::DOUBLE, {SHARES}) AS m
    FROM measures
)
SELECT {cut_columns("r")}, {cut_columns("f")}, {cut_columns("m")} FROM lists
"""

# A score counts the cuts strictly below the value; recency counts down from five.
CUSTOMERS = f"""
COPY (
    WITH scored AS (
        SELECT
            customer_id, recency_days, frequency, monetary,
            5 - {cuts_below("recency_days", "r")} AS r_score,
            1 + {cuts_below("frequency", "f")} AS f_score,
            1 + {cuts_below("monetary::DOUBLE", "m")} AS m_score
        FROM measures, cuts
    )
    SELECT *, {SEGMENT} AS segment, {LIFECYCLE} AS lifecycle FROM scored
) TO {{target}} {PARQUET}
"""


def reader(source: str) -> str:
    """SQL for the rows of the order files, Parquet or CSV."""
    if not source.endswith(".csv"):
        return f"read_parquet({quoted(source)})"
    text_ids = source.endswith("_str.csv")
    return READ_CSV.format(file=quoted(source), id="'VARCHAR'" if text_ids else "'BIGINT'")


def main() -> None:
    options = parse_arguments("Workload W1 in DuckDB.")
    connection = connect(options)
    connection.execute(MEASURES.format(as_of=AS_OF, source=reader(options.source)))
    connection.execute(CUTS)
    connection.execute(CUSTOMERS.format(target=quoted(f"{options.folder}/customers.parquet")))


if __name__ == "__main__":
    main()
