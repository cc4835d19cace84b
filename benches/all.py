"""Everything that speed is promised of, in one table: rfmill beside DuckDB, Polars and the limits of the machine, in one run.

    python benches/all.py --rfmill PATH --data FOLDER [--large FOLDER] [--runs 3] [--only workloads,starts] [--record benches/runs/NAME]
    python benches/all.py --rfmill PATH --smoke

FOLDER is what make_data.py makes with --string-ids; --large one of scale factor 100, without which that series is left out.
rfmill-query must lie beside rfmill. Nothing is timed before the results of all ways are equal. Ways run in turn, and rfmill twice in
each round: what its second run differs by from the first is the noise of the machine.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from csv import writer
from dataclasses import dataclass, replace
from pathlib import Path

import runner
from query import QUERY
from runner import HERE, Benchmark, Run, Tool
from stages import Stages
from strategies import Sums
from w1 import W1
from w2 import W2

# The columns of the orders that the jobs need.
COLUMNS = "o_custkey,o_orderdate,o_totalprice"
CUSTOMERS = "latest/customers/as_of=*/*.parquet"
OWN = "rfmill"
AGAIN = "the first way again"
LIMIT = "1GiB"
# Rounds of what takes milliseconds.
SHORT_RUNS = 21

HOW_TO_READ = (
    "Times are minimum / median / maximum, of whole processes; ratios are of medians, and those of the first way to itself are the "
    "noise of the machine. Decoding and encoding are without starting Python, in the library that needs less CPU time."
)


@dataclass(frozen=True)
class Series:
    """Ways of doing the same work; the first is what the others are compared with."""

    name: str
    ways: list[Tool]
    # Runs every way once and says whether their results are equal.
    check: Callable[[Path], bool]
    # Orders whose columns are decoded, and customers that are encoded, where that is what the work cannot do without.
    decoded: Path | None = None
    # Rounds instead of those asked for.
    runs: int | None = None
    # What could not do the work, and when it gave up.
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    series: str
    way: str
    wall_s: str
    cpu_s: str
    peak_mib: str
    ratios: str


def main() -> int:
    options = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="rfmill-bench-", dir=options.scratch) as folder:
        scratch = Path(folder).resolve()
        if options.smoke:
            make = [sys.executable, str(HERE / "make_data.py"), str(scratch), "--scale-factor=0.1", "--string-ids"]
            subprocess.run(make, check=True)
            options.data, options.runs = scratch, 1
        rows: list[Row] = []
        measured: list[tuple[str, Run]] = []
        for name, make_series in SERIES.items():
            if options.only and name not in options.only.split(","):
                continue
            for series in make_series(options, scratch):
                print(f"\n{series.name}", flush=True)
                if not series.check(scratch):
                    print(f"The results of {series.name} differ.")
                    return 1
                runs = measure(series, options, scratch)
                measured += [(series.name, run) for run in runs]
                found = summarise(series, runs, options, scratch)
                print("\n".join(as_table(found)), flush=True)
                rows += found
    table = "\n".join(as_table(rows))
    print(f"\n{table}")
    if options.record:
        record(options, table, measured)
    return 0


def parse_arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rfmill", type=Path, required=True, help="the release binary")
    arguments.add_argument("--data", type=Path, help="folder with orders/ and orders_str/")
    arguments.add_argument("--large", type=Path, help="folder with orders/ of scale factor 100")
    arguments.add_argument("--runs", type=int, default=3, help="timed rounds of each series")
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="threads of each tool")
    arguments.add_argument("--only", help=f"only these, with commas between: {', '.join(SERIES)}")
    arguments.add_argument("--record", type=Path, help="folder that receives README.md and raw.csv")
    arguments.add_argument("--scratch", type=Path, help="where the tools write (default: the system's temporary folder)")
    arguments.add_argument("--smoke", action="store_true", help="make scale factor 0.1, check, and time one round")
    options = arguments.parse_args()
    if not options.smoke and options.data is None:
        arguments.error("--data is needed unless --smoke is given")
    options.memory_limit = None
    return options


def own_tool(options: argparse.Namespace, job: Path, orders: Path, *more: str) -> Tool:
    tool = runner.rfmill_tool(OWN, options, job, orders, {"customers": CUSTOMERS})
    return replace(tool, command=[*tool.command, *more])


def from_benchmark(name: str, benchmark: Benchmark, options: argparse.Namespace, orders: Path, scratch: Path) -> Series:
    """The series of one of the other benchmarks."""
    own = scratch / re.sub("[^a-z0-9]+", "-", name.lower())
    own.mkdir()
    tools = benchmark.make_tools(options, orders, own)
    return Series(name, tools, lambda folder: benchmark.check(tools, folder))


def workloads(options: argparse.Namespace, scratch: Path) -> list[Series]:
    """W1 with both kinds of ids, and W2."""
    orders, texts = options.data / "orders", options.data / "orders_str"
    found = [
        from_benchmark("W1", W1, options, orders, scratch),
        from_benchmark("W1, text ids", W1, options, texts, scratch),
        from_benchmark("W2", W2, options, orders, scratch),
    ]
    return [replace(series, decoded=data) for series, data in zip(found, (orders, texts, orders))]


def nights(options: argparse.Namespace, scratch: Path) -> list[Series]:
    """W1 beside a night with what a lead opens: a trend of thirteen months, comparisons with earlier dates, and the page."""
    text = (HERE / "nightly.toml").read_text(encoding="utf-8")
    text = text.replace("as_of = [1998-08-02]", 'as_of = [1998-08-02]\ntrend = "13 months"\ncompare = ["1 day", "1 month"]')
    text = re.sub(r"tables = \[[^]]*]\n", "", text).replace("report = []\n", 'report = ["html"]\n')
    job = scratch / "night.toml"
    job.write_text(text, encoding="utf-8")
    orders = options.data / "orders"
    ways = [own_way("W1", options, HERE / "nightly.toml", orders), own_way("a night", options, job, orders)]
    last = "latest/customers/as_of=1998-08-02/*.parquet"
    return [Series("a night", ways, lambda folder: same_bytes(ways, folder, last))]


def threads(options: argparse.Namespace, scratch: Path) -> list[Series]:
    """One thread and two."""
    found = []
    for name, job in (("W1", "nightly.toml"), ("W2", "quarterly.toml")):
        numbers = {"2 threads": 2, "1 thread": 1}
        ways = [
            own_way(way, argparse.Namespace(rfmill=options.rfmill, threads=number), HERE / job, options.data / "orders")
            for way, number in numbers.items()
        ]
        found.append(Series(f"{name} by threads", ways, lambda folder, ways=ways: same_bytes(ways, folder, CUSTOMERS)))
    return found


def strategies(options: argparse.Namespace, scratch: Path) -> list[Series]:
    """W4: eight quarters with a million assignments a quarter in each of five strategies."""
    return [from_benchmark("W4", Sums(), options, options.data / "orders", scratch)]


def csv(options: argparse.Namespace, scratch: Path) -> list[Series]:
    """W1 from one CSV file."""
    return [from_benchmark("W1 from CSV", QUERY, options, options.data / "orders", scratch)]


def stages(options: argparse.Namespace, scratch: Path) -> list[Series]:
    """W2 in one process and in 8 shards."""
    return [from_benchmark("W2 in shards", Stages(), options, options.data / "orders", scratch)]


def large(options: argparse.Namespace, scratch: Path) -> list[Series]:
    """W2 of ten times the orders under a limit of memory, beside DuckDB under the same limit, which may fail."""
    if options.large is None:
        return []
    tools = [tool for tool in W2.make_tools(options, options.large / "orders", scratch) if tool.name != "polars"]
    ways = [replace(tool, command=[*tool.command, f"--memory-limit={LIMIT}"]) for tool in tools]
    tried = {way.name: failure(way, scratch / f"try-{way.name}") for way in ways[1:]}
    able = [way for way in ways if not tried.get(way.name)]
    failed = tuple(f"{name}: {what}" for name, what in tried.items() if what)
    return [Series(f"W2 under {LIMIT}", able, lambda folder: W2.check(able, folder), runs=1, failed=failed)]


def failure(way: Tool, out: Path) -> str:
    """How a way fails; nothing if it succeeds."""
    out.mkdir()
    started = time.perf_counter()
    done = subprocess.run(way.command_for(out), check=False, capture_output=True, text=True)
    took = time.perf_counter() - started
    shutil.rmtree(out)
    said = next((line for line in reversed(done.stderr.splitlines()) if "Error" in line or "Exception" in line), "")
    return f"failed with exit code {done.returncode} after {took:.0f} s: {said}" if done.returncode else ""


def starts(options: argparse.Namespace, scratch: Path) -> list[Series]:
    """What a start costs: help, and a job of 5,000 orders in a file system in memory."""
    folder = Path(tempfile.mkdtemp(prefix="orders-", dir=scratch))
    make = "import sys, duckdb; duckdb.sql(f\"copy (from '{sys.argv[1]}/*.parquet' limit 5000) to '{sys.argv[2]}/orders.parquet'\")"
    subprocess.run([sys.executable, "-c", make, str(options.data / "orders"), str(folder)], check=True)
    ask = Tool(OWN, [str(options.rfmill.resolve()), "--help"], [], {"customers": "none"})
    job = own_way(OWN, options, HERE / "nightly.toml", folder)
    return [Series(name, [way], lambda _: True, runs=SHORT_RUNS) for name, way in (("--help", ask), ("5,000 orders", job))]


def own_way(name: str, options: argparse.Namespace, job: Path, orders: Path) -> Tool:
    return runner.rfmill_tool(name, options, job, orders, {"customers": CUSTOMERS})


def same_bytes(ways: list[Tool], folder: Path, files: str) -> bool:
    """Run every way once, and compare the bytes of some of what they write."""
    found = []
    for way in ways:
        out = folder / f"check-{way.name}"
        runner.run_once(way, out, 0)
        found.append([digest(path) for path in sorted(out.glob(files))])
        runner.discard(out)
    return bool(found[0]) and all(other == found[0] for other in found)


def digest(path: Path) -> str:
    """A hash of a file, read piece by piece: a process starts with the peak memory of the one that starts it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measure(series: Series, options: argparse.Namespace, scratch: Path) -> list[Run]:
    """Rounds of all ways, the first of them once more at the end of each."""
    again = replace(series.ways[0], name=AGAIN)
    place = Path("/dev/shm") if series.runs == SHORT_RUNS and os.access("/dev/shm", os.W_OK) else scratch
    with tempfile.TemporaryDirectory(prefix="rfmill-bench-", dir=place) as folder:
        return runner.measure([*series.ways, again], series.runs or options.runs, Path(folder))


