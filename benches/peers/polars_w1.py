"""Workload W1 in Polars, the whole work from order files to the customers table.

    python benches/peers/polars_w1.py SRC_GLOB OUT_FOLDER [--threads N]

The expressions are what a person at home in Polars would write for speed; README.md lists the variants that were tried.
"""

from datetime import date

from polars_shared import PARQUET, QUINTILES, cents, money, parse_arguments, scores, states

AS_OF = date(1998, 8, 2)


def segment_customers(source: str, folder: str) -> None:
    import polars as pl

    # One row per customer with at least one order on or before the as-of date.
    measures = (
        pl.scan_parquet(source)
        .filter(pl.col("o_orderdate") <= AS_OF)
        .group_by(customer_id="o_custkey")
        .agg(
            recency_days=(pl.lit(AS_OF) - pl.col("o_orderdate").max()).dt.total_days().cast(pl.Int32),
            frequency=pl.len().cast(pl.Int64),
            monetary=cents().sum(),
        )
        .collect(engine="streaming")
    )
    (
        measures.lazy()
        .with_columns(**scores(lambda measure: [measures[measure].quantile(share, "linear") for share in QUINTILES]))
        .with_columns(monetary=money("monetary"), **states())
        .sink_parquet(f"{folder}/customers.parquet", **PARQUET)
    )


def main() -> None:
    options = parse_arguments("Workload W1 in Polars.")
    segment_customers(options.source, options.folder)


if __name__ == "__main__":
    main()
