"""`rfmill load` against a real PostgreSQL, which this script starts on loopback.

    python tests/postgres.py PATH/TO/rfmill        (needs benches/requirements.txt, PostgreSQL's server and openssl)

Makes sample orders, runs a job over five quarters, with a strategy, twice with different settings, and asserts that

- after a load, PostgreSQL, DuckDB, pyarrow and Polars return the same counts and sums of every column of every table,
- the views of `sql/views` return the same rows in PostgreSQL and DuckDB,
- a repeat changes nothing; a changed run replaces its dates; forgotten customers go; new columns are added, changed types refused,
- views that are rfmill's own and unedited are replaced, with rights and comments, all others kept and named,
- an output of 0.1.0 can be loaded as it lies there, and a database that 0.1.0 filled gets the views of today,
- after a kill at a random moment, a crash of the server, or a connection that breaks at the commit, the rows are those of
  one load or of the other, whole,
- two loads at once end with exit 8 for one of them, and readers are not locked out,
- passwords are found where they belong and never shown, and TLS does what sslmode says.
"""

import contextlib
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from postgres_server import CERTIFIED_NAME, Server
from winback import SAMPLE, STRATEGY

PASSWORD = "Sesame/open@7"
ENCODED = "Sesame%2Fopen%407"
WRONG = "Sesame-wrong"
KILLS = 20

JOB = """name = "quarterly"

[orders]
path = "orders/*.parquet"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
order_id = "order_id"

[periods]
every = "quarter"
from = 2023-10-01
to = 2024-12-31

[output]
path = "out"
report = []
""" + STRATEGY

TESTS = Path(__file__).parent


class Bench:
    """A folder with orders and a job, a server, and the program."""

    def __init__(self, rfmill: Path, home: Path):
        self.rfmill, self.home = rfmill, home
        self.call("sample", "orders", "--orders", "120000", "--customers", "24000", *SAMPLE)
        (home / "job.toml").write_text(JOB)
        self.call("run", "job.toml")
        self.call("run", "job.toml", "--set", 'orders.monetary="gross"', "--output", "gross")
        self.server = Server(home / "server")
        for role in ("loader", "reader", "tlsonly"):
            self.server.psql(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
        for database, owner in (("shop", "loader"), ("tls", "tlsonly")):
            self.server.psql(f"CREATE DATABASE {database} OWNER {owner}")

    def call(self, *arguments: object) -> None:
        subprocess.run([self.rfmill, *map(str, arguments), "--quiet"], check=True, cwd=self.home, stdout=subprocess.DEVNULL)

    def url(self, user: str = "loader", host: str = "127.0.0.1", database: str = "shop", query: str = "") -> str:
        return f"postgres://{user}@{host}:{self.server.port}/{database}" + (f"?{query}" if query else "")

    def start(self, output: str, url: str, *more: str, password: str | None = PASSWORD) -> subprocess.Popen[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")} | {"HOME": str(self.home)}
        if password is not None:
            environment["PGPASSWORD"] = password
        command = [self.rfmill, "load", output, "--to", url, *more]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.home, env=environment, stdout=pipe, stderr=pipe, text=True)

    def load(self, output: str, url: str | None = None, *more: str, code: int = 0, password: str | None = PASSWORD) -> str:
        """Loads; asserts the exit code and that no password is shown; returns what was said."""
        process = self.start(output, url or self.url(), *more, password=password)
        out, err = process.communicate(timeout=300)
        assert process.returncode == code, f"exit {process.returncode}, expected {code}: {out}{err}"
        for secret in (PASSWORD, ENCODED, WRONG):
            assert secret not in out + err, f"a password is shown: {out}{err}"
        if code != 0:
            last = err.splitlines()[-1]
            assert re.match(r"error\[[a-z]+\]: ", last) and last.endswith("."), f"not a sentence: {err}"
        return out + err

    def tables(self) -> list[str]:
        """The tables that were loaded."""
        return [row[0] for row in self.server.rows("SELECT DISTINCT table_name FROM rfmill.rfmill_load ORDER BY 1")]

    def state(self) -> list[str | None]:
        """What readers see: rows and a hash of all rows of every table, and the runs they come from."""
        parts = [
            f"(SELECT '{table} ' || count(*) || ' ' || coalesce(sum(hashtext(t::text)::bigint), 0) FROM rfmill.{table} AS t)"
            for table in self.tables()
        ]
        runs = "(SELECT string_agg(DISTINCT run_id, ',') FROM rfmill.rfmill_load)"
        return self.server.rows(f"SELECT {', '.join([*parts, runs])}")[0]


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="rfmill-postgres-") as folder:
        bench = Bench(Path(sys.argv[1]).resolve(), Path(folder))
        try:
            for check in (first_load_and_readers, a_repeat_changes_nothing, a_changed_run_replaces_its_dates, views_agree, bi_tools_read_views,
                          new_columns_and_changed_types, unedited_views_are_replaced, other_views_are_kept_and_named,
                          views_of_0_1_0_are_replaced, forgotten_customers_go, what_is_not_ours_is_refused, readers_are_not_locked_out,
                          two_loads_at_once, kills_at_random_moments, a_crash_of_the_server, a_commit_without_an_answer,
                          passwords, tls):
                began = time.monotonic()
                check(bench)
                print(f"{check.__name__.replace('_', ' ')}: ok ({time.monotonic() - began:.1f} s)", flush=True)
        finally:
            bench.server.stop("immediate")
    print("PostgreSQL holds what was loaded.")
    return 0


