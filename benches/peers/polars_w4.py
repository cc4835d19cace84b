"""The sums of workload W4 in Polars: customers, revenue and its squares by arm, and products by pairs of periods.

    python benches/peers/polars_w4.py SRC_GLOB OUT_FOLDER --assignments FOLDER [--threads N]

As duckdb_w4.py: a part of what rfmill does. Squares are summed in 128 bits, as they leave 64.
"""

from datetime import date
from itertools import combinations

from polars_shared import PARQUET, cents, parse_arguments


def sum_strategies(source: str, folder: str, assignments: str) -> None:
    import polars as pl

    quarter = pl.col("day").dt.truncate("1q")
    orders = (
        pl.scan_parquet(source)
        .filter(pl.col("o_orderdate").is_between(date(1996, 7, 1), date(1998, 6, 30)))
        .select(k="o_custkey", day="o_orderdate", cents=cents())
        .with_columns(quarter=quarter)
        .collect(engine="streaming")
    )
    wide_square = (pl.col("y").cast(pl.Int128) ** 2).sum()
    arms, pairs = [], []
    for strategy in range(5):
        outcomes = (
            pl.scan_parquet(f"{assignments}/s{strategy}/*.parquet")
            .select(k="customer_id", arm=pl.col("arm").cast(pl.Enum(["control", "treatment"])), day="assigned_on")
            .with_columns(quarter=quarter)
            .join(orders.lazy(), on=["k", "quarter"], how="left")
            .with_columns(cents=pl.when(pl.col("day_right") >= pl.col("day")).then("cents").otherwise(0))
            .group_by("k", "quarter")
            .agg(arm=pl.first("arm"), y=pl.sum("cents"))
            .collect(engine="streaming")
        )
        sums = outcomes.group_by("quarter", "arm").agg(n=pl.len(), sum_y=pl.sum("y").cast(pl.Int128), sum_yy=wide_square)
        arms.append(sums.with_columns(strategy=pl.lit(strategy)))
        wide = outcomes.pivot("quarter", index="k", values=["arm", "y"], aggregate_function="first", sort_columns=True)
        days = sorted(name.removeprefix("y_") for name in wide.columns if name.startswith("y_"))
        for (first, one), (second, other) in combinations(enumerate(days), 2):
            product = pl.col(f"y_{one}").cast(pl.Int128) * pl.col(f"y_{other}")
            sums = (
                wide.drop_nulls([f"arm_{one}", f"arm_{other}"])
                .group_by(arm=f"arm_{one}", other_arm=f"arm_{other}")
                .agg(n=pl.len(), sum_yy=product.sum())
            )
            pairs.append(sums.with_columns(strategy=pl.lit(strategy), first=pl.lit(first), second=pl.lit(second)))
    for name, parts in (("arms", arms), ("pairs", pairs)):
        pl.concat(parts).with_columns(pl.col(pl.Int128).cast(pl.Decimal(38, 0))).write_parquet(f"{folder}/{name}.parquet", **PARQUET)


def main() -> None:
    options = parse_arguments("The sums of workload W4 in Polars.")
    sum_strategies(options.source, options.folder, options.assignments)


if __name__ == "__main__":
    main()
