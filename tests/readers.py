"""Read every table of a run with DuckDB, pyarrow and Polars, and check that all see the same rows and the same money.

    python tests/readers.py PATH/TO/rfmill        (needs benches/requirements.txt)

Makes the quickstart sample in a temporary folder, runs its job at two as-of dates, and asserts that

- every reader finds the row counts and exact sums that the others find, with `as_of` taken from the folder names,
- the states of each scheme add up to the customers and to their money,
- the ledger accounts for every input row and every unit of money, file by file.
"""

import glob
import json
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

# Table: the exact column that is summed.
TABLES = {"customers": "monetary", "segments": "revenue", "ledger": "amount", "cutpoints": "customers"}


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rfmill = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="rfmill-readers-") as folder:
        home = Path(folder)
        call(rfmill, "quickstart", home, "--orders", "50000")
        call(rfmill, "run", home / "quickstart.toml", "--as-of", "2024-05-31")
        tables = home / "out" / "tables"
        totals = {name: same_everywhere(tables, name, column) for name, column in TABLES.items()}
        check_written(home / "out", totals)
        check_segments(tables)
        check_ledger(home, tables)
        check_shared_names(rfmill, home)
    print("DuckDB, pyarrow and Polars agree.")
    return 0


def check_shared_names(rfmill: Path, home: Path) -> None:
    """Columns in which two schemes have a state of the same name, or two states the same action, are whole for all readers."""
    job = (home / "quickstart.toml").read_text()
    job = job.replace("[schemes]", '[playbook.segment]\n"At Risk" = "write"\n"Hibernating" = "write"\n\n[schemes]\nmore = "simple_lifecycle"')
    assert "[playbook" in job, "the quickstart's job has no section [schemes]"
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
    """The last run's manifest counts the rows that readers find."""
    manifest = json.loads((out / "latest" / "manifest.json").read_text(encoding="utf-8"))
    written = {table["name"]: table["rows"] for table in manifest["tables"]}
    read = {name: totals[name]["2024-05-31"][0] for name in TABLES}
    latest = out / "latest"
    for name in written.keys() - read.keys():
        files = f"{latest}/{name}/**/*.parquet" if (latest / name).is_dir() else f"{latest}/{name}.parquet"
        rows = {
            duckdb.sql(f"select count(*) from read_parquet('{files}')").fetchall()[0][0],
            sum(len(pq.read_table(file)) for file in glob.glob(files, recursive=True)),
            len(pl.read_parquet(files, hive_partitioning=True)),
        }
        assert len(rows) == 1, f"readers count {rows} rows of {name}"
        read[name] = rows.pop()
    assert written == read, f"the manifest counts {written}, readers {read}"


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