def first_load_and_readers(bench: Bench) -> None:
    said = bench.load("out")
    assert "is loaded" in said and "customers" in said, said
    tables = bench.home / "out" / "tables"
    for folder in sorted(tables.iterdir()):
        want = sums_by_duckdb(tables, folder.name)
        assert want, f"{folder.name} is empty"
        for reader, seen in (
            ("PostgreSQL", sums_by_postgres(bench.server, tables, folder.name)),
            ("pyarrow", sums_by_pyarrow(tables, folder.name)),
            ("Polars", sums_by_polars(tables, folder.name)),
        ):
            assert seen == want, f"{folder.name}: {reader} reads {seen}, DuckDB {want}"
        print(f"  {folder.name}: {sum(row['rows'] for row in want.values()):,} rows at {len(want)} as-of dates, alike for all four readers")
    comment = bench.server.value("SELECT col_description('rfmill.customers'::regclass, 2)")
    assert comment == "The customer, as the orders name them.", comment
    for name, key in DIMENSIONS.items():
        index = bench.server.value(f"SELECT indexdef FROM pg_indexes WHERE schemaname = 'rfmill' AND tablename = '{name}'")
        assert index and index.startswith("CREATE UNIQUE INDEX") and index.endswith(f"({key})"), index
    about = bench.server.value("SELECT obj_description('rfmill.segments'::regclass)")
    metadata = pq.read_metadata(next((tables / "segments").glob("*/*.parquet"))).metadata
    assert about == f"One row per {metadata[b'one_row_per'].decode()}.", about
    indexed = bench.server.value("SELECT indexdef FROM pg_indexes WHERE schemaname = 'rfmill' AND tablename = 'customers'")
    assert indexed and indexed.endswith("(as_of, customer_id)"), indexed
    assert leftovers(bench) == "0"


def leftovers(bench: Bench) -> str | None:
    return bench.server.value("SELECT count(*) FROM pg_class WHERE relname LIKE '\\_rfmill\\_staging%'")


Sums = dict[str, dict[str, int | Decimal]]

# One file each over all as-of dates, with the columns that must be unique.
DIMENSIONS = {"dim_state": "scheme, state", "dim_period": "as_of", "dim_date": "day"}


def files_of(tables: Path, name: str) -> str:
    return f"{tables}/{name}/*.parquet" if name in DIMENSIONS else f"{tables}/{name}/*/*.parquet"


def columns_of(tables: Path, name: str) -> dict[str, bool]:
    """The columns of a table, and whether they are summed: exact numbers are, of others the values are counted."""
    file = next((tables / name).glob("**/*.parquet"))
    exact = {field.name: pa.types.is_integer(field.type) or pa.types.is_decimal(field.type) for field in pq.read_schema(file)}
    exact.pop("as_of", None)
    return exact


def key_of(name: str) -> str:
    return "'all'" if name in DIMENSIONS else "as_of"


def sql_sums(name: str, columns: dict[str, bool]) -> str:
    parts = [f'sum("{name}") AS "{name}"' if exact else f'count("{name}") AS "{name}"' for name, exact in columns.items()]
    return ", ".join([f"{key_of(name)} AS key", "count(*) AS rows", *parts])


def keyed(columns: dict[str, bool], rows: list) -> Sums:
    names = ["rows", *columns]
    return {str(row[0]): {name: None if v is None else Decimal(str(v)) for name, v in zip(names, row[1:], strict=True)} for row in rows}


def sums_by_duckdb(tables: Path, name: str) -> Sums:
    columns = columns_of(tables, name)
    scan = f"read_parquet('{files_of(tables, name)}', hive_partitioning = true)"
    return keyed(columns, duckdb.sql(f"SELECT {sql_sums(name, columns)} FROM {scan} GROUP BY 1").fetchall())


def sums_by_postgres(server: Server, tables: Path, name: str) -> Sums:
    columns = columns_of(tables, name)
    return keyed(columns, server.rows(f"SELECT {sql_sums(name, columns)} FROM rfmill.{name} GROUP BY 1"))


def sums_by_pyarrow(tables: Path, name: str) -> Sums:
    columns = columns_of(tables, name)
    partitioning = ds.partitioning(pa.schema([("as_of", pa.date32())]), flavor="hive")
    table = ds.dataset(tables / name, partitioning=partitioning).to_table()

    def total(column: pa.ChunkedArray, exact: bool) -> object:
        if not exact:
            return pc.count(column).as_py()
        return pc.sum(column.cast(pa.decimal128(38, column.type.scale)) if pa.types.is_decimal(column.type) else column).as_py()

    if name in DIMENSIONS:
        return keyed(columns, [["all", len(table), *(total(table[column], exact) for column, exact in columns.items())]])
    out = []
    for as_of in pc.unique(table["as_of"]).to_pylist():
        rows = table.filter(pc.equal(table["as_of"], as_of))
        out.append([as_of, len(rows), *(total(rows[column], exact) for column, exact in columns.items())])
    return keyed(columns, out)


def sums_by_polars(tables: Path, name: str) -> Sums:
    columns = columns_of(tables, name)
    frame = pl.read_parquet(files_of(tables, name), hive_partitioning=True)
    if name in DIMENSIONS:
        frame = frame.with_columns(pl.lit("all").alias("as_of"))
    # Polars keeps the precision of a decimal column in its sum; and sums nothing to 0 where SQL has null.
    def total(column: str, exact: bool) -> pl.Expr:
        if not exact:
            return pl.col(column).count()
        wide = pl.col(column).cast(pl.Decimal(38, frame.schema[column].scale)) if frame.schema[column].is_decimal() else pl.col(column)
        return pl.when(pl.col(column).count() > 0).then(wide.sum())

    sums = frame.group_by("as_of").agg(pl.len().alias("rows"), *(total(c, exact).alias(c) for c, exact in columns.items()))
    return keyed(columns, sums.rows())


def a_repeat_changes_nothing(bench: Bench) -> None:
    touched = "SELECT string_agg(DISTINCT xmin::text, ',') FROM rfmill.customers UNION ALL SELECT max(loaded_at)::text FROM rfmill.rfmill_load"
    before = bench.server.rows(touched)
    assert "already loaded" in bench.load("out") and bench.server.rows(touched) == before
    said = bench.load("out", None, "--log-format", "json")
    assert '"already_loaded":true' in said, said
    assert bench.load("out", None, "--quiet") == ""


