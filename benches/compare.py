"""Compare tables of two tools, every row.

    python benches/compare.py [--customers LEFT RIGHT] [--cutpoints LEFT RIGHT] [--transitions LEFT RIGHT]

LEFT and RIGHT are Parquet files or globs. Every row must be in both tables equally often; money is compared as decimals, and
cut points and rates, which are doubles, to one part in a thousand million. Prints the number of equal rows of each table
and exits 0, or prints what differs and exits 1.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass

import duckdb

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT")
TOLERANCE = 1e-9
MEMORY = "4GB"
SHOWN = 5


@dataclass(frozen=True)
class Table:
    """Names and kinds of the columns; those of the kind `double` are close, all others equal."""

    columns: dict[str, str]
    # What tells the rows with doubles apart.
    keys: tuple[str, ...] = ()
    # Columns that a table of only one as-of date may leave out.
    optional: tuple[str, ...] = ()
    # Whether further columns are ignored.
    open: bool = True


TABLES = {
    "customers": Table(
        columns={
            "as_of": "date",
            "customer_id": "id",
            "recency_days": "integer",
            "frequency": "integer",
            "monetary": "money",
            "r_score": "integer",
            "f_score": "integer",
            "m_score": "integer",
            "segment": "text",
            "lifecycle": "text",
        },
        optional=("as_of",),
        open=False,
    ),
    "cutpoints": Table(
        columns={"as_of": "date", "axis": "text", "bin": "integer", "lower": "double", "upper": "double"},
        keys=("as_of", "axis", "bin"),
    ),
    "transitions": Table(
        columns={
            "as_of": "date",
            "scheme": "text",
            "from_state": "text",
            "to_state": "text",
            "from_as_of": "date",
            "customers": "integer",
            "rate": "double",
            "revenue": "money",
        },
        keys=("as_of", "scheme", "from_state", "to_state"),
    ),
}


def main() -> int:
    arguments = argparse.ArgumentParser(description="Compare tables of two tools, every row.")
    for name in TABLES:
        arguments.add_argument(f"--{name}", nargs=2, metavar=("LEFT", "RIGHT"))
    options = arguments.parse_args()
    chosen = {name: sides for name in TABLES if (sides := getattr(options, name))}
    if not chosen:
        arguments.error("name at least one table")
    with tempfile.TemporaryDirectory(prefix="rfmill-compare-") as spill:
        # Tables may be larger than memory.
        connection = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": spill})
        connection.execute("SET enable_progress_bar = false")
        equal = [compare(connection, name, *sides) for name, sides in chosen.items()]
    return 0 if all(equal) else 1


def compare(connection: duckdb.DuckDBPyConnection, name: str, left: str, right: str) -> bool:
    table = TABLES[name]
    found = {"left": open_side(connection, table, "left", left), "right": open_side(connection, table, "right", right)}
    counts = {side: connection.execute(f'SELECT count(*) FROM "{side}"').fetchone()[0] for side in found}
    problems = [
        f"{column} is {found['left'].get(column, 'absent')} on the left, {found['right'].get(column, 'absent')} on the right."
        for column in table.columns
        if found["left"].get(column) != found["right"].get(column)
    ]
    if 0 in counts.values():
        problems.append(f"a table is empty: {counts['left']:,} rows on the left, {counts['right']:,} on the right.")
    if not problems:
        columns = found["left"]
        exact = [column for column, kind in columns.items() if kind != "double"]
        problems = rows_on_one_side(connection, exact, counts)
        problems += distant_rows(connection, table.keys, [column for column in columns if column not in exact])
    if problems:
        print(f"The {name} tables differ.", *problems, sep="\n  ")
        return False
    print(f"{counts['left']:,} rows of {name} are equal.")
    return True


def open_side(connection: duckdb.DuckDBPyConnection, table: Table, side: str, glob: str) -> dict[str, str]:
    """Make a view of one side with columns of canonical types; returns the kinds of its columns."""
    # Where the glob leaves the as-of date open, the path holds it.
    in_path = "true" if "as_of=*" in glob else "false"
    source = f"read_parquet('{glob.replace(chr(39), chr(39) * 2)}', hive_partitioning = {in_path})"
    types = {column: kind for column, kind, *_ in connection.execute(f"DESCRIBE FROM {source}").fetchall()}
    missing = [column for column in table.columns if column not in types and column not in table.optional]
    extra = [] if table.open else [column for column in types if column not in table.columns]
    if missing or extra:
        sys.exit(f"{glob} has the columns {', '.join(types)}; expected {', '.join(table.columns)}.")
    kinds, fields = {}, []
    for column, kind in table.columns.items():
        if column in types:
            kinds[column], field = canonical(glob, column, types[column], kind)
            fields.append(f"{field} AS {column}")
    connection.execute(f'CREATE OR REPLACE TEMP VIEW "{side}" AS SELECT {", ".join(fields)} FROM {source}')
    return kinds


def canonical(glob: str, column: str, stored: str, kind: str) -> tuple[str, str]:
    """The kind of a column, an id's being what it is, and SQL that gives it the type in which that kind is compared."""
    if kind == "id":
        kind = "text" if stored == "VARCHAR" else "integer"
    if kind == "text":
        return kind, f"{column}::VARCHAR"
    decimal = stored.startswith("DECIMAL(") and stored.endswith(",2)")
    fits = {"integer": stored in INTEGERS, "money": decimal, "date": stored == "DATE", "double": stored == "DOUBLE"}
    if not fits[kind]:
        expected = {"integer": "an integer", "money": "a decimal with two digits after the point"}.get(kind, f"a {kind}")
        sys.exit(f"{glob} holds {column} as {stored}; expected {expected}.")
    types = {"integer": "BIGINT", "money": "DECIMAL(38, 2)", "date": "DATE", "double": "DOUBLE"}
    return kind, f"{column}::{types[kind]}"


