"""Read every table of a run with seven readers, and check that all see the same rows and the same money.

    python tests/readers.py PATH/TO/rfmill [SECONDS]        (needs benches/requirements.txt; polls for SECONDS each way, 3)

Makes the quickstart sample in a temporary folder, runs its job at two as-of dates, and asserts that

- every reader finds the row counts and exact sums that the others find, with `as_of` taken from the folder names,
- the states of each scheme add up to the customers and to their money,
- the ledger accounts for every input row and every unit of money, file by file,
- every file below `tables/`, of a job with a strategy, too, is read by DuckDB, pyarrow, pandas, fastparquet, Polars, Tableau's Hyper
  API, whose oldest databases refuse numbers of 128 bits, and hyparquet in Node.js, with the same rows, sums and counts of values,
- a reader who resolves the link `tables` once sees one commit or no folder, while commits replace all dates; how many views of
  one who globs through the link are mixed is printed.
"""

import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from winback import SAMPLE, STRATEGY

# Table: the exact column that is summed.
TABLES = {"customers": "monetary", "segments": "revenue", "ledger": "amount", "cutpoints": "customers"}


def main() -> int:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    seconds = float(sys.argv[2]) if len(sys.argv) == 3 else 3.0
    rfmill = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="rfmill-readers-") as folder:
        home = Path(folder)
        call(rfmill, "quickstart", home, "--orders", "50000")
        call(rfmill, "run", home / "quickstart.toml", "--as-of", "2024-05-31")
        tables = home / "out" / "tables"
        totals = {name: same_everywhere(tables, name, column) for name, column in TABLES.items()}
        check_written(home / "out", totals)
        check_polling(rfmill, home, seconds)
        check_segments(tables)
        check_risk(rfmill, home, tables)
        check_ledger(home, tables)
        check_shared_names(rfmill, home)
        readers = check_all_files(rfmill, home / "all")
    print(f"{', '.join(readers)} agree.")
    return 0


def check_all_files(rfmill: Path, home: Path) -> list[str]:
    """Every file of every table, by every reader that is there: rows, sums of exact columns, and counts of values of the others."""
    home.mkdir()
    call(rfmill, "sample", home / "orders", "--orders", "40000", "--customers", "8000", *SAMPLE)
    # Dates without a trend have folders of their own.
    (home / "job.toml").write_text(
        'name = "readers"\n[orders]\npath = "orders/*.parquet"\ncustomer_id = "customer_id"\nordered_at = "ordered_at"\n'
        'amount = "amount"\norder_id = "order_id"\n[periods]\nevery = "quarter"\nfrom = 2024-04-01\nto = 2024-12-31\n'
        f'[output]\npath = "out"\nreport = []\n{STRATEGY}')
    call(rfmill, "run", home / "job.toml")
    call(rfmill, "run", home / "job.toml", "--as-of", "2024-12-31")
    files = sorted((home / "out" / "tables").resolve().rglob("*.parquet"))
    tables = {path.relative_to((home / "out" / "tables").resolve()).parts[0] for path in files}
    assert {"dim_date", "restatements", "effects", "arms", "movers", "state_history"} <= tables, tables
    summed = {path: {field.name: pa.types.is_integer(field.type) or pa.types.is_decimal(field.type) for field in pq.read_schema(path)}
              for path in files}
    want = totals_by_duckdb(summed, home)
    readers = {"pyarrow": totals_by_pyarrow, "pandas": totals_by_pandas, "fastparquet": totals_by_fastparquet, "Polars": totals_by_polars,
               "Hyper": totals_by_hyper, "hyparquet": totals_by_hyparquet}
    agreed = ["DuckDB"]
    for name, totals in readers.items():
        began, got = time.monotonic(), totals(summed, home)
        if got is None:
            print(f"{name}: skipped, it is not installed")
            continue
        for path in files:
            # Both make floats of decimals, and sums of `arms` have up to 128 bits.
            if name in ("fastparquet", "hyparquet") and path.name.startswith("arms"):
                continue
            # Without rows there is nothing to add: SQL says null, others 0.
            clean = [{key: value or 0 for key, value in values.items()} for values in (got[path], want[path])]
            assert clean[0] == clean[1], f"{path}: {name} reads {clean[0]}, DuckDB {clean[1]}"
        agreed.append(name)
        print(f"{name:<11} reads {len(files)} files of {len(tables)} tables as DuckDB does ({time.monotonic() - began:.1f} s)")
    return agreed