def a_changed_run_replaces_its_dates(bench: Bench) -> None:
    net = bench.state()
    bench.load("gross")
    gross = bench.state()
    assert gross != net, "the two runs do not differ"
    # Only what differs is replaced: customers and sums do, and come back the same.
    bench.load("out")
    assert bench.state() == net
    # A run of one date leaves the others alone.
    bench.call("run", "job.toml", "--as-of", "2025-01-31", "--output", "single")
    bench.load("single")
    dates = bench.server.rows("SELECT DISTINCT as_of FROM rfmill.customers ORDER BY 1")
    assert [row[0] for row in dates] == ["2023-12-31", "2024-03-31", "2024-06-30", "2024-09-30", "2024-12-31", "2025-01-31"], dates
    # Its dimensions join those that were there: dates of another output stay.
    both = bench.server.rows("SELECT as_of, label FROM rfmill.dim_period ORDER BY 1")
    assert [row[0] for row in both] == [row[0] for row in dates], both
    for table in [*bench.tables(), "rfmill_load"]:
        if table not in DIMENSIONS:
            bench.server.psql(f"DELETE FROM rfmill.{table} WHERE as_of = '2025-01-31'", "shop")
    bench.load("out")
    assert bench.state() == net
    a_dropped_date_goes(bench, net)
    # Without its record, a date is loaded anew.
    bench.server.psql("DELETE FROM rfmill.rfmill_load WHERE table_name = 'segments'; DELETE FROM rfmill.segments", "shop")
    bench.load("out")
    assert bench.state() == net


def a_dropped_date_goes(bench: Bench, net: list[str | None]) -> None:
    """What was dropped goes, and what was run since comes, whatever run it is of; dimensions follow."""
    shutil.copytree(bench.home / "out", bench.home / "dropped", symlinks=True)
    bench.call("run", "job.toml", "--as-of", "2024-08-31", "--output", "dropped")
    bench.load("dropped")
    labels = "SELECT as_of, label FROM rfmill.dim_period WHERE as_of BETWEEN '2024-07-01' AND '2024-09-30' ORDER BY 1"
    assert bench.server.rows(labels) == [["2024-08-31", "2024 Q3 to 31 Aug"], ["2024-09-30", "2024 Q3"]]
    years = "SELECT min(day), max(day), count(*) = count(DISTINCT day) FROM rfmill.dim_date"
    assert bench.server.rows(years)[0][2] == "t"
    subprocess.run([bench.rfmill, "drop", "dropped", "--as-of", "2024-08-31"], cwd=bench.home, check=True, capture_output=True)
    # A date in the middle is told anew by another run, and both changes come with one load.
    bench.call("run", "job.toml", "--as-of", "2024-06-30", "--set", 'orders.monetary="gross"', "--output", "dropped")
    said = bench.load("dropped")
    assert "customers" in said, said
    held = dict(bench.server.rows("SELECT as_of, max(run_id) FROM rfmill.rfmill_load WHERE table_name = 'segments' GROUP BY 1"))
    assert "2024-08-31" not in held and held["2024-06-30"] != held["2024-03-31"] == held["2024-09-30"], held
    assert bench.server.rows(labels) == [["2024-09-30", "2024 Q3"]]
    hashes = bench.server.rows("SELECT count(DISTINCT definitions_hash) FROM rfmill.dim_period")
    assert hashes == [["2"]], hashes
    assert "already loaded" in bench.load("dropped")
    bench.load("out")
    assert bench.state() == net


def views_agree(bench: Bench) -> None:
    """All dates below OUT/tables, into a schema of their own."""
    bench.load("out", bench.url(query="schema=views"))
    assert "already loaded" in bench.load("out", bench.url(query="schema=views"))
    script = subprocess.run(
        [bench.rfmill, "schema", "--tables", "job.toml", "--format", "duckdb"], cwd=bench.home, capture_output=True, text=True, check=True
    ).stdout
    database = duckdb.connect()
    database.execute(script)
    views = sorted(path.stem for path in (TESTS.parent / "sql" / "views").glob("*.sql"))
    there = [row[0] for row in bench.server.rows("SELECT viewname FROM pg_views WHERE schemaname = 'views' ORDER BY 1")]
    assert there == views, f"PostgreSQL has the views {there}, sql/views has {views}"
    for view in views:
        result = database.sql(f"SELECT * FROM {view}")
        by_duckdb = sorted([text(value) for value in row] for row in result.fetchall())
        columns = ", ".join(f'"{name}"' for name in result.columns)
        by_postgres = sorted([text(value) for value in row] for row in bench.server.rows(f"SELECT {columns} FROM views.{view}"))
        assert by_duckdb, f"{view} is empty"
        assert by_duckdb == by_postgres, f"{view}: {first_difference(by_duckdb, by_postgres)}"
        print(f"  {view}: {len(by_duckdb):,} rows alike in DuckDB and PostgreSQL")
    compared = "SELECT as_of::text FROM views.year_over_year WHERE customers_last_year > 0 AND customers_growth IS NOT NULL"
    assert bench.server.rows(compared) == [["2024-12-31"]], "only the last quarter has one a year before"
    directions = bench.server.rows("SELECT DISTINCT direction FROM views.movement WHERE scheme = 'lifecycle' ORDER BY 1")
    assert [row[0] for row in directions] == ["down", "in", "same", "up"], directions
    judged = "SELECT count(*) > 1, count(verdict) = count(*), count(DISTINCT phase) = 1 FROM views.headline_effects"
    assert bench.server.rows(judged)[0] == ["t", "t", "t"], "every headline effect has its verdict"
    best = "SELECT state FROM views.current_segments WHERE scheme = 'lifecycle' ORDER BY ladder_rank LIMIT 1"
    assert bench.server.value(best) == "active"