def rows_on_one_side(connection: duckdb.DuckDBPyConnection, columns: list[str], counts: dict[str, int]) -> list:
    """Rows that one side has more often than the other."""
    names = ", ".join(columns)
    surplus = f"""
        SELECT {names}, sum(side) AS surplus
        FROM (SELECT {names}, 1 AS side FROM "left" UNION ALL SELECT {names}, -1 FROM "right")
        GROUP BY {names} HAVING sum(side) <> 0
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE surplus AS {surplus}")
    problems = []
    for side, sign in (("left", 1), ("right", -1)):
        rows = f"FROM surplus WHERE sign(surplus) = {sign}"
        differing = connection.execute(f"SELECT coalesce(sum(abs(surplus)), 0) {rows}").fetchone()[0]
        if differing:
            problems.append(f"{differing:,} of {counts[side]:,} rows are only on the {side}, for example ({names}):")
            problems += connection.execute(f"SELECT {names} {rows} ORDER BY ALL LIMIT {SHOWN}").fetchall()
    return problems


def distant_rows(connection: duckdb.DuckDBPyConnection, keys: tuple[str, ...], columns: list[str]) -> list:
    """Rows of equal keys whose doubles are further apart than the tolerance, or absent on one side only."""
    if not columns:
        return []
    # NULL on both sides is close, and NaN is not close to a number.
    far = " OR ".join(
        f'("left".{column} IS DISTINCT FROM "right".{column} AND NOT coalesce(abs("left".{column} - "right".{column}) '
        f'<= {TOLERANCE} * least(abs("left".{column}), abs("right".{column})), false))'
        for column in columns
    )
    pairs = ", ".join(f'"left".{column}, "right".{column}' for column in columns)
    rows = f'FROM "left" JOIN "right" USING ({", ".join(keys)}) WHERE {far}'
    differing = connection.execute(f"SELECT count(*) {rows}").fetchone()[0]
    if not differing:
        return []
    shown = connection.execute(f"SELECT {', '.join(keys)}, {pairs} {rows} ORDER BY ALL LIMIT {SHOWN}").fetchall()
    named = ", ".join([*keys, *(f"{column} left and right" for column in columns)])
    return [f"{differing:,} rows are not close, for example ({named}):", *shown]


if __name__ == "__main__":
    sys.exit(main())
