"""What decoding the needed columns and encoding the customers table take alone, in the best library at hand.

    python benches/peers/limits.py decode GLOB --columns a,b,c [--threads N]
    python benches/peers/limits.py encode GLOB OUT_FOLDER [--threads N]

`decode` reads the columns of Parquet files into memory; `encode` writes tables that are in memory already, as Parquet files with zstd.
Each library runs in a process of its own, three times; what is printed as JSON is the least CPU time of the two, with its wall time.
Starting Python and importing libraries are left out.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from glob import glob
from pathlib import Path

LIBRARIES = ("pyarrow", "polars")
REPEATS = 3


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("work", choices=("decode", "encode"))
    arguments.add_argument("files", help="glob of the Parquet files")
    arguments.add_argument("folder", nargs="?", help="where `encode` writes")
    arguments.add_argument("--columns", help="names with commas between them (default: all)")
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments.add_argument("--library", choices=LIBRARIES, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.library:
        print(json.dumps(measured(options)))
        return
    found = []
    for library in LIBRARIES:
        command = [sys.executable, *sys.argv, f"--library={library}"]
        found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    print(json.dumps(min(found, key=lambda one: one["cpu_s"])))


def measured(options: argparse.Namespace) -> dict[str, object]:
    """The run with the least CPU time of one library."""
    os.environ["POLARS_MAX_THREADS"] = str(options.threads)
    files = sorted(glob(options.files))
    columns = options.columns.split(",") if options.columns else None
    prepare = {("decode", "pyarrow"): decode_pyarrow, ("decode", "polars"): decode_polars}
    prepare |= {("encode", "pyarrow"): encode_pyarrow, ("encode", "polars"): encode_polars}
    run = prepare[options.work, options.library](files, columns, options)
    runs = []
    for _ in range(REPEATS):
        before, started = cpu_s(), time.perf_counter()
        run()
        runs.append({"library": options.library, "wall_s": time.perf_counter() - started, "cpu_s": cpu_s() - before})
    return min(runs, key=lambda one: one["cpu_s"])


def decode_pyarrow(files: list[str], columns: list[str] | None, options: argparse.Namespace):
    import pyarrow
    import pyarrow.parquet

    pyarrow.set_cpu_count(options.threads)
    return lambda: [pyarrow.parquet.read_table(file, columns=columns, partitioning=None) for file in files]


def decode_polars(files: list[str], columns: list[str] | None, _: argparse.Namespace):
    import polars

    return lambda: polars.read_parquet(files, columns=columns, hive_partitioning=False)


def encode_pyarrow(files: list[str], columns: list[str] | None, options: argparse.Namespace):
    import pyarrow
    import pyarrow.parquet
    from concurrent.futures import ThreadPoolExecutor

    pyarrow.set_cpu_count(options.threads)
    tables = [pyarrow.parquet.read_table(file, columns=columns, partitioning=None) for file in files]

    def write(number: int) -> None:
        target = Path(options.folder) / f"{number}.parquet"
        pyarrow.parquet.write_table(tables[number], target, compression="zstd", compression_level=1)

    def run() -> None:
        # One file is written by one thread; several files are written at once, as rfmill does.
        with ThreadPoolExecutor(options.threads) as pool:
            list(pool.map(write, range(len(tables))))

    return run


def encode_polars(files: list[str], columns: list[str] | None, options: argparse.Namespace):
    import polars

    frames = [polars.read_parquet(file, columns=columns, hive_partitioning=False) for file in files]

    def run() -> None:
        for number, frame in enumerate(frames):
            target = Path(options.folder) / f"{number}.parquet"
            frame.write_parquet(target, compression="zstd", compression_level=1)

    return run


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
