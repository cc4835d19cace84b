"""Workload W1 in Polars, the whole work from order files to the customers table.

    python benches/peers/polars_w1.py SRC_GLOB OUT.parquet [--threads N]

The expressions are what a person at home in Polars would write for speed; README.md lists the variants that were tried.
"""

import argparse
import os
from datetime import date

AS_OF = date(1998, 8, 2)
QUINTILES = (0.2, 0.4, 0.6, 0.8)

SEGMENTS = (
    "Champions",
    "Loyal",
    "Potential Loyalist",
    "New",
    "Promising",
    "Need Attention",
    "About to Sleep",
    "Can't Lose",
    "At Risk",
    "Hibernating",
)
LIFECYCLES = ("active", "silent", "sleeping", "lapsing", "churned")


def segment_customers(source: str, target: str) -> None:
    import polars as pl

    # One row per customer with at least one order on or before the as-of date. Money is summed as 64-bit cents: that is
    # exact, and faster and smaller than Polars' 128-bit decimals.
    measures = (
        pl.scan_parquet(source)
        .filter(pl.col("o_orderdate") <= AS_OF)
        .group_by(customer_id="o_custkey")
        .agg(
            recency_days=(pl.lit(AS_OF) - pl.col("o_orderdate").max()).dt.total_days().cast(pl.Int32),
            frequency=pl.len().cast(pl.Int64),
            monetary=pl.col("o_totalprice").to_physical().cast(pl.Int64).sum(),
        )
        .collect(engine="streaming")
    )

    def cuts_below(measure: str) -> pl.Expr:
        """How many of the four type 7 cut points lie strictly below the value."""
        cuts = [measures[measure].quantile(share, "linear") for share in QUINTILES]
        return pl.sum_horizontal([(pl.col(measure) > cut).cast(pl.Int32) for cut in cuts])

    r, f, recency = pl.col("r_score"), pl.col("f_score"), pl.col("recency_days")
    segment = {name: pl.lit(name, dtype=pl.Enum(SEGMENTS)) for name in SEGMENTS}
    lifecycle = {name: pl.lit(name, dtype=pl.Enum(LIFECYCLES)) for name in LIFECYCLES}
    (
        measures.lazy()
        .with_columns(
            r_score=5 - cuts_below("recency_days"),
            f_score=1 + cuts_below("frequency"),
            m_score=1 + cuts_below("monetary"),
        )
        .with_columns(
            monetary=(pl.col("monetary").cast(pl.Float64) / 100).cast(pl.Decimal(18, 2)),
            segment=pl.when((r <= 2) & (f <= 2))
            .then(segment["Hibernating"])
            .when((r <= 2) & (f <= 4))
            .then(segment["At Risk"])
            .when(r <= 2)
            .then(segment["Can't Lose"])
            .when((r == 5) & (f >= 4))
            .then(segment["Champions"])
            .when(f >= 4)
            .then(segment["Loyal"])
            .when((r == 3) & (f == 3))
            .then(segment["Need Attention"])
            .when(r == 3)
            .then(segment["About to Sleep"])
            .when(f >= 2)
            .then(segment["Potential Loyalist"])
            .when(r == 5)
            .then(segment["New"])
            .otherwise(segment["Promising"]),
            lifecycle=pl.when(recency <= 90)
            .then(lifecycle["active"])
            .when(recency <= 180)
            .then(lifecycle["silent"])
            .when(recency <= 270)
            .then(lifecycle["sleeping"])
            .when(recency <= 365)
            .then(lifecycle["lapsing"])
            .otherwise(lifecycle["churned"]),
        )
        .sink_parquet(target, compression="zstd", compression_level=1)
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description="Workload W1 in Polars.")
    arguments.add_argument("source", help="glob of the order files")
    arguments.add_argument("target", help="the Parquet file to write")
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = arguments.parse_args()
    # Polars reads this once, when it is imported.
    os.environ["POLARS_MAX_THREADS"] = str(options.threads)
    segment_customers(options.source, options.target)


if __name__ == "__main__":
    main()
