"""Workload W2 in Polars, the whole work from order files to customers, cut points and transitions of 27 quarter ends.

    python benches/peers/polars_w2.py SRC_GLOB OUT_FOLDER [--threads N]

The expressions are what a person at home in Polars would write for speed; README.md lists the variants that were tried.
Quarters are numbered from 0, the first quarter of 1992, in which the orders begin, to 26, the third of 1998.
"""

from datetime import date, timedelta

from polars_shared import PARQUET, QUINTILES, cents, money, parse_arguments, scores, states

QUARTERS = 27
QUARTER_ENDS = [date(1992 + (q + 1) // 4, (q + 1) % 4 * 3 + 1, 1) - timedelta(days=1) for q in range(QUARTERS)]
MEASURES = ("recency_days", "frequency", "monetary")
SCHEMES = ("segment", "lifecycle")


def quarter_end(quarters_back: int = 0):
    import polars as pl

    return pl.lit(pl.Series(QUARTER_ENDS)).gather(pl.col("quarter") - quarters_back)


def make_panel(source: str):
    """One row per customer and quarter from the first order on, sorted; `spent` is the quarter's own amount."""
    import polars as pl

    # One row per customer and quarter with at least one order.
    day = pl.col("o_orderdate")
    active = (
        pl.scan_parquet(source)
        .filter(day <= QUARTER_ENDS[-1])
        .group_by(customer_id="o_custkey", quarter=(day.dt.year() - 1992) * 4 + day.dt.quarter().cast(pl.Int32) - 1)
        .agg(last_order=day.max(), orders=pl.len().cast(pl.Int64), amount=cents().sum())
        .sort("customer_id", "quarter")
        .collect(engine="streaming")
    )

    # The quarters from an active one to the next share their last order, and their trailing four quarters reach at most
    # three active ones further back: shifts see active quarters only, and the rest is arithmetic within a row.
    def back(column: str, steps: int):
        return pl.when(pl.col("customer_id") == pl.col("customer_id").shift(steps)).then(pl.col(column).shift(steps))

    def trailing(measure: str):
        """The sum of a measure over the four quarters that end with `quarter`."""
        recent = [pl.col(f"quarter_{k}") > pl.col("quarter") - 4 for k in (0, 1, 2, 3)]
        return pl.sum_horizontal([pl.when(recent[k]).then(pl.col(f"{measure}_{k}")).otherwise(0) for k in (0, 1, 2, 3)])

    return (
        active.lazy()
        .select(
            "customer_id",
            "last_order",
            back("quarter", -1).otherwise(QUARTERS).alias("next_quarter"),
            *[pl.col(column).alias(f"{column}_0") for column in ("quarter", "orders", "amount")],
            *[back(column, k).alias(f"{column}_{k}") for column in ("quarter", "orders", "amount") for k in (1, 2, 3)],
        )
        .with_columns(quarter=pl.int_ranges("quarter_0", "next_quarter", dtype=pl.Int32))
        .explode("quarter")
        .select(
            "customer_id",
            "quarter",
            recency_days=(quarter_end() - pl.col("last_order")).dt.total_days().cast(pl.Int32),
            frequency=trailing("orders"),
            monetary=trailing("amount"),
            spent=pl.when(pl.col("quarter") == pl.col("quarter_0")).then("amount_0").otherwise(0),
        )
        .collect()
    )


def find_cuts(panel):
    """One row per quarter with the four cuts of each measure, money in cents."""
    import polars as pl

    return (
        panel.lazy()
        .group_by("quarter")
        .agg(
            pl.col(measure).quantile(share, "linear").alias(f"{measure}_{k}")
            for measure in MEASURES
            for k, share in enumerate(QUINTILES, 1)
        )
        .collect()
    )


def score(panel, cuts):
    """The panel with scores and states, in the same order."""
    import polars as pl

    return (
        panel.lazy()
        .join(cuts.lazy(), on="quarter", how="left", maintain_order="left")
        .with_columns(**scores(lambda measure: [pl.col(f"{measure}_{k}") for k in (1, 2, 3, 4)]))
        .with_columns(**states())
        .select(*panel.columns, "r_score", "f_score", "m_score", *SCHEMES)
        .collect()
    )


def write_customers(scored, folder: str) -> None:
    (
        scored.lazy()
        .with_columns(as_of=quarter_end(), monetary=money("monetary"))
        .select("as_of", "customer_id", *MEASURES, "r_score", "f_score", "m_score", *SCHEMES)
        .sink_parquet(f"{folder}/customers.parquet", **PARQUET)
    )


def write_cutpoints(cuts, folder: str) -> None:
    import polars as pl

    def bins(measure: str):
        """Five bins per quarter, between the cuts; the outer ones are open."""
        printed = 100 if measure == "monetary" else 1
        values = [None, *[pl.col(f"{measure}_{k}") / printed for k in (1, 2, 3, 4)], None]
        return [
            cuts.select(as_of=quarter_end(), axis=pl.lit(measure), bin=pl.lit(k, pl.Int32), lower=values[k - 1], upper=values[k])
            for k in range(1, 6)
        ]

    tables = [table for measure in MEASURES for table in bins(measure)]
    pl.concat(tables, how="vertical_relaxed").write_parquet(f"{folder}/cutpoints.parquet", **PARQUET)


def write_transitions(scored, folder: str) -> None:
    import polars as pl

    # Nobody leaves the population, so a customer's row before is that of the quarter before, or there is none.
    known = pl.col("customer_id") == pl.col("customer_id").shift(1)
    counted = (
        scored.lazy()
        .with_columns(pl.when(known).then(pl.col(scheme).shift(1)).alias(f"from_{scheme}") for scheme in SCHEMES)
        .filter(pl.col("quarter") > 0)
        .group_by("quarter", *SCHEMES, *[f"from_{scheme}" for scheme in SCHEMES])
        .agg(customers=pl.len().cast(pl.Int64), revenue=pl.col("spent").sum())
        .collect()
    )
    tables = [
        counted.group_by(
            "quarter",
            pl.lit(scheme).alias("scheme"),
            pl.col(f"from_{scheme}").cast(pl.String).fill_null("(none)").alias("from_state"),
            pl.col(scheme).cast(pl.String).alias("to_state"),
        ).agg(pl.col("customers", "revenue").sum())
        for scheme in SCHEMES
    ]
    of_state = pl.col("customers").sum().over("quarter", "scheme", "from_state")
    (
        pl.concat(tables)
        .select(
            "scheme",
            "from_state",
            "to_state",
            "customers",
            as_of=quarter_end(),
            from_as_of=quarter_end(1),
            rate=pl.col("customers") / of_state,
            revenue=money("revenue"),
        )
        .write_parquet(f"{folder}/transitions.parquet", **PARQUET)
    )


def main() -> None:
    options = parse_arguments("Workload W2 in Polars.")
    panel = make_panel(options.source)
    cuts = find_cuts(panel)
    scored = score(panel, cuts)
    del panel
    write_customers(scored, options.folder)
    write_cutpoints(cuts, options.folder)
    write_transitions(scored, options.folder)


if __name__ == "__main__":
    main()