Columns = dict[Path, dict[str, bool]]
Totals = dict[Path, dict[str, Decimal | int | None]]


def expressions(columns: dict[str, bool]) -> str:
    """Rows, sums of exact columns, counts of values of others, as SQL."""
    parts = [f'sum("{name}")' if exact else f'count("{name}")' for name, exact in columns.items()]
    return ", ".join(["count(*)", *parts])


def scales_of(path: Path) -> dict[str, int]:
    """Digits after the point by column."""
    return {field.name: field.type.scale if pa.types.is_decimal(field.type) else 0 for field in pq.read_schema(path)}


def named(columns: dict[str, bool], values: list) -> dict[str, Decimal | int | None]:
    return {name: None if value is None else Decimal(str(value)) for name, value in zip(["rows", *columns], values, strict=True)}


def totals_by_duckdb(files: Columns, _: Path) -> Totals:
    def totals(path: Path, columns: dict[str, bool]) -> dict:
        (row,) = duckdb.sql(f"select {expressions(columns)} from read_parquet('{path}', hive_partitioning = false)").fetchall()
        return named(columns, list(row))

    return {path: totals(path, columns) for path, columns in files.items()}


def totals_by_pyarrow(files: Columns, _: Path) -> Totals:
    def total(column: pa.ChunkedArray, exact: bool) -> object:
        if not exact:
            return pc.count(column).as_py()
        scale = column.type.scale if pa.types.is_decimal(column.type) else 0
        return pc.sum(column.cast(pa.decimal128(38, scale))).as_py()

    def totals(path: Path, columns: dict[str, bool]) -> dict:
        table = pq.ParquetFile(path).read()
        return named(columns, [len(table), *(total(table[name], exact) for name, exact in columns.items())])

    return {path: totals(path, columns) for path, columns in files.items()}


def totals_of_frame(frame: pd.DataFrame, columns: dict[str, bool], scales: dict[str, int] | None = None) -> dict:
    def exactly(name: str, value: object) -> Decimal:
        # A reader that makes floats of decimals means those of the column's digits.
        return Decimal(str(value)) if scales is None else round(Decimal(str(value)), scales[name])

    def total(name: str, exact: bool) -> object:
        known = frame[name].dropna()
        return sum((exactly(name, value) for value in known.tolist()), Decimal(0)) if exact else len(known)

    return named(columns, [len(frame), *(total(name, exact) for name, exact in columns.items())])


def totals_by_pandas(files: Columns, _: Path) -> Totals:
    return {path: totals_of_frame(pd.read_parquet(path, engine="pyarrow", partitioning=None), columns) for path, columns in files.items()}


def totals_by_fastparquet(files: Columns, _: Path) -> Totals | None:
    try:
        import fastparquet
    except ImportError:
        return None

    def totals(path: Path, columns: dict[str, bool]) -> dict:
        with path.open("rb") as file:
            return totals_of_frame(fastparquet.ParquetFile(file).to_pandas(), columns, scales_of(path))

    return {path: totals(path, columns) for path, columns in files.items()}


def totals_by_polars(files: Columns, _: Path) -> Totals:
    def total(frame: pl.DataFrame, name: str, exact: bool) -> pl.Expr:
        if not exact:
            return pl.col(name).count().alias(name)
        kind = frame.schema[name]
        return pl.col(name).cast(pl.Decimal(38, kind.scale) if kind.is_decimal() else pl.Int64).sum().alias(name)

    def totals(path: Path, columns: dict[str, bool]) -> dict:
        frame = pl.read_parquet(path, hive_partitioning=False)
        sums = frame.select(pl.len().alias("rows"), *(total(frame, name, exact) for name, exact in columns.items())).row(0)
        return named(columns, list(sums))

    return {path: totals(path, columns) for path, columns in files.items()}


