"""Join every table with every dimension, as analysts do, and check that no join changes rows or totals.

    python tests/bi.py PATH/TO/rfmill        (needs benches/requirements.txt)

Makes the quickstart sample with a shop column and a customers table, and an output of several runs: dates before and after each
other, a part of a quarter, a date that was run again, one that was dropped, and schemes that changed on the way. In the database
of views that `rfmill schema --format duckdb` makes it asserts that

- the keys and labels of `dim_state`, `dim_period` and `dim_date` are unique, and the calendar has every date of every table,
- each table joined with all dimensions it can be has its own rows and its own totals,
- views have one row per key, and their totals are those of `customers`,
- at dates that 0.1.0 wrote, revenue at risk is that of states at risk.
"""

import shutil
import subprocess
import sys
import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

FIXTURE = Path(__file__).parent / "data" / "output-0.1.0"

# Every table with the dimensions that can be joined to it: (dimension, its key, columns of the table).
STATE, PERIOD, DAY = ("dim_state", ("scheme", "state")), ("dim_period", ("as_of",)), ("dim_date", ("day",))
JOINS = {
    "segments": [(*STATE, ("scheme", "state")), (*PERIOD, ("as_of",)), (*DAY, ("as_of",))],
    "transitions": [(*STATE, ("scheme", "from_state")), (*STATE, ("scheme", "to_state")), (*PERIOD, ("as_of",)),
                    (*DAY, ("as_of",)), (*DAY, ("from_as_of",))],
    "movers": [(*STATE, ("scheme", "from_state")), (*STATE, ("scheme", "to_state")), (*PERIOD, ("as_of",)), (*DAY, ("from_as_of",))],
    "state_history": [(*STATE, ("scheme", "state")), (*DAY, ("valid_from",)), (*DAY, ("valid_to",)), (*PERIOD, ("as_of",))],
    "customers": [(*PERIOD, ("as_of",)), (*DAY, ("as_of",)), (*DAY, ("first_order",)), (*DAY, ("last_order",)), (*DAY, ("next_due",)),
                  (*STATE, ("'segment'", "segment")), (*STATE, ("'lifecycle'", "lifecycle"))],
    "growth": [(*STATE, ("scheme", "from_state")), (*PERIOD, ("as_of",)), (*DAY, ("as_of",)), (*DAY, ("from_as_of",))],
    "cohorts": [(*PERIOD, ("as_of",)), (*DAY, ("cohort_start",)), (*DAY, ("cohort_end",))],
    "concentration": [(*PERIOD, ("as_of",)), (*DAY, ("as_of",))],
    "affinity": [(*PERIOD, ("as_of",)), (*DAY, ("as_of",))],
    "cutpoints": [(*PERIOD, ("as_of",)), (*DAY, ("as_of",))],
    "ledger": [(*PERIOD, ("as_of",)), (*DAY, ("as_of",))],
    "restatements": [(*PERIOD, ("as_of",)), (*PERIOD, ("told_as_of",)), (*DAY, ("told_as_of",))],
}
# Keys of the views.
VIEWS = {
    "current_customers": "slice, customer_id",
    "current_segments": "slice, dimension, dimension_value, scheme, state",
    "segment_history": "as_of, slice, state",
    "movement": "as_of, from_as_of, slice, dimension, dimension_value, scheme, from_state, to_state",
    "kpis": "as_of, slice, dimension, dimension_value",
    "year_over_year": "as_of, slice, dimension, dimension_value",
}
MARKED = ("Need Attention", "About to Sleep", "Can't Lose", "At Risk")


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rfmill = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="rfmill-bi-") as folder:
        home = Path(folder)
        database = history(rfmill, home)
        check_dimensions(database)
        check_joins(database)
        check_views(database)
        check_0_1_0(rfmill, home / "old")
    print("No join doubles or loses a row.")
    return 0


def call(rfmill: Path, *arguments: object) -> None:
    subprocess.run([str(rfmill), *map(str, arguments), "--quiet"], check=True)