# SQL of the form that BI tools write over the views of a schema `views`: listings, a whole table, and charts of a page.
METADATA_OF_TOOLS = {
    "Power BI, tables": """select TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE from INFORMATION_SCHEMA.tables
        where TABLE_SCHEMA not in ('information_schema', 'pg_catalog') order by TABLE_SCHEMA, TABLE_NAME""",
    "Power BI, columns": """select COLUMN_NAME, ORDINAL_POSITION, IS_NULLABLE, case when (data_type like '%unsigned%') then DATA_TYPE || ' unsigned' else DATA_TYPE end
        from INFORMATION_SCHEMA.columns where TABLE_SCHEMA = 'views' and TABLE_NAME = 'kpis' order by TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION""",
    "Tableau, columns": 'SELECT * FROM "views"."current_segments" "current_segments" LIMIT 1',
    "Metabase, fields": """SELECT c.column_name, c.udt_name, col_description(CAST(CAST(format('%I.%I', c.table_schema, c.table_name) AS regclass) AS oid), c.ordinal_position)
        FROM information_schema.columns c WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND c.table_schema = 'views' ORDER BY 1""",
}
CHARTS_OF_TOOLS = {
    "Power BI, import": 'select "$Table"."as_of" as "as_of", "$Table"."slice" as "slice", "$Table"."customers" as "customers", "$Table"."revenue" as "revenue" from "views"."kpis" "$Table"',
    "Power BI, direct query": """select "rows"."label_en" as "label_en", sum(cast("rows"."customers" as decimal)) as "a0", sum("rows"."revenue") as "a1" from
        (select "_"."label_en", "_"."customers", "_"."revenue" from "views"."current_segments" "_" where "_"."scheme" = 'segment' and "_"."dimension" = '(all)') "rows" group by "label_en" limit 1000001""",
    "Tableau, a line": """SELECT "segment_history"."label_en" AS "label_en", DATE_TRUNC('QUARTER', CAST("segment_history"."as_of" AS DATE)) AS "tqr:as_of:ok",
        SUM("segment_history"."customers") AS "sum:customers:ok" FROM "views"."segment_history" "segment_history" GROUP BY 1, 2""",
    "Tableau, a filter": """SELECT "movement"."direction" AS "direction" FROM "views"."movement" "movement" WHERE ("movement"."scheme" = 'lifecycle') GROUP BY 1 ORDER BY 1 ASC""",
    "Metabase, by quarter": """SELECT DATE_TRUNC('quarter', "views"."kpis"."as_of") AS "as_of", SUM("views"."kpis"."customers") AS "sum", AVG("views"."kpis"."revenue") AS "avg"
        FROM "views"."kpis" WHERE "views"."kpis"."dimension" = '(all)' GROUP BY DATE_TRUNC('quarter', "views"."kpis"."as_of") ORDER BY 1 ASC""",
    "Metabase, rows": """SELECT "views"."current_customers"."customer_id" AS "customer_id", "views"."current_customers"."segment" AS "segment" FROM "views"."current_customers"
        WHERE "views"."current_customers"."segment" = 'Champions' LIMIT 1048575""",
}


def bi_tools_read_views(bench: Bench) -> None:
    """SQL of the form of Power BI, Tableau and Metabase works, and its answers are those of DuckDB over the files."""
    for tool, sql in METADATA_OF_TOOLS.items():
        assert bench.server.rows(sql), f"{tool}: no rows"
    script = [bench.rfmill, "schema", "--tables", "job.toml", "--format", "duckdb"]
    database = duckdb.connect()
    database.execute(subprocess.run(script, cwd=bench.home, capture_output=True, text=True, check=True).stdout)
    for tool, sql in CHARTS_OF_TOOLS.items():
        by_postgres = sorted([number_or_text(value) for value in row] for row in bench.server.rows(sql))
        by_duckdb = sorted([number_or_text(text(value)) for value in row] for row in database.sql(sql.replace('"views".', "")).fetchall())
        assert by_postgres and by_postgres == by_duckdb, f"{tool}: {first_difference(by_duckdb, by_postgres)}"
    print(f"  {len(CHARTS_OF_TOOLS)} statements of BI tools answered alike by DuckDB and PostgreSQL")


def number_or_text(value: str | None) -> tuple[int, object]:
    """A number by its value to six digits, a date without its time; the rest as it is."""
    try:
        return 0, round(float(str(value)), 6)
    except ValueError:
        return 1, str(value).split(" 00:00:00")[0]