def totals_by_hyper(files: Columns, home: Path) -> Totals | None:
    """In databases of the oldest version but for `arms`, whose sums have 128 bits."""
    try:
        import tableauhyperapi as hyper
    except ImportError:
        return None
    found: Totals = {}
    for version, of_arms in (("0", False), ("3", True)):
        settings = {"log_config": "", "default_database_version": version}
        with hyper.HyperProcess(hyper.Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters=settings) as process:
            database = home / f"version{version}.hyper"
            with hyper.Connection(process.endpoint, database, hyper.CreateMode.CREATE_AND_REPLACE) as connection:
                for number, (path, columns) in enumerate(files.items()):
                    if path.name.startswith("arms") != of_arms:
                        continue
                    source = f"external({hyper.escape_string_literal(str(path))}, FORMAT => 'parquet')"
                    connection.execute_command(f"CREATE TABLE t{number} AS SELECT * FROM {source}")
                    found[path] = named(columns, connection.execute_list_query(f"SELECT {expressions(columns)} FROM t{number}")[0])
    return found


HYPARQUET = """
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { readFileSync } from 'fs'
const files = JSON.parse(readFileSync(process.argv[2], 'utf8')), found = []
for (const { path, columns } of files) {
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors })
  const values = columns.map(({ name, exact, scale }) => {
    const known = rows.map(row => row[name]).filter(value => value !== null && value !== undefined)
    // Decimals are numbers of JavaScript: their digits are those of money up to 2^53.
    return exact ? known.reduce((sum, value) => sum + BigInt(Math.round(Number(value) * 10 ** scale)), 0n).toString() : known.length
  })
  found.push([rows.length, ...values])
}
console.log(JSON.stringify(found))
"""