def verify(rfmill: Path, output: Path) -> None:
    done = subprocess.run([rfmill, "verify", output], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def views_of(rfmill: Path, job: Path) -> duckdb.DuckDBPyConnection:
    schema = [str(rfmill), "schema", "--tables", str(job), "--format", "duckdb"]
    database = duckdb.connect()
    database.execute(subprocess.run(schema, check=True, capture_output=True, text=True).stdout)
    return database


def history(rfmill: Path, home: Path) -> duckdb.DuckDBPyConnection:
    call(rfmill, "quickstart", home, "--orders", "30000")
    shutil.rmtree(home / "out")
    for path in sorted((home / "orders").glob("*.parquet")):
        orders = pq.read_table(path)
        shops = pa.array(["north" if number % 3 else "south" for number in orders["order_id"].to_pylist()])
        pq.write_table(orders.append_column("shop", shops), path)
    ids = duckdb.sql(f"SELECT DISTINCT customer_id FROM '{home}/orders/*.parquet' WHERE customer_id IS NOT NULL ORDER BY 1").fetchall()
    regions = pa.array(["east" if number % 2 else "west" for (number,) in ids])
    pq.write_table(pa.table({"customer_id": pa.array([number for (number,) in ids]), "region": regions}), home / "customers.parquet")
    columns = '["first_order", "last_order", "frequency", "monetary", "annual_value", "next_due", "segment", "lifecycle"]'
    lines = (home / "quickstart.toml").read_text().splitlines(keepends=True)
    plain = "".join(line for line in lines if not line.startswith("report = "))
    plain = plain.replace('[schemes]', '[customers]\npath = "customers.parquet"\ncustomer_id = "customer_id"\ndimensions = ["region"]\n\n[schemes]')
    plain = plain.replace('order_id = "order_id"', 'order_id = "order_id"\nslice = "shop"').replace('path = "out"', f'path = "out"\ncolumns = {columns}\nreport = []\nkeep_runs = 2')
    job = home / "job.toml"
    changed = plain.replace('segment = "standard"', 'segment = "rf_grid"\nactivity = "simple_lifecycle"')
    assert len({plain, changed, (home / "quickstart.toml").read_text()}) == 3
    for text, as_of in ((changed, "2024-03-31"), (changed, "2024-05-31"), (changed, "2024-06-30"), (plain, "2024-11-30"),
                        (plain, "2024-12-31"), (plain, "2024-12-30"), (plain, "2024-06-30"), (plain, "2023-12-31")):
        job.write_text(text)
        call(rfmill, "run", job, "--as-of", as_of)
    call(rfmill, "drop", home / "out", "--as-of", "2024-11-30")
    verify(rfmill, home / "out")
    return views_of(rfmill, job)


def check_dimensions(database: duckdb.DuckDBPyConnection) -> None:
    def rows(sql: str) -> list[tuple]:
        return database.sql(sql).fetchall()

    for name, key, label in (("dim_state", "scheme, state", "scheme, label_en"), ("dim_state", "scheme, state", "scheme, label_zh_hans"),
                             ("dim_period", "as_of", "label"), ("dim_date", "day", "label")):
        last = label.split(", ")[-1]
        for columns in (key, label):
            twice = rows(f"SELECT {columns}, count(*) FROM {name} WHERE {last} IS NOT NULL GROUP BY {columns} HAVING count(*) > 1")
            assert not twice, f"{name}: {twice}"
    labels = rows("SELECT as_of::VARCHAR, label FROM dim_period ORDER BY 1")
    assert labels == [("2023-12-31", "2023 Q4"), ("2024-03-31", "2024 Q1"), ("2024-05-31", "2024 Q2 to 31 May"),
                      ("2024-06-30", "2024 Q2"), ("2024-12-30", "2024 Q4 to 30 Dec"), ("2024-12-31", "2024 Q4")], labels
    # The definitions changed between March or May, and the dates that were run with the others.
    hashes = dict(rows("SELECT as_of::VARCHAR, definitions_hash FROM dim_period"))
    old, new = {hashes["2024-03-31"], hashes["2024-05-31"]}, {hashes[day] for day in ("2023-12-31", "2024-06-30", "2024-12-31")}
    assert len(old) == len(new) == 1 and old != new, hashes
    gone = rows("SELECT DISTINCT scheme, is_current, last_as_of::VARCHAR FROM dim_state WHERE scheme = 'activity'")
    assert gone == [("activity", False, "2024-05-31")], gone
    # Python's own calendar knows every day, too.
    for day, label, iso_year, iso_week, weekday, quarter in rows("SELECT day, label, iso_year, iso_week, day_of_week, quarter FROM dim_date"):
        iso = day.isocalendar()
        assert (iso_year, iso_week, weekday, quarter) == (iso[0], iso[1], iso[2], (day.month + 2) // 3), day
        assert label == f"{day.day} {day:%b %Y}", day
    dates = rows("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'main' AND data_type = 'DATE' "
                 "AND table_name NOT LIKE 'dim%'")
    assert {("customers", "next_due"), ("cohorts", "cohort_start")} <= set(dates), dates
    for table, column in dates:
        missing = rows(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT day FROM dim_date)")
        assert not missing, f"dim_date lacks {missing} of {table}.{column}"
    print(f"{len(labels)} periods, {len(dates)} columns of dates, all in the calendar")


def check_joins(database: duckdb.DuckDBPyConnection) -> None:
    dimensions = {"dim_state", "dim_period", "dim_date"}
    tables = {row[0] for row in database.sql("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()}
    assert tables - dimensions - VIEWS.keys() == JOINS.keys(), f"not joined: {tables - dimensions - VIEWS.keys() ^ JOINS.keys()}"
    for table, joins in JOINS.items():
        columns = database.sql(f"DESCRIBE {table}").fetchall()
        numbers = [row[0] for row in columns if row[1].startswith(("DECIMAL", "BIGINT", "INTEGER"))]
        sums = ", ".join(["count(*)", *(f'sum(t."{name}")' for name in numbers)])
        totals = database.sql(f"SELECT {sums} FROM {table} AS t").fetchall()
        assert totals[0][0] > 0, f"{table} has no rows"
        # All at once, and each alone; what must have a partner loses no row to an inner join.
        everything = " ".join(clause(number, *join, "LEFT") for number, join in enumerate(joins))
        assert database.sql(f"SELECT {sums} FROM {table} AS t {everything}").fetchall() == totals, f"{table} with all dimensions"
        for number, join in enumerate(joins):
            of_table = join[2]
            present = " AND ".join(f"t.{column} IS NOT NULL" for column in of_table if not column.startswith("'"))
            present += " AND t.from_state <> '(all)'" if table == "growth" and "from_state" in of_table else ""
            if table == "restatements" and of_table == ("told_as_of",) and join[0] == "dim_period":
                continue  # Dates of a trend are told, too, and are none in view.
            alone = database.sql(f"SELECT {sums} FROM {table} AS t WHERE {present}").fetchall()
            joined = database.sql(f"SELECT {sums} FROM {table} AS t {clause(number, *join, 'INNER')} WHERE {present}").fetchall()
            assert joined == alone, f"{table} with {join[0]} by {of_table}: {joined}, alone {alone}"
        print(f"{table}: {totals[0][0]:,} rows and {len(numbers)} sums, alike in {len(joins)} joins")


def clause(number: int, dimension: str, key: tuple[str, ...], columns: tuple[str, ...], kind: str) -> str:
    on = " AND ".join(f"d{number}.{of_dimension} = {of_table if of_table.startswith(chr(39)) else 't.' + of_table}"
                      for of_dimension, of_table in zip(key, columns, strict=True))
    return f"{kind} JOIN {dimension} AS d{number} ON {on}"


def check_views(database: duckdb.DuckDBPyConnection) -> None:
    def rows(sql: str) -> list[tuple]:
        return database.sql(sql).fetchall()

    for view, key in VIEWS.items():
        twice = rows(f"SELECT {key}, count(*) FROM {view} GROUP BY {key} HAVING count(*) > 1")
        assert not twice and rows(f"SELECT count(*) > 0 FROM {view}") == [(True,)], f"{view}: {twice}"
    # What the views say of a date and a slice is what customers says of it. Who never ordered is in no slice.
    want = rows("SELECT as_of, slice, count(*), sum(frequency)::BIGINT, sum(monetary), sum(annual_value) FROM customers WHERE slice IS NOT NULL GROUP BY ALL ORDER BY ALL")
    assert len(want) == 6 * 2, want
    kpis = rows("SELECT as_of, slice, customers, orders, revenue, annual_value FROM kpis WHERE dimension = '(all)' AND slice <> '(none)' ORDER BY ALL")
    assert kpis == want, f"kpis: {kpis}, customers: {want}"
    states = rows("SELECT as_of, slice, sum(customers)::BIGINT, sum(orders)::BIGINT, sum(revenue), sum(annual_value) FROM segment_history WHERE slice <> '(none)' GROUP BY ALL ORDER BY ALL")
    assert states == want, f"segment_history: {states}, customers: {want}"
    # Risk is that of the states which the scheme marks, also where another scheme had other states.
    marked = ", ".join("'" + state.replace("'", "''") + "'" for state in MARKED)
    risk = rows(f"SELECT as_of, slice, sum(annual_value) FILTER (segment IN ({marked})), count(*) FILTER (segment IN ({marked})) FROM customers WHERE slice IS NOT NULL GROUP BY ALL ORDER BY ALL")
    assert rows("SELECT as_of, slice, revenue_at_risk, customers_at_risk FROM kpis WHERE dimension = '(all)' AND slice <> '(none)' ORDER BY ALL") == risk
    assert rows("SELECT as_of, slice, sum(revenue_at_risk), sum(customers_at_risk)::BIGINT FROM segment_history WHERE slice <> '(none)' GROUP BY ALL ORDER BY ALL") == risk
    by_region = rows("SELECT as_of, slice, sum(customers)::BIGINT FROM kpis WHERE dimension = 'region' AND slice <> '(none)' GROUP BY ALL ORDER BY ALL")
    assert by_region == [row[:3] for row in want], "the regions add up to everybody"
    beside = rows("SELECT as_of::VARCHAR, same_period_last_year::VARCHAR FROM year_over_year WHERE dimension = '(all)' AND slice = 'north' AND customers_last_year > 0")
    assert beside == [("2024-12-31", "2023-12-31")], beside
    nearest = rows("SELECT DISTINCT as_of::VARCHAR, from_as_of::VARCHAR FROM movement WHERE is_nearest AND as_of >= '2024-12-30' ORDER BY 1")
    assert len(nearest) == 2, nearest
    print(f"{len(VIEWS)} views have one row per key and the totals of customers")


def check_0_1_0(rfmill: Path, home: Path) -> None:
    """An output of 0.1.0 that this version goes on with: its segments have the annual value of everybody in revenue_at_risk."""
    home.mkdir()
    shutil.copytree(FIXTURE, home / "out", symlinks=True)
    days = [date.fromisoformat(day) for day in ("2024-01-05", "2024-03-01", "2024-02-10", "2024-11-30", "2024-05-05", "2024-06-01", "2024-12-24", "2024-12-31")]
    amounts = [Decimal(cents) / 100 for cents in (1000, 2550, 499, 12000, 7500, 1999, 305, 60000)]
    (home / "orders").mkdir()
    columns = {"customer_id": [1, 1, 2, 2, 3, 4, 4, 5], "ordered_at": pa.array(days), "amount": pa.array(amounts, pa.decimal128(10, 2))}
    pq.write_table(pa.table(columns), home / "orders" / "a.parquet")
    (home / "job.toml").write_text(
        'name = "test"\n[orders]\npath = "orders"\ncustomer_id = "customer_id"\nordered_at = "ordered_at"\namount = "amount"\n'
        '[periods]\nas_of = [2025-01-31]\n[output]\npath = "out"\nreport = []\n')
    call(rfmill, "run", home / "job.toml")
    verify(rfmill, home / "out")
    database = views_of(rfmill, home / "job.toml")
    old = "as_of < '2025-01-01' AND dimension = '(all)'"
    marked = ", ".join("'" + state.replace("'", "''") + "'" for state in MARKED)
    raw = (f"SELECT as_of, coalesce(sum(revenue_at_risk) FILTER (state IN ({marked})), 0), sum(revenue_at_risk) FROM segments "
           f"WHERE scheme = 'segment' AND {old} GROUP BY as_of ORDER BY as_of")
    want = database.sql(raw).fetchall()
    found = database.sql(f"SELECT as_of, revenue_at_risk, annual_value FROM kpis WHERE {old} ORDER BY as_of").fetchall()
    assert found == want and len(want) == 3 and any(at_risk != everybody for _, at_risk, everybody in want), f"{found}, {want}"
    summed = ("SELECT as_of, coalesce(sum(revenue_at_risk), 0), sum(annual_value) FROM segment_history "
              "WHERE as_of < '2025-01-01' GROUP BY as_of ORDER BY as_of")
    assert database.sql(summed).fetchall() == want
    print(f"0.1.0: at risk is {want[-1][1]} of {want[-1][2]} at {want[-1][0]}")


if __name__ == "__main__":
    sys.exit(main())
