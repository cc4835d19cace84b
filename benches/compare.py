"""Compare two customers tables of workload W1 row for row.

    python benches/compare.py LEFT_GLOB RIGHT_GLOB

Every customer, measure, score and state must be in both tables equally often; money is compared in whole cents. Prints
the number of equal rows and exits 0, or prints what differs and exits 1.
"""

import argparse
import sys

import duckdb

INTEGERS = ("recency_days", "frequency", "r_score", "f_score", "m_score")
TEXTS = ("segment", "lifecycle")
COLUMNS = ("customer_id", "recency_days", "frequency", "monetary", "r_score", "f_score", "m_score", *TEXTS)
SHOWN = 5


def main() -> int:
    arguments = argparse.ArgumentParser(description="Compare two customers tables of workload W1 row for row.")
    arguments.add_argument("left")
    arguments.add_argument("right")
    options = arguments.parse_args()

    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    id_kinds = {side: load(connection, side, getattr(options, side)) for side in ("left", "right")}
    counts = {side: connection.execute(f'SELECT count(*) FROM "{side}"').fetchone()[0] for side in id_kinds}

    problems = []
    if id_kinds["left"] != id_kinds["right"]:
        problems.append(f"customer_id is {id_kinds['left']} on the left and {id_kinds['right']} on the right.")
    if 0 in counts.values():
        problems.append(f"a table is empty: {counts['left']:,} rows on the left, {counts['right']:,} on the right.")
    for here, there in (("left", "right"), ("right", "left")):
        only_here = f'FROM (FROM "{here}" EXCEPT ALL FROM "{there}")'
        differing = connection.execute(f"SELECT count(*) {only_here}").fetchone()[0]
        if differing:
            problems.append(f"{differing:,} of {counts[here]:,} rows are only on the {here}, for example:")
            problems += connection.execute(f"SELECT * {only_here} ORDER BY ALL LIMIT {SHOWN}").fetchall()
    if problems:
        print("The tables differ.", ", ".join(COLUMNS) + " (monetary in cents)", *problems, sep="\n  ")
        return 1
    print(f"{counts['left']:,} rows are equal.")
    return 0


def load(connection: duckdb.DuckDBPyConnection, name: str, glob: str) -> str:
    """Read a customers table into a table of canonical columns; returns what kind of value its customer_id is."""
    source = f"read_parquet('{glob.replace(chr(39), chr(39) * 2)}', hive_partitioning = false)"
    types = {column: kind for column, kind, *_ in connection.execute(f"DESCRIBE FROM {source}").fetchall()}
    if sorted(types) != sorted(COLUMNS):
        sys.exit(f"{glob} has the columns {', '.join(types)}; expected {', '.join(COLUMNS)}.")
    if not (types["monetary"].startswith("DECIMAL(") and types["monetary"].endswith(",2)")):
        sys.exit(f"{glob} holds monetary as {types['monetary']}; expected a decimal with two digits after the point.")
    fields = {
        "customer_id": "customer_id::VARCHAR",
        "monetary": "(monetary * 100)::HUGEINT",
        **{column: f"{column}::BIGINT" for column in INTEGERS},
        **{column: f"{column}::VARCHAR" for column in TEXTS},
    }
    selected = ", ".join(f"{fields[column]} AS {column}" for column in COLUMNS)
    connection.execute(f'CREATE TABLE "{name}" AS SELECT {selected} FROM {source}')
    return "text" if types["customer_id"] == "VARCHAR" else "a number"


if __name__ == "__main__":
    sys.exit(main())