def summarise(series: Series, runs: list[Run], options: argparse.Namespace, scratch: Path) -> list[Row]:
    """A row per way, with how many times the first way's wall and CPU time it needs, and one for the limit."""
    of = {name: [run for run in runs if run.tool == name] for name in [*(way.name for way in series.ways), AGAIN]}
    base = of[series.ways[0].name]
    rows = []
    for name, own in of.items():
        times = [runner.spread((getattr(run, field) for run in own), ".3f") for field in ("wall_s", "cpu_s")]
        peak = f"{runner.median(own, 'peak_mib'):,.0f}"
        ratios = "" if own is base else "; ".join(ratio(own, base, field) for field in ("wall_s", "cpu_s"))
        rows.append(Row(series.name, name, *times, peak, ratios))
    rows += [Row(series.name, what, "", "", "", "") for what in series.failed]
    if series.decoded:
        rows.append(limit_row(series, base, options, scratch))
    return rows


def ratio(over: list[Run], under: list[Run], field: str) -> str:
    return f"{runner.median(over, field) / runner.median(under, field):.2f}"


def limit_row(series: Series, base: list[Run], options: argparse.Namespace, scratch: Path) -> Row:
    """What decoding the columns and encoding the customers take alone, and what part of rfmill's time that is."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        out = Path(folder) / "out"
        runner.run_once(series.ways[0], out, 0)
        encoded = Path(folder) / "encoded"
        encoded.mkdir()
        found = [
            limit("decode", f"{series.decoded}/*.parquet", f"--columns={COLUMNS}", f"--threads={options.threads}"),
            limit("encode", f"{out}/{series.ways[0].tables['customers']}", str(encoded), f"--threads={options.threads}"),
        ]
    wall, cpu = (sum(one[field] for one in found) for field in ("wall_s", "cpu_s"))
    parts = " and ".join(f"{one['library']} {one['cpu_s']:.2f}" for one in found)
    ratios = f"{wall / runner.median(base, 'wall_s'):.2f}; {cpu / runner.median(base, 'cpu_s'):.2f}"
    return Row(series.name, f"decode and encode alone ({parts} s)", f"{wall:.3f}", f"{cpu:.3f}", "", ratios)


def limit(*arguments: str) -> dict:
    command = [sys.executable, str(HERE / "peers" / "limits.py"), *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def as_table(rows: list[Row]) -> list[str]:
    lines = runner.table_head("series", "way", "wall s", "CPU s", "peak MiB", "times the first way's wall; CPU")
    before = ""
    for row in rows:
        lines.append(runner.table_row(row.series if row.series != before else "", row.way, row.wall_s, row.cpu_s, row.peak_mib, row.ratios))
        before = row.series
    return lines


def record(options: argparse.Namespace, table: str, measured: list[tuple[str, Run]]) -> None:
    options.record.mkdir(parents=True, exist_ok=True)
    with open(options.record / "raw.csv", "w", newline="", encoding="utf-8") as file:
        rows = writer(file, lineterminator="\n")
        rows.writerow(["series", "run", "way", "wall_s", "cpu_s", "peak_rss_mib", "other_cpu_s"])
        for series, run in measured:
            figures = (run.wall_s, run.cpu_s, run.peak_mib, run.other_cpu_s)
            rows.writerow([series, run.number, run.tool, *(f"{figure:.4f}" for figure in figures)])
    command = f"python benches/all.py --rfmill rfmill --data {options.data.name} --runs {options.runs} --threads {options.threads}"
    command += f" --large {options.large.name}" if options.large else ""
    command += f" --only '{options.only}'" if options.only else ""
    facts = {
        "Command": f"`{command}`",
        "Date": runner.now(),
        "Data": runner.describe_data(options.data / "orders"),
        **runner.describe_versions(options.rfmill),
        **runner.describe_machine(),
    }
    lines = ["# Everything in one run", "", *(f"- {name}: {text}" for name, text in facts.items()), ""]
    lines += ["Results were equal in all ways before anything was timed. Every run is in `raw.csv`. " + HOW_TO_READ, "", table, ""]
    lines += runner.crowded([run for _, run in measured])
    (options.record / "README.md").write_text("\n".join(lines), encoding="utf-8")


SERIES = {
    "workloads": workloads,
    "nights": nights,
    "threads": threads,
    "strategies": strategies,
    "csv": csv,
    "stages": stages,
    "large": large,
    "starts": starts,
}

if __name__ == "__main__":
    sys.exit(main())
