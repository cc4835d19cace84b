"""What the Polars scripts of both workloads share: arguments, scores, states, and how they write Parquet.

Polars reads its number of threads once, when it is imported: `parse_arguments` sets it, and the functions import Polars.
"""

import argparse
import os

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

PARQUET = {"compression": "zstd", "compression_level": 1}


def parse_arguments(description: str) -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("source", help="glob of the order files")
    arguments.add_argument("folder", help="where the tables go")
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments.add_argument("--assignments", help="folder with the assignments of workload W4")
    options = arguments.parse_args()
    os.environ["POLARS_MAX_THREADS"] = str(options.threads)
    return options


def scores(cuts):
    """The three scores. `cuts(measure)` gives the four cut points; a score counts those strictly below the value."""
    import polars as pl

    def below(measure: str):
        return pl.sum_horizontal([(pl.col(measure) > cut).cast(pl.Int32) for cut in cuts(measure)])

    return {"r_score": 5 - below("recency_days"), "f_score": 1 + below("frequency"), "m_score": 1 + below("monetary")}


def states():
    """Segment and lifecycle state, from the scores and the recency."""
    import polars as pl

    r, f, recency = pl.col("r_score"), pl.col("f_score"), pl.col("recency_days")
    segment = {name: pl.lit(name, dtype=pl.Enum(SEGMENTS)) for name in SEGMENTS}
    lifecycle = {name: pl.lit(name, dtype=pl.Enum(LIFECYCLES)) for name in LIFECYCLES}
    return {
        "segment": pl.when((r <= 2) & (f <= 2))
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
        "lifecycle": pl.when(recency <= 90)
        .then(lifecycle["active"])
        .when(recency <= 180)
        .then(lifecycle["silent"])
        .when(recency <= 270)
        .then(lifecycle["sleeping"])
        .when(recency <= 365)
        .then(lifecycle["lapsing"])
        .otherwise(lifecycle["churned"]),
    }


def cents():
    """An order's amount as 64-bit cents: sums are exact, and faster and smaller than those of 128-bit decimals."""
    import polars as pl

    return pl.col("o_totalprice").to_physical().cast(pl.Int64)


def money(column: str):
    """Cents as a decimal."""
    import polars as pl

    return (pl.col(column).cast(pl.Float64) / 100).cast(pl.Decimal(18, 2))