def totals_by_hyparquet(files: Columns, home: Path) -> Totals | None:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "rfmill" / "node"
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    cache.mkdir(parents=True, exist_ok=True)
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", "hyparquet@1.33.0", "hyparquet-compressors@1.1.2"]
    if not (cache / "node_modules" / "hyparquet-compressors").exists() and subprocess.run(install, cwd=cache).returncode != 0:
        return None
    scales = {path: scales_of(path) for path in files}
    asked = [{"path": str(path), "columns": [{"name": name, "exact": exact, "scale": scales[path][name]} for name, exact in columns.items()]}
             for path, columns in files.items()]
    (home / "asked.json").write_text(json.dumps(asked))
    (cache / "totals.mjs").write_text(HYPARQUET)
    done = subprocess.run(["node", "totals.mjs", str(home / "asked.json")], cwd=cache, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: Totals = {}
    for (path, columns), values in zip(files.items(), json.loads(done.stdout), strict=True):
        scaled = [Decimal(value).scaleb(-scales[path][name]) if exact else value for (name, exact), value in zip(columns.items(), values[1:], strict=True)]
        found[path] = named(columns, [values[0], *scaled])
    return found


def check_risk(rfmill: Path, home: Path, tables: Path) -> None:
    """The view kpis speaks of the first scheme that marks states at risk, and adds up what segments says of these states."""
    db = duckdb.connect()
    schema = [str(rfmill), "schema", "--tables", str(home / "quickstart.toml"), "--format", "duckdb"]
    db.execute(subprocess.run(schema, check=True, capture_output=True, text=True).stdout)
    found = db.execute("SELECT as_of, customers_at_risk, revenue_at_risk, annual_value, risk_scheme FROM kpis "
                       "WHERE dimension = '(all)' AND slice = '(all)' ORDER BY as_of").fetchall()
    marked = ("Need Attention", "About to Sleep", "Can't Lose", "At Risk")
    rows = pl.read_parquet(f"{tables.resolve()}/segments/*/*.parquet", hive_partitioning=True).filter(
        (pl.col("scheme") == "segment") & (pl.col("dimension") == "(all)"))
    for as_of, customers, money, value, scheme in found:
        of_date = rows.filter(pl.col("as_of") == as_of)
        risk = of_date.filter(pl.col("state").is_in(marked))
        assert scheme == "segment" and risk["customers"].sum() == customers, f"kpis of {as_of}"
        assert risk["annual_value"].sum() == money == risk["revenue_at_risk"].sum(), f"revenue at risk of {as_of}"
        assert of_date["annual_value"].sum() == value > money, f"annual value of {as_of}"
        assert of_date.filter(~pl.col("state").is_in(marked))["revenue_at_risk"].null_count() > 0
    assert len(found) > 1


def check_shared_names(rfmill: Path, home: Path) -> None:
    """Columns in which two schemes have a state of the same name, or two states the same action, are whole for all readers."""
    job = (home / "quickstart.toml").read_text()
    job = job.replace("[schemes]", '[schemes]\nmore = "simple_lifecycle"').replace("[playbook.segment]", '[playbook.segment]\nHibernating = "call"')
    assert "more =" in job and job.count('= "call"') == 2, "the quickstart's job has no [schemes], or no playbook"
    (home / "shared.toml").write_text(job.replace('path = "out"', 'path = "shared"'))
    call(rfmill, "run", home / "shared.toml")
    seen = set()
    for path in sorted((home / "shared").resolve().joinpath("latest").resolve().glob("**/*.parquet")):
        table = pq.read_table(path)
        table.validate(full=True)
        frame, rows = table.to_pandas(), pl.read_parquet(path)
        for name in (field.name for field in table.schema if pa.types.is_dictionary(field.type)):
            column = table[name]
            assert all(len(chunk.dictionary.unique()) == len(chunk.dictionary) for chunk in column.chunks), f"{path.name}: {name}"
            values = column.to_pylist()
            assert values == rows[name].to_list() and len(frame) == len(values), f"{path.name}: {name}"
            seen.add(name)
    assert {"scheme", "from_state", "to_state", "state", "action"} <= seen, seen


def call(rfmill: Path, *arguments: object) -> None:
    subprocess.run([str(rfmill), *map(str, arguments), "--quiet"], check=True)


def same_everywhere(tables: Path, name: str, column: str) -> dict[str, tuple[int, Decimal]]:
    """Rows and sum per as-of date, which must be the same for all three readers."""
    seen = {"duckdb": by_duckdb(tables, name, column), "pyarrow": by_pyarrow(tables, name, column), "polars": by_polars(tables, name, column)}
    for reader, totals in seen.items():
        assert totals == seen["duckdb"], f"{name}: {reader} reads {totals}, duckdb {seen['duckdb']}"
    totals = seen["duckdb"]
    assert {"2024-05-31", "2024-12-31"} <= totals.keys(), f"{name} has the as-of dates {sorted(totals)}"
    for as_of, (rows, total) in sorted(totals.items()):
        print(f"{name:<10} {as_of}: {rows:>7,} rows, sum of {column} {total:,}")
    return totals


def scan(tables: Path, name: str) -> str:
    return f"read_parquet('{tables}/{name}/*/*.parquet', hive_partitioning = true)"


def by_duckdb(tables: Path, name: str, column: str) -> dict[str, tuple[int, Decimal]]:
    rows = duckdb.sql(f"select as_of, count(*), sum({column})::decimal(38, 2) from {scan(tables, name)} group by as_of").fetchall()
    return {str(as_of): (count, Decimal(total)) for as_of, count, total in rows}


def by_pyarrow(tables: Path, name: str, column: str) -> dict[str, tuple[int, Decimal]]:
    partitioning = ds.partitioning(pa.schema([("as_of", pa.date32())]), flavor="hive")
    table = ds.dataset(tables / name, partitioning=partitioning).to_table(columns=["as_of", column])
    out = {}
    for as_of in pc.unique(table["as_of"]).to_pylist():
        values = table.filter(pc.equal(table["as_of"], as_of))[column]
        out[str(as_of)] = (len(values), Decimal(pc.sum(values.cast(pa.decimal128(38, 2))).as_py()))
    return out


def by_polars(tables: Path, name: str, column: str) -> dict[str, tuple[int, Decimal]]:
    frame = pl.read_parquet(f"{tables}/{name}/*/*.parquet", hive_partitioning=True)
    rows = frame.group_by("as_of").agg(pl.len(), pl.col(column).cast(pl.Decimal(38, 2)).sum().alias("total")).rows()
    return {str(as_of): (count, Decimal(total)) for as_of, count, total in rows}


def check_written(out: Path, totals: dict[str, dict[str, tuple[int, Decimal]]]) -> None:
    """The manifest of the run as of May counts the rows that readers find. `latest` names the other, of a newer date."""
    assert json.loads((out / "latest" / "manifest.json").read_text(encoding="utf-8"))["as_of"][-1] == "2024-12-31"
    (run,) = [run for run in (out / "runs").iterdir() if run != (out / "latest").resolve()]
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    # Rows of the trend are in the run's own files, and not in tables/.
    dated = {table["name"]: [file["rows"] for file in table["files"] if "as_of=2024-05-31" in file["path"]] for table in manifest["tables"]}
    whole = {table["name"]: table["rows"] for table in manifest["tables"]}
    written = {name: sum(dated[name]) if name in TABLES and dated[name] else rows for name, rows in whole.items()}
    read = {name: totals[name]["2024-05-31"][0] for name in TABLES}
    for name in written.keys() - read.keys():
        files = f"{run}/{name}/**/*.parquet" if (run / name).is_dir() else f"{run}/{name}.parquet"
        rows = {
            duckdb.sql(f"select count(*) from read_parquet('{files}')").fetchall()[0][0],
            sum(len(pq.read_table(file)) for file in glob.glob(files, recursive=True)),
            len(pl.read_parquet(files, hive_partitioning=True)),
        }
        assert len(rows) == 1, f"readers count {rows} rows of {name}"
        read[name] = rows.pop()
    assert written == read, f"the manifest counts {written}, readers {read}"


def polled_by_duckdb(customers: Path) -> dict[str, int]:
    return dict(duckdb.sql(f"select as_of::varchar, count(*) from read_parquet('{customers}/*/*.parquet', hive_partitioning = true) group by 1").fetchall())


def polled_by_pyarrow(customers: Path) -> dict[str, int]:
    table = ds.dataset(customers, partitioning=ds.partitioning(pa.schema([("as_of", pa.string())]), flavor="hive")).to_table(columns=["as_of"])
    return Counter(table["as_of"].to_pylist())


def polled_by_polars(customers: Path) -> dict[str, int]:
    rows = pl.scan_parquet(f"{customers}/*/*.parquet", hive_partitioning=True).group_by("as_of").agg(pl.len()).collect().rows()
    return {str(as_of): count for as_of, count in rows}


def polled_as_spark(customers: Path) -> dict[str, int]:
    """Lists all folders first, and opens the files later, as Spark's driver and its executors do."""
    files = [(folder.name.removeprefix("as_of="), path) for folder in sorted(customers.iterdir()) for path in folder.iterdir()]
    counts: Counter[str] = Counter()
    for as_of, path in files:
        counts[as_of] += pq.read_metadata(path).num_rows
    return counts


POLLED = {"DuckDB": polled_by_duckdb, "pyarrow": polled_by_pyarrow, "Polars": polled_by_polars, "Spark's way": polled_as_spark}


def check_polling(rfmill: Path, home: Path, seconds: float) -> None:
    """Two runs of the same dates are committed in turn, and each commit replaces all of them: every view must be one or the other."""
    lines = (home / "quickstart.toml").read_text().replace('path = "out"', 'path = "polled"\nreport = []').splitlines(keepends=True)
    (home / "polled.toml").write_text("".join(line for line in lines if not line.startswith('report = ["')))
    commands = [(home / "polled.toml",), (home / "polled.toml", "--set", 'orders.keep=[{column = "customer_id", max = 3000}]')]
    tables, allowed = home / "polled" / "tables", []
    for command in commands:
        call(rfmill, "run", *command)
        allowed.append(polled_by_duckdb(tables.resolve() / "customers"))
    assert allowed[0] != allowed[1] and allowed[0].keys() == allowed[1].keys(), allowed
    done, commits = threading.Event(), [0]

    def commit() -> None:
        while not done.is_set():
            call(rfmill, "run", *commands[commits[0] % 2])
            commits[0] += 1

    writer = threading.Thread(target=commit)
    writer.start()
    try:
        for name, poll in POLLED.items():
            resolved = polled(poll, lambda: tables.resolve() / "customers", allowed, seconds)
            through = polled(poll, lambda: tables / "customers", allowed, seconds)
            print(f"{name:<11} resolved: {described(resolved)}; through the link: {described(through)}")
            assert resolved["mixed"] == 0, f"{name} saw a mixed view though it resolved the link"
            assert resolved["whole"] > 0, f"{name} saw no view"
    finally:
        done.set()
        writer.join()
    print(f"{commits[0]} commits meanwhile")


def polled(poll: Callable[[Path], dict[str, int]], where: Callable[[], Path], allowed: list[dict[str, int]], seconds: float) -> Counter[str]:
    seen: Counter[str] = Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            view = dict(poll(where()))
        except Exception as error:
            # The folder is that of two commits ago, and gone.
            assert "No such file" in str(error) or "No files found" in str(error) or "expanded paths were empty" in str(error) or "Cannot open file" in str(error), error
            seen["gone"] += 1
            continue
        seen["whole" if view in allowed else "mixed"] += 1
    return seen


def described(seen: Counter[str]) -> str:
    total = sum(seen.values())
    return f"{seen['mixed']} of {total} views mixed ({seen['mixed'] / total:.2%}), {seen['gone']} ended without a folder"


def check_segments(tables: Path) -> None:
    customers = duckdb.sql(f"select as_of, count(*), sum(monetary) from {scan(tables, 'customers')} group by as_of").fetchall()
    want = {(as_of, scheme): (count, money) for as_of, count, money in customers for scheme in ("segment", "lifecycle")}
    segments = duckdb.sql(f"select as_of, scheme, sum(customers), sum(revenue) from {scan(tables, 'segments')} group by all").fetchall()
    got = {(as_of, scheme): (int(count), money) for as_of, scheme, count, money in segments}
    assert got == want, f"segments add up to {got}, customers to {want}"
    for scheme in ("segment", "lifecycle"):
        per_state = f"select as_of, {scheme}::varchar as state, count(*) as n from {scan(tables, 'customers')} group by all"
        in_table = f"select as_of, state::varchar, customers from {scan(tables, 'segments')} where scheme = '{scheme}'"
        for left, right in ((per_state, in_table), (in_table, per_state)):
            differing = duckdb.sql(f"({left}) except all ({right})").fetchall()
            assert not differing, f"{scheme}: customers and segments differ in {differing}"


def check_ledger(home: Path, tables: Path) -> None:
    for as_of in ("2024-05-31", "2024-12-31"):
        ledger = duckdb.sql(
            f"select file, sum(row_count), sum(amount) from {scan(tables, 'ledger')} where as_of = '{as_of}' group by file"
        ).fetchall()
        got = {file: (int(rows), amount) for file, rows, amount in ledger}
        want = {}
        for path in sorted((home / "orders").glob("*.parquet")):
            amounts = pq.read_table(path, columns=["amount"])["amount"].cast(pa.decimal128(38, 2))
            want[f"orders/{path.name}"] = (pq.read_metadata(path).num_rows, pc.sum(amounts).as_py())
        assert got == want, f"{as_of}: the ledger accounts for {got}, the input holds {want}"


if __name__ == "__main__":
    sys.exit(main())