def text(value: object) -> str:
    """A value as both databases would print it; numbers to twelve digits, since sums of floats have no order."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "t" if value else "f"
    try:
        number = float(str(value))
    except ValueError:
        return str(value)
    return f"{number:.12g}"


def first_difference(left: list, right: list) -> str:
    differing = next(((a, b) for a, b in zip(left, right, strict=False) if a != b), None)
    return f"{len(left)} rows and {len(right)}, first difference {differing}"


def new_columns_and_changed_types(bench: Bench) -> None:
    before = bench.state()
    more = ["first_order", "last_order", "recency_days", "frequency", "monetary", "r_score", "f_score", "m_score", "segment", "next_due"]
    bench.call("run", "job.toml", "--output", "wide", "--set", f"output.columns={more}".replace("'", '"'))
    bench.server.psql("GRANT USAGE ON SCHEMA rfmill TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA rfmill TO reader", "shop")
    bench.load("wide")
    known = "SELECT count(next_due) > 0, count(lifecycle) = 0 FROM rfmill."
    assert bench.server.rows(known + "customers")[0] == ["t", "t"]
    assert bench.server.rows(known + "current_customers")[0] == ["t", "t"], "the view lacks the new column"
    comment = bench.server.value("SELECT description FROM pg_description JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid WHERE objoid = 'rfmill.customers'::regclass AND attname = 'next_due'")
    assert comment and comment.startswith("Last purchase plus the mean gap"), comment
    # Readers keep their rights, since tables stay the same tables.
    assert bench.server.value("SELECT has_table_privilege('reader', 'rfmill.customers', 'SELECT')") == "t"
    bench.load("out")
    bench.server.psql("DROP VIEW rfmill.current_customers; ALTER TABLE rfmill.customers DROP COLUMN next_due", "shop")
    bench.load("out")
    assert bench.state() == before
    bench.call("run", "job.toml", "--output", "mills", "--set", "orders.amount_scale=3")
    said = bench.load("mills", code=5)
    assert 'the column "monetary" of customers is numeric(18,2)' in said and "but numeric(18,3) in the run" in said, said
    assert bench.state() == before


class Views:
    """A schema of its own with its views."""

    def __init__(self, bench: Bench, schema: str, output: str = "out"):
        self.bench, self.schema, self.output = bench, schema, output

    def load(self, output: str | None = None) -> str:
        return self.bench.load(output or self.output, self.bench.url(query=f"schema={self.schema}"))

    def sql(self, *statements: str, role: str = "loader") -> None:
        self.bench.server.psql(f"SET ROLE {role}; SET search_path TO {self.schema}; {'; '.join(statements)}", "shop")

    def value(self, query: str) -> str | None:
        return self.bench.server.value(query.replace("HERE.", f"{self.schema}."))

    def definition(self, view: str) -> str | None:
        """What it is, without the name of the schema."""
        text = self.value(f"SELECT pg_get_viewdef('HERE.{view}'::regclass)")
        return text and text.replace(f"{self.schema}.", "")

    def definitions(self) -> dict[str, str | None]:
        names = self.bench.server.rows(f"SELECT viewname FROM pg_views WHERE schemaname = '{self.schema}'")
        return {name: self.definition(name) for (name,) in names}

    def is_of_earlier_version(self, view: str, query: str) -> None:
        """Puts another view in the place of one, recorded as a load of an earlier version would have."""
        self.sql(f"DROP VIEW {view}", f"CREATE VIEW {view} AS {query}", f"COMMENT ON VIEW {view} IS 'An earlier sentence.'",
                 "UPDATE rfmill_load_views SET made_of = 'an earlier text', comment = 'An earlier sentence.', definition = "
                 f"encode(sha256(convert_to(pg_get_viewdef('{view}'::regclass), 'UTF8')), 'hex') WHERE view_name = '{view}'")


EARLIER_KPIS = "SELECT as_of, sum(customers)::int AS customers, min(scheme) AS gone FROM segments GROUP BY 1"


def unedited_views_are_replaced(bench: Bench) -> None:
    views = Views(bench, "replaced")
    views.load()
    fresh = views.definitions()
    assert sorted(fresh) == sorted(path.stem for path in (TESTS.parent / "sql" / "views").glob("*.sql")), fresh.keys()
    # Columns that go and others that change their type; another of ours reads the view; rights and comments are the user's.
    views.sql("DROP VIEW year_over_year")
    views.is_of_earlier_version("kpis", EARLIER_KPIS)
    views.sql("CREATE VIEW year_over_year AS SELECT customers FROM kpis")
    views.is_of_earlier_version("year_over_year", "SELECT customers FROM kpis")
    views.sql("ALTER DEFAULT PRIVILEGES IN SCHEMA replaced GRANT SELECT ON TABLES TO tlsonly", "GRANT SELECT ON kpis TO reader",
              "GRANT SELECT (customers, gone) ON kpis TO reader", "GRANT INSERT ON kpis TO PUBLIC",
              "COMMENT ON COLUMN kpis.customers IS 'Heads.'", "COMMENT ON VIEW kpis IS 'Our figures.'")
    # One that is replaced where it stands.
    views.is_of_earlier_version("segment_history", "SELECT as_of, period_label FROM (SELECT as_of, label AS period_label FROM dim_period) AS d")
    said = views.load()
    assert "kept" not in said and "is loaded" in said, said
    assert views.definitions() == fresh
    has = "SELECT string_agg(has_table_privilege(grantee, 'HERE.kpis', kind)::text, ',' ORDER BY grantee, kind) FROM unnest(ARRAY['reader', 'tlsonly']) AS grantee, unnest(ARRAY['INSERT', 'SELECT']) AS kind"
    assert views.value(has) == "true,true,true,false", views.value(has)
    assert views.value("SELECT count(*) FROM information_schema.column_privileges WHERE table_schema = 'replaced' AND table_name = 'kpis' AND grantee = 'reader' AND column_name = 'customers'") == "1"
    assert views.value("SELECT col_description('HERE.kpis'::regclass, 5)") == "Heads."
    assert views.value("SELECT obj_description('HERE.kpis'::regclass)") == "Our figures."
    first_line = (TESTS.parent / "sql" / "views" / "year_over_year.sql").read_text().splitlines()[0]
    assert "-- " + str(views.value("SELECT obj_description('HERE.year_over_year'::regclass)")) == first_line
    assert "already loaded" in views.load()
    # What reads the view is the user's: it is not dropped, and all else of the load goes on.
    views.is_of_earlier_version("segment_history", "SELECT as_of, label AS gone FROM dim_period")
    views.sql("CREATE VIEW report AS SELECT gone FROM segment_history")
    said = views.load("gross")
    assert "kept: the view segment_history is of an earlier version" in said and "view report depends on view segment_history" in said, said
    assert "customers" in said and "is loaded" in said, said
    assert views.value("SELECT count(gone) > 0 FROM HERE.report") == "t"
    assert "kept: the view segment_history" in views.load("gross"), "it is named every time"
    views.sql("DROP VIEW report")
    assert "kept" not in views.load("gross") and views.definitions() == fresh


def other_views_are_kept_and_named(bench: Bench) -> None:
    views = Views(bench, "edited")
    views.load()
    fresh = views.definitions()
    views.sql("CREATE OR REPLACE VIEW current_customers AS SELECT * FROM customers WHERE as_of = '2024-03-31'",
              "ALTER VIEW headline_effects SET (security_barrier)", "DROP VIEW movement",
              "CREATE MATERIALIZED VIEW movement AS SELECT 1 AS mine", "DROP VIEW current_segments",
              "CREATE VIEW current_segments AS SELECT 2 AS mine", "DELETE FROM rfmill_load_views WHERE view_name = 'current_segments'")
    mine = views.definitions()
    want = ['kept: the view current_customers was edited, so it is kept; to have that of rfmill, rename it or DROP VIEW "edited".current_customers, and load again',
            "kept: movement is no view, so it is kept", "kept: the view current_segments is not as rfmill makes it, so it is kept",
            "kept: the view headline_effects was edited"]
    # A load that brings nothing, one that brings columns of a table that an edited view reads, one that changes rows.
    for output, says in (("out", "already loaded"), ("wide", "is loaded"), ("gross", "is loaded")):
        said = views.load(output)
        assert says in said and all(sentence in said for sentence in want), said
        assert said.count("kept: ") == 4 and views.definitions() == mine, said
    assert views.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 'HERE.customers'::regclass AND attname = 'next_due'") == "1"
    said = bench.load("gross", bench.url(query="schema=edited"), "--log-format", "json")
    assert '"kept":[{"view":"current_customers","why":"the view current_customers was edited' in said, said
    assert bench.load("gross", bench.url(query="schema=edited"), "--quiet") == ""
    # Gone, it comes as rfmill makes it. Without its record, an unedited one is known by what it is.
    views.sql("DROP VIEW current_customers, headline_effects, current_segments", "DROP MATERIALIZED VIEW movement", "DROP TABLE rfmill_load_views")
    views.load()
    columns = "SELECT string_agg(attname, ',') FROM pg_attribute WHERE attrelid = 'HERE.current_customers'::regclass"
    assert "next_due" in str(views.value(columns))
    now = views.definitions()
    assert {**now, "current_customers": None} == {**fresh, "current_customers": None}
    assert views.value("SELECT count(*) FROM HERE.rfmill_load_views") == str(len(fresh))
    # Another version of the server may put what it was made of in other words.
    views.sql("UPDATE rfmill_load_views SET definition = 'in other words'")
    assert "kept" not in views.load() and views.definitions() == now
    assert views.value("SELECT count(*) FROM HERE.rfmill_load_views WHERE definition = 'in other words'") == "0"
    # One of another owner cannot be replaced, one that reads an edited view cannot be made; rows come all the same.
    views.is_of_earlier_version("movement", "SELECT 1 AS mine")
    views.sql("DROP VIEW year_over_year, kpis", "CREATE VIEW kpis AS SELECT 3 AS mine")
    views.sql("ALTER VIEW edited.movement OWNER TO admin", role="admin")
    said = views.load()
    assert "kept: the view movement is of an earlier version and kept, since it cannot be replaced: must be owner of view movement" in said, said
    assert "kept: the view kpis was edited" in said and "kept: the view year_over_year cannot be made: column k.as_of does not exist" in said, said
    assert views.value("SELECT mine FROM HERE.kpis") == "3"


OLD_OUTPUT = TESTS / "data" / "output-0.1.0-strategy"


def views_of_0_1_0_are_replaced(bench: Bench) -> None:
    """An output of 0.1.0 lacks columns that views read: they are null. A database that 0.1.0 filled has its views and lacks the columns, too."""
    shutil.copytree(OLD_OUTPUT, bench.home / "old", symlinks=True)
    views = Views(bench, "old", "old")
    said = views.load()
    assert "kept" not in said and "warning" not in said, said
    made = views.definitions()
    # 0.1.0 had no calendar, which segment_history reads; the job lists no customers.
    assert sorted(made) == ["current_segments", "headline_effects", "kpis", "movement", "year_over_year"], made.keys()
    files = f"read_parquet('{OLD_OUTPUT}/tables/segments/*/*.parquet', hive_partitioning = true)"
    value = duckdb.sql(f"SELECT as_of, sum(customers)::bigint, sum(revenue_at_risk) FROM {files} WHERE scheme = 'segment' AND dimension = '(all)' GROUP BY 1 ORDER BY 1").fetchall()
    assert len(value) == 2 and all(money > 0 for _, _, money in value), value
    kpis = bench.server.rows("SELECT as_of, customers, annual_value, revenue_at_risk FROM old.kpis WHERE dimension = '(all)' ORDER BY 1")
    assert [[a, int(c), Decimal(v), risk] for a, c, v, risk in kpis] == [[str(a), c, v, None] for a, c, v in value], kpis
    for view in made:
        assert int(views.value(f"SELECT count(*) FROM HERE.{view}") or 0) > 0, f"{view} is empty"
    # As 0.1.0 left a database: its views, nothing recorded of them, and no column that came since.
    def as_0_1_0_left_it() -> None:
        views.sql("DROP VIEW year_over_year, kpis, movement, headline_effects, current_segments", "DROP TABLE rfmill_load_views")
        for name in ("dim_state", "segments", "dim_period", "effects", "verdicts", "transitions"):
            file = next((OLD_OUTPUT / "tables").glob(f"{name}/*/*.parquet"))
            have = [*pq.read_schema(file).names, "as_of"]
            lacking = bench.server.rows(f"SELECT attname FROM pg_attribute WHERE attrelid = 'old.{name}'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> ALL ('{{{','.join(have)}}}')")
            views.sql(*(f"ALTER TABLE {name} DROP COLUMN {column}" for (column,) in lacking))
        # It loaded dim_state by date.
        views.sql("ALTER TABLE dim_state ADD COLUMN IF NOT EXISTS as_of DATE NOT NULL DEFAULT '2024-12-31'", "ALTER TABLE dim_state ALTER COLUMN as_of DROP DEFAULT")
        for name in ("current_segments", "headline_effects", "kpis", "movement", "year_over_year"):
            text = (TESTS.parent / "sql" / "views" / "0.1.0" / f"{name}.sql").read_text()
            views.sql(text, f"COMMENT ON VIEW {name} IS '{text.splitlines()[0].removeprefix('-- ')}'")

    as_0_1_0_left_it()
    assert views.definitions() != made
    assert "kept" not in views.load() and views.definitions() == made
    about = (TESTS.parent / "sql" / "views" / "kpis.sql").read_text().splitlines()[0]
    assert "-- " + str(views.value("SELECT obj_description('HERE.kpis'::regclass)")) == about
    # Edited ones stay, and what reads them says why it cannot come.
    as_0_1_0_left_it()
    views.sql("CREATE OR REPLACE VIEW kpis AS " + str(views.definition("kpis")).rstrip(";") + " HAVING sum(customers) > 10")
    edited = views.definition("kpis")
    said = views.load()
    assert said.count("kept: ") == 2 and "kept: the view kpis is not as rfmill makes it" in said, said
    assert "kept: the view year_over_year is of an earlier version and kept, since it cannot be replaced: column k.annual_value does not exist" in said, said
    assert views.definition("kpis") == edited and views.definition("movement") == made["movement"]
    # Dates whose runs are gone are named.
    shutil.copytree(TESTS / "data" / "output-0.1.0", bench.home / "gone", symlinks=True)
    said = Views(bench, "gone", "gone").load()
    assert "warning: 2 as-of dates of gone, such as 2024-03-31, are not loaded: 0.1.0 wrote them" in said and "then load again" in said, said


def forgotten_customers_go(bench: Bench) -> None:
    """A load after `rfmill forget` brings the database up: the customers are in no row of it, and sums are those from before."""
    shutil.copytree(bench.home / "out", bench.home / "forgotten", symlinks=True)
    views = Views(bench, "forgotten", "forgotten")
    views.load()
    tables = [row[0] for row in bench.server.rows("SELECT DISTINCT table_name FROM forgotten.rfmill_load ORDER BY 1")]
    columns = [row[0] for row in bench.server.rows("SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'forgotten' AND column_name = 'customer_id' ORDER BY 1")]
    named = [name for name in columns if name in tables]
    assert named == ["customers", "movers", "state_history"], named
    ids = [row[0] for row in bench.server.rows("SELECT customer_id FROM forgotten.customers GROUP BY 1 HAVING count(*) = 5 ORDER BY md5(customer_id) LIMIT 3")]
    listed = "'" + "', '".join(ids) + "'"
    rows = {name: int(views.value(f"SELECT count(*) FROM HERE.{name}") or 0) for name in named}
    theirs = {name: int(views.value(f"SELECT count(*) FROM HERE.{name} WHERE customer_id IN ({listed})") or 0) for name in named}
    assert theirs["customers"] == 15 and all(theirs.values()), theirs
    others = {name: views.value(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM HERE.{name} AS t WHERE customer_id NOT IN ({listed})") for name in named}
    sums = {name: views.value(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM HERE.{name} AS t") for name in ("segments", "transitions", "effects", "ledger")}
    (bench.home / "ids.csv").write_text("customer_id\n" + "\n".join(ids) + "\n")
    subprocess.run([bench.rfmill, "forget", "forgotten", "--ids", "ids.csv"], cwd=bench.home, check=True, capture_output=True)
    said = views.load()
    assert "customers" in said and "is loaded" in said, said
    for name in named:
        assert views.value(f"SELECT count(*) FROM HERE.{name}") == str(rows[name] - theirs[name]), name
        assert views.value(f"SELECT count(*) FROM HERE.{name} WHERE customer_id IN ({listed})") == "0", name
        assert views.value(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM HERE.{name} AS t") == others[name], f"{name}: others changed"
    assert views.value(f"SELECT count(*) FROM HERE.current_customers WHERE customer_id IN ({listed})") == "0"
    for name, before in sums.items():
        assert views.value(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM HERE.{name} AS t") == before, name
    assert leftovers(bench) == "0" and "already loaded" in views.load()


def what_is_not_ours_is_refused(bench: Bench) -> None:
    before = bench.state()
    bench.call("run", "job.toml", "--output", "other", "--set", 'name="other"')
    said = bench.load("other", code=5)
    assert 'holds the tables of the job "quarterly", not of "other"' in said, said
    bench.server.psql("CREATE SCHEMA theirs AUTHORIZATION loader; CREATE TABLE theirs.customers (name TEXT)", "shop")
    said = bench.load("out", bench.url(query="schema=theirs"), code=5)
    assert 'holds "customers", which rfmill did not make' in said, said
    said = bench.load("out", bench.url(user="reader", query="schema=new"), code=6)
    assert "permission denied" in said and "grant" in said, said
    said = bench.load("nowhere", code=4)
    assert "there is no output folder nowhere" in said, said
    said = bench.load("out", bench.url(database="nowhere"), code=2)
    assert "nowhere" in said and "create the database" in said, said
    partition = bench.home / "out" / "latest" / "partitions" / "segments" / "as_of=2024-12-31" / "segments.parquet"
    kept = partition.read_bytes()
    # Among the rows, in the middle, and in the footer.
    for at in (len(b"PAR1") + 8, len(kept) // 2, len(kept) - 40):
        damaged = bytearray(kept)
        damaged[at] ^= 1
        partition.write_bytes(damaged)
        said = bench.load("out", bench.url(query="schema=damaged"), code=4)
        assert "was changed or damaged after it was written" in said, said
    partition.write_bytes(kept)
    assert bench.state() == before
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'damaged' AND tablename NOT LIKE '\\_rfmill%'"
    assert bench.server.value(tables) == "0", "a failed first load left tables"


def session(bench: Bench) -> subprocess.Popen[str]:
    """An interactive session of the superuser."""
    command = bench.server.psql_command("shop") + ["-At"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)


def ask(psql: subprocess.Popen[str], sql: str) -> str:
    assert psql.stdin and psql.stdout
    psql.stdin.write(sql + "\n")
    return psql.stdout.readline().strip()


def readers_are_not_locked_out(bench: Bench) -> None:
    reader = session(bench)
    count = "SELECT count(*), sum(monetary) FROM rfmill.customers;"
    before = ask(reader, "BEGIN ISOLATION LEVEL REPEATABLE READ; " + count)
    bench.load("gross")
    assert ask(reader, count) == before, "a reader's transaction saw other rows"
    after = ask(reader, "COMMIT; " + count)
    assert after != before and after.split("|")[0] == before.split("|")[0], after
    reader.communicate("")
    bench.load("out")


def held_up(bench: Bench) -> tuple[subprocess.Popen[str], subprocess.Popen[str]]:
    """A load that waits within its transaction, and the session that it waits for."""
    blocker = session(bench)
    ask(blocker, "BEGIN; LOCK TABLE rfmill.customers IN SHARE MODE; SELECT 'locked';")
    load = bench.start("gross", bench.url())
    for _ in range(1200):
        if bench.server.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == "1":
            return load, blocker
        time.sleep(0.05)
    raise AssertionError("the load never came to its transaction")


def two_loads_at_once(bench: Bench) -> None:
    first, blocker = held_up(bench)
    said = bench.load("gross", code=8)
    assert "another load is writing the schema rfmill" in said, said
    # Another schema is free.
    bench.load("gross", bench.url(query="schema=aside"))
    blocker.communicate("ROLLBACK;")
    out, err = first.communicate(timeout=120)
    assert first.returncode == 0, out + err
    bench.load("out")


def quiet_server(bench: Bench) -> None:
    """Waits until the server has noticed that a client is gone."""
    for _ in range(400):
        if bench.server.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rfmill'") == "0":
            return
        time.sleep(0.05)
    raise AssertionError("a killed load lives on in the server")


def kills_at_random_moments(bench: Bench) -> None:
    seconds = []
    states = {}
    for output in ("gross", "out"):
        began = time.monotonic()
        bench.load(output)
        seconds.append(time.monotonic() - began)
        states[output] = bench.state()
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    print(f"  a load takes {max(seconds):.2f} s; seed {seed}")
    there, killed = "out", 0
    for _ in range(KILLS):
        other = "gross" if there == "out" else "out"
        process = bench.start(other, bench.url())
        time.sleep(chance.uniform(0.0, max(seconds) * 1.4))
        process.kill()
        process.communicate()
        assert bench.state() in states.values(), f"neither run: seed {seed}"
        quiet_server(bench)
        seen = bench.state()
        assert seen in states.values(), f"neither run: seed {seed}"
        killed += seen == states[there]
        there = there if seen == states[there] else other
    print(f"  {killed} of {KILLS} kills came before the commit and left the old rows")
    assert killed > 0, "no kill came before the commit"
    for output in ("gross", "out"):
        bench.load(output)
        assert bench.state() == states[output]
    assert leftovers(bench) == "0", "staging tables are left"


def a_crash_of_the_server(bench: Bench) -> None:
    before = bench.state()
    process, blocker = held_up(bench)
    bench.server.stop("immediate")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 6 and "untouched" in err, f"exit {process.returncode}: {out}{err}"
    blocker.communicate()
    said = bench.load("gross", code=6)
    assert "check that the server runs" in said, said
    bench.server.start()
    assert bench.state() == before
    bench.load("gross")
    bench.load("out")
    assert bench.state() == before and leftovers(bench) == "0"


def a_commit_without_an_answer(bench: Bench) -> None:
    """The connection breaks at the commit, before it arrives or before its answer does: exit 9, and a repeat tells."""
    net = bench.state()
    for arrives in (False, True):
        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=serve, args=(listener, bench.server.port, arrives), daemon=True).start()
        port = listener.getsockname()[1]
        said = bench.load("gross", f"postgres://loader@127.0.0.1:{port}/shop?sslmode=disable", code=9)
        assert "it cannot be told whether run" in said and "load again" in said, said
        listener.close()
        quiet_server(bench)
        assert (bench.state() != net) == arrives
        assert ("already loaded" in bench.load("gross")) == arrives
        bench.load("out")
        assert bench.state() == net


def serve(listener: socket.socket, port: int, arrives: bool) -> None:
    """Passes connections on to the server, until a client commits: then they are cut."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        server = socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=pass_on, args=(server, client, False, True), daemon=True).start()
        threading.Thread(target=pass_on, args=(client, server, True, arrives), daemon=True).start()


