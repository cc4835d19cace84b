"""Workload W2 in DuckDB, the whole work from order files to customers, cut points and transitions of 27 quarter ends.

    python benches/peers/duckdb_w2.py SRC_GLOB OUT_FOLDER [--threads N]

The statements are what a person at home in DuckDB would write for speed; README.md lists the variants that were tried.
Quarters are numbered from 0, the first quarter of 1992, in which the orders begin, to 26, the third of 1998.
"""

from duckdb_shared import LIFECYCLE, PARQUET, SEGMENT, SHARES, connect, cut_columns, cuts_below, parse_arguments, quoted

QUARTERS = 27

QUARTER_END = "CREATE TEMP MACRO quarter_end(q) AS last_day(make_date(1992 + q // 4, 3 + q % 4 * 3, 1))"

# One row per customer and quarter with at least one order. Sums of doubles are exact once they are rounded to cents.
ACTIVE = f"""
CREATE TEMP TABLE active AS
SELECT
    o_custkey AS customer_id,
    ((year(o_orderdate) - 1992) * 4 + quarter(o_orderdate) - 1)::INTEGER AS quarter,
    max(o_orderdate) AS last_order,
    count(*)::INTEGER AS orders,
    sum(o_totalprice::DOUBLE) AS amount
FROM read_parquet({{source}})
WHERE o_orderdate <= quarter_end({QUARTERS - 1})
GROUP BY ALL
"""

# The quarters from an active one to the next share their last order, and their trailing four quarters reach at most three
# active ones further back: the window functions see active quarters only, and the rest is arithmetic within a row.
BACK = ", ".join(
    f"lag(quarter, {k}) OVER customer AS quarter_{k}, lag(orders, {k}) OVER customer AS orders_{k}, "
    f"lag(amount, {k}) OVER customer AS amount_{k}"
    for k in (1, 2, 3)
)


def trailing(measure: str) -> str:
    """SQL for the sum of a measure over the four quarters that end with `quarter`."""
    return " + ".join(f"if(quarter_{k} > quarter - 4, {measure}_{k}, 0)" for k in (0, 1, 2, 3))


# One row per customer and quarter from the first order on; `spent` is the quarter's own amount.
PANEL = f"""
CREATE TEMP TABLE panel AS
WITH stretches AS (
    SELECT
        customer_id, last_order, quarter AS quarter_0, orders AS orders_0, amount AS amount_0, {BACK},
        lead(quarter, 1, {QUARTERS}) OVER customer AS next_quarter
    FROM active
    WINDOW customer AS (PARTITION BY customer_id ORDER BY quarter)
),
quarters AS (SELECT *, unnest(range(quarter_0, next_quarter))::INTEGER AS quarter FROM stretches)
SELECT
    customer_id,
    quarter,
    (quarter_end(quarter) - last_order)::INTEGER AS recency_days,
    ({trailing("orders")})::BIGINT AS frequency,
    ({trailing("amount")})::DECIMAL(18, 2) AS monetary,
    if(quarter = quarter_0, amount_0, 0)::DECIMAL(18, 2) AS spent
FROM quarters
"""

CUTS = f"""
CREATE TEMP TABLE cuts AS
SELECT
    quarter,
    quantile_cont(recency_days, {SHARES}) AS r,
    quantile_cont(frequency, {SHARES}) AS f,
    quantile_cont(monetary::DOUBLE, {SHARES}) AS m
FROM panel
GROUP BY quarter
"""

# A score counts the cuts strictly below the value; recency counts down from five.
SCORED = f"""
CREATE TEMP VIEW scored AS
WITH bounds AS (SELECT quarter, {cut_columns("r")}, {cut_columns("f")}, {cut_columns("m")} FROM cuts),
scores AS (
    SELECT
        panel.*,
        5 - {cuts_below("recency_days", "r")} AS r_score,
        1 + {cuts_below("frequency", "f")} AS f_score,
        1 + {cuts_below("monetary::DOUBLE", "m")} AS m_score
    FROM panel JOIN bounds USING (quarter)
)
SELECT *, {SEGMENT} AS segment, {LIFECYCLE} AS lifecycle FROM scores
"""

CUSTOMERS = f"""
COPY (
    SELECT
        quarter_end(quarter) AS as_of, customer_id, recency_days, frequency, monetary,
        r_score, f_score, m_score, segment, lifecycle
    FROM scored
) TO {{target}} {PARQUET}
"""

# A list has NULL before its first and after its last element: the open ends of the outer bins.
CUTPOINTS = f"""
COPY (
    WITH axes AS (
        SELECT quarter, unnest(['recency_days', 'frequency', 'monetary']) AS axis, unnest([r, f, m]) AS cuts FROM cuts
    ),
    bins AS (SELECT *, unnest(range(1, 6))::INTEGER AS bin FROM axes)
    SELECT quarter_end(quarter) AS as_of, axis, bin, cuts[bin - 1] AS lower, cuts[bin] AS upper FROM bins
) TO {{target}} {PARQUET}
"""

# Nobody leaves the population, so a customer's row before is that of the quarter before, or there is none.
TRANSITIONS = f"""
COPY (
    WITH moves AS (
        SELECT
            quarter, segment, lifecycle, spent,
            lag(segment) OVER customer AS from_segment,
            lag(lifecycle) OVER customer AS from_lifecycle
        FROM scored
        WINDOW customer AS (PARTITION BY customer_id ORDER BY quarter)
    ),
    counted AS (
        SELECT
            quarter,
            if(grouping(segment) = 0, 'segment', 'lifecycle') AS scheme,
            coalesce(from_segment::VARCHAR, from_lifecycle::VARCHAR, '(none)') AS from_state,
            coalesce(segment::VARCHAR, lifecycle::VARCHAR) AS to_state,
            count(*) AS customers,
            sum(spent) AS revenue
        FROM moves
        WHERE quarter > 0
        GROUP BY GROUPING SETS ((quarter, from_segment, segment), (quarter, from_lifecycle, lifecycle))
    )
    SELECT
        quarter_end(quarter) AS as_of, scheme, from_state, to_state, quarter_end(quarter - 1) AS from_as_of, customers,
        customers / sum(customers) OVER (PARTITION BY quarter, scheme, from_state) AS rate, revenue
    FROM counted
) TO {{target}} {PARQUET}
"""


def main() -> None:
    options = parse_arguments("Workload W2 in DuckDB.")
    connection = connect(options)
    connection.execute(QUARTER_END)
    connection.execute(ACTIVE.format(source=quoted(options.source)))
    connection.execute(PANEL)
    connection.execute("DROP TABLE active")
    connection.execute(CUTS)
    connection.execute(SCORED)
    for statement, table in ((CUSTOMERS, "customers"), (CUTPOINTS, "cutpoints"), (TRANSITIONS, "transitions")):
        connection.execute(statement.format(target=quoted(f"{options.folder}/{table}.parquet")))


if __name__ == "__main__":
    main()
