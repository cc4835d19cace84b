"""Make the TPC-H orders that the benchmarks read.

    python benches/make_data.py FOLDER [--scale-factor 10] [--string-ids]

FOLDER/orders receives eight Parquet files as tpchgen-cli writes them by default (Snappy, row groups of about 7 MiB).
With --string-ids, FOLDER/orders_str receives a copy in which o_custkey is the text 'C' followed by the number, file by
file and with row groups of about the same number of rows.

Files that are already there are kept. The generator is deterministic, so equal arguments and versions make equal orders.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

PARTS = 8


def part_names(folder: Path) -> list[Path]:
    return [folder / f"orders.{part}.parquet" for part in range(1, PARTS + 1)]


def generator() -> str:
    """The tpchgen-cli beside this interpreter, or else the one on PATH."""
    beside = Path(sys.executable).parent / "tpchgen-cli"
    found = str(beside) if beside.exists() else shutil.which("tpchgen-cli")
    if found is None:
        sys.exit("tpchgen-cli was not found: install benches/requirements.txt into the interpreter that runs this script.")
    return found


def make_orders(folder: Path, scale_factor: float) -> Path:
    """FOLDER/orders with integer customer ids; returns that folder."""
    orders = folder / "orders"
    if all(path.exists() for path in part_names(orders)):
        return orders
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            generator(),
            "parquet",
            f"--scale-factor={scale_factor:g}",
            "--tables=orders",
            f"--parts={PARTS}",
            "--overwrite",
            f"--output-dir={folder}",
        ],
        check=True,
    )
    missing = [path.name for path in part_names(orders) if not path.exists()]
    if missing:
        sys.exit(f"tpchgen-cli did not write {', '.join(missing)} into {orders}.")
    return orders


def make_string_copy(folder: Path) -> Path:
    """FOLDER/orders_str, the same orders with text customer ids; returns that folder."""
    import duckdb

    source, target = folder / "orders", folder / "orders_str"
    target.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    for original, copy in zip(part_names(source), part_names(target)):
        if copy.exists():
            continue
        rows, groups = connection.execute(
            "SELECT any_value(num_rows), any_value(num_row_groups) FROM parquet_file_metadata(?)", [str(original)]
        ).fetchone()
        unfinished = copy.with_suffix(".part")
        connection.execute(
            f"""
            COPY (SELECT * REPLACE ('C' || o_custkey AS o_custkey) FROM read_parquet({quoted(original)}))
            TO {quoted(unfinished)} (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {-(-rows // groups)})
            """
        )
        unfinished.rename(copy)
    return target


def quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def main() -> None:
    arguments = argparse.ArgumentParser(description="Make the TPC-H orders that the benchmarks read.")
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--scale-factor", type=float, default=10.0)
    arguments.add_argument("--string-ids", action="store_true", help="also write a copy with text customer ids")
    options = arguments.parse_args()
    made = [make_orders(options.folder, options.scale_factor)]
    if options.string_ids:
        made.append(make_string_copy(options.folder))
    for folder in made:
        sizes = [path.stat().st_size for path in part_names(folder)]
        print(f"{folder}: {len(sizes)} files, {sum(sizes):,} bytes")


if __name__ == "__main__":
    main()
