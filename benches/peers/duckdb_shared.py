"""What the DuckDB scripts of both workloads share: how they start, scores, states, and how they write Parquet."""

import argparse
import os

import duckdb

# Exact quintiles by type 7. Money enters `quantile_cont` as a double: of a decimal it gives a decimal of the same scale,
# and a cut between two cents is then not exact.
SHARES = "[0.2, 0.4, 0.6, 0.8]"

# States as enums are written as Parquet dictionaries without hashing each value.
STATES = """
CREATE TYPE segment_state AS ENUM (
    'Champions', 'Loyal', 'Potential Loyalist', 'New', 'Promising',
    'Need Attention', 'About to Sleep', 'Can''t Lose', 'At Risk', 'Hibernating'
);
CREATE TYPE lifecycle_state AS ENUM ('active', 'silent', 'sleeping', 'lapsing', 'churned')
"""

SEGMENT = """
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
END::segment_state
"""

LIFECYCLE = """
CASE
    WHEN recency_days <= 90 THEN 'active'
    WHEN recency_days <= 180 THEN 'silent'
    WHEN recency_days <= 270 THEN 'sleeping'
    WHEN recency_days <= 365 THEN 'lapsing'
    ELSE 'churned'
END::lifecycle_state
"""

PARQUET = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"


def parse_arguments(description: str) -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("source", help="glob of the order files")
    arguments.add_argument("folder", help="where the tables go")
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments.add_argument("--memory-limit", help="limit of memory, such as 1GiB; what does not fit spills beside the tables")
    arguments.add_argument("--assignments", help="folder with the assignments of workload W4")
    return arguments.parse_args()


def connect(options: argparse.Namespace) -> duckdb.DuckDBPyConnection:
    threads = options.threads
    connection = duckdb.connect()
    if options.memory_limit:
        connection.execute(f"SET memory_limit = {quoted(options.memory_limit)}")
        connection.execute(f"SET temp_directory = {quoted(f'{options.folder}/spill')}")
    connection.execute(f"SET threads = {threads}")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET enable_progress_bar = false")
    connection.execute(STATES)
    return connection


def cuts_below(value: str, cuts: str) -> str:
    """SQL for how many of the four cuts, columns named `cuts` and a number, lie strictly below the value."""
    return "(" + " + ".join(f"({value} > {cuts}{k})::INTEGER" for k in range(1, 5)) + ")"


def cut_columns(cuts: str) -> str:
    """SQL for the four cuts of a list as columns: what `cuts_below` expects."""
    return ", ".join(f"{cuts}[{k}] AS {cuts}{k}" for k in range(1, 5))


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