def pass_on(source: socket.socket, sink: socket.socket, cuts: bool, arrives: bool) -> None:
    try:
        while data := source.recv(1 << 16):
            # Its message, whatever else came along in the same piece.
            commits = cuts and b"Q\0\0\0\x0bCOMMIT\0" in data
            if commits:
                # No answer goes back.
                source.shutdown(socket.SHUT_RDWR)
            if not commits or arrives:
                sink.sendall(data)
            if commits:
                time.sleep(0.5)
                break
    except OSError:
        pass
    # Closing alone says nothing to the other side while the thread of the other direction is still reading.
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def passwords(bench: Bench) -> None:
    in_url = f"postgres://loader:{{}}@127.0.0.1:{bench.server.port}/shop"
    bench.load("out", in_url.format(ENCODED), password=None)
    said = bench.load("out", in_url.format(WRONG), code=2)
    assert "password authentication failed" in said and "PGPASSWORD" in said, said
    bench.load("out", code=2, password=WRONG)
    bench.load("out", code=2, password=None)
    # Not encoded, and without --to: neither is repeated.
    bench.load("out", in_url.format(PASSWORD), code=2)
    clumsy = subprocess.run([bench.rfmill, "load", "out", in_url.format(WRONG)], cwd=bench.home, capture_output=True, text=True)
    assert clumsy.returncode == 2 and WRONG not in clumsy.stdout + clumsy.stderr, clumsy.stderr
    file = bench.home / ".pgpass"
    file.write_text(f"*:{bench.server.port}:shop:loader:{PASSWORD}\n")
    file.chmod(0o644)
    said = bench.load("out", code=2, password=None)
    assert "is not used, since others may read it" in said, said
    file.chmod(0o600)
    bench.load("out", password=None)
    file.unlink()


def tls(bench: Bench) -> None:
    authority = bench.server.folder / "ca.pem"

    def url(query: str, host: str = CERTIFIED_NAME) -> str:
        return bench.url(user="tlsonly", host=host, database="tls", query=query)

    for mode in ("prefer", "require"):
        bench.load("out", url(f"sslmode={mode}"))
    bench.load("out", url(f"sslmode=verify-full&sslrootcert={authority}"))
    said = bench.load("out", url("sslmode=disable"), code=2)
    assert "no encryption" in said, said
    said = bench.load("out", url("sslmode=verify-full"), code=2)
    assert "UnknownIssuer" in said and "sslrootcert" in said, said
    said = bench.load("out", url(f"sslmode=verify-full&sslrootcert={authority}", host="127.0.0.1"), code=2)
    assert "not valid for name" in said, said
    bench.load("out", url("sslmode=verify-full&sslrootcert=nowhere.pem"), code=2)
    bench.load("out", url("sslmode=always"), code=2)
    bench.server.stop()
    bench.server.start(tls=False)
    said = bench.load("out", bench.url(query="sslmode=require"), code=2)
    assert "server does not support TLS" in said, said
    bench.load("out", bench.url(query="sslmode=prefer"))


if __name__ == "__main__":
    sys.exit(main())
