"""Workload W1: time rfmill beside DuckDB and Polars on the same orders, after checking that all results are equal.

    python benches/w1.py --rfmill PATH --data FOLDER [--runs 5] [--threads N] [--record benches/runs/DATE-MACHINE]
    python benches/w1.py --rfmill PATH --smoke

FOLDER holds the order files that make_data.py wrote. Without --rfmill only the two peers run.

Every tool first runs once and the customers tables are compared row for row; nothing is timed if a row differs. The tools
then run in turn, each time as a whole process that writes into a fresh folder. Wall time, CPU time and peak memory come
from the operating system's account of the finished process.

This runner imports nothing heavy and compares in a process of its own: Linux charges a new process with the peak memory of
the process that started it, so a large runner would hide the peak of a small tool.
"""

import argparse
import csv
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
CUSTOMERS = "latest/customers/as_of=1998-08-02/*.parquet"
ORDERS_PER_SCALE_FACTOR = 1_500_000


@dataclass(frozen=True)
class Tool:
    name: str
    command: list[str]
    out_argument: list[str]
    customers: str

    def command_for(self, out: Path) -> list[str]:
        return self.command + [text.format(out=out) for text in self.out_argument]


@dataclass(frozen=True)
class Run:
    number: int
    tool: str
    wall_s: float
    cpu_s: float
    peak_mib: float
    other_cpu_s: float
    written_bytes: int


def main() -> int:
    options = parse_arguments()
    if options.smoke:
        return smoke(options)
    data = options.data.resolve()
    tools = make_tools(options.rfmill, data, options.threads)
    with tempfile.TemporaryDirectory(prefix="rfmill-w1-", dir=options.scratch) as scratch:
        if not results_agree(tools, Path(scratch)):
            return 1
        runs = measure(tools, options.runs, Path(scratch))
    summary = summarise(tools, runs)
    print(summary)
    if options.record:
        record(options, data, tools, runs, summary)
    return 0


def parse_arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description="Time workload W1 in rfmill, DuckDB and Polars.")
    arguments.add_argument("--rfmill", type=Path, help="the release binary; without it only the peers run")
    arguments.add_argument("--data", type=Path, help="folder with the order files")
    arguments.add_argument("--runs", type=int, default=5, help="timed runs of each tool")
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="threads of each tool")
    arguments.add_argument("--record", type=Path, help="folder that receives README.md, raw.csv and summary.md")
    arguments.add_argument("--scratch", type=Path, help="where the tools write (default: the system's temporary folder)")
    arguments.add_argument("--smoke", action="store_true", help="make scale factor 0.1, compare, and time one run")
    options = arguments.parse_args()
    if not options.smoke and options.data is None:
        arguments.error("--data is needed unless --smoke is given")
    if options.smoke and (options.data or options.record):
        arguments.error("--smoke makes its own data and records nothing")
    if options.data and not list(options.data.glob("*.parquet")):
        arguments.error(f"{options.data} holds no Parquet files; make them with benches/make_data.py")
    if options.rfmill and not options.rfmill.is_file():
        arguments.error(f"{options.rfmill} is not a file; build it with cargo build --release")
    if options.runs < 1 or options.threads < 1:
        arguments.error("--runs and --threads must be at least 1")
    return options


def smoke(options: argparse.Namespace) -> int:
    """Correctness on small data, with number and with text customer ids; the one timing only shows that it works."""
    with tempfile.TemporaryDirectory(prefix="rfmill-w1-", dir=options.scratch) as folder:
        make = [sys.executable, str(HERE / "make_data.py"), folder, "--scale-factor=0.1", "--string-ids"]
        subprocess.run(make, check=True)
        for kind in ("orders", "orders_str"):
            tools = make_tools(options.rfmill, Path(folder).resolve() / kind, options.threads)
            print(f"\n{kind}")
            if not results_agree(tools, Path(folder)):
                return 1
            print(summarise(tools, measure(tools, 1, Path(folder))))
    return 0


def make_tools(rfmill: Path | None, data: Path, threads: int) -> list[Tool]:
    orders = f"{data}/*.parquet"
    limit = f"--threads={threads}"
    tools = []
    if rfmill:
        job = [str(rfmill.resolve()), "run", str(HERE / "nightly.toml"), "--set", f"orders.path={orders}", limit, "--quiet"]
        tools.append(Tool("rfmill", job, ["--output", "{out}"], CUSTOMERS))
    for name in ("duckdb", "polars"):
        script = str(HERE / "peers" / f"{name}_w1.py")
        tools.append(Tool(name, [sys.executable, script, orders], ["{out}/customers.parquet", limit], "customers.parquet"))
    return tools


def run_once(tool: Tool, out: Path, number: int) -> Run:
    """Run one tool as a whole process into the fresh folder `out`; stops the benchmark if it fails."""
    out.mkdir()
    # What earlier runs left for the disk must not be written during this one.
    os.sync()
    command = tool.command_for(out)
    busy_before, started = machine_cpu_s(), time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    busy = machine_cpu_s() - busy_before
    if status != 0:
        sys.exit(f"{tool.name} failed with exit code {os.waitstatus_to_exitcode(status)}.")
    cpu = usage.ru_utime + usage.ru_stime
    written = sum(path.stat().st_size for path in out.glob(tool.customers))
    return Run(number, tool.name, wall, cpu, usage.ru_maxrss / 1024, max(0.0, busy - cpu), written)


def machine_cpu_s() -> float:
    """CPU seconds the whole machine has spent, stolen time included, idle and disk waits left out."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def results_agree(tools: list[Tool], scratch: Path) -> bool:
    """Run every tool once and compare each customers table with the first tool's."""
    folders = {tool.name: scratch / f"check-{tool.name}" for tool in tools}
    for tool in tools:
        run_once(tool, folders[tool.name], 0)
    first, agree = tools[0], True
    for other in tools[1:]:
        sides = [f"{folders[tool.name]}/{tool.customers}" for tool in (first, other)]
        print(f"{first.name} and {other.name}: ", end="", flush=True)
        agree &= subprocess.run([sys.executable, str(HERE / "compare.py"), *sides], check=False).returncode == 0
    for folder in folders.values():
        shutil.rmtree(folder)
    return agree


def measure(tools: list[Tool], runs: int, scratch: Path) -> list[Run]:
    """A B C A B C …, so that a slow spell of the machine falls on all tools alike."""
    measured = []
    for number in range(1, runs + 1):
        for tool in tools:
            out = scratch / f"run-{number}-{tool.name}"
            measured.append(run_once(tool, out, number))
            shutil.rmtree(out)
    return measured


def summarise(tools: list[Tool], runs: list[Run]) -> str:
    """Markdown: minimum, median and maximum of each tool, then the peers' ratios to rfmill."""
    of = {tool.name: [run for run in runs if run.tool == tool.name] for tool in tools}

    def spread(values: list[float], form: str) -> str:
        return " / ".join(format(value, form) for value in (min(values), statistics.median(values), max(values)))

    lines = [
        f"Minimum / median / maximum of {len(runs) // len(tools)} runs of each tool, whole processes:",
        "",
        "| tool | wall s | CPU s | peak memory MiB | customers table MB | other CPU s |",
        "|---|---|---|---|---|---|",
    ]
    for name, rows in of.items():
        cells = [
            name,
            spread([run.wall_s for run in rows], ".3f"),
            spread([run.cpu_s for run in rows], ".3f"),
            spread([run.peak_mib for run in rows], ",.0f"),
            f"{rows[0].written_bytes / 1e6:.1f}",
            spread([run.other_cpu_s for run in rows], ".2f"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if "rfmill" in of:
        lines += [
            "",
            "How many times rfmill's figure the peer needs; the pair-wise ratios are of the runs with equal number:",
            "",
            "| peer | median wall | pair-wise wall, minimum / median / maximum | median CPU | median peak memory |",
            "|---|---|---|---|---|",
        ]
        ours = of["rfmill"]
        for name, rows in of.items():
            if name == "rfmill":
                continue
            ratios = [
                statistics.median(getattr(run, field) for run in rows) / statistics.median(getattr(run, field) for run in ours)
                for field in ("wall_s", "cpu_s", "peak_mib")
            ]
            pairs = [theirs.wall_s / own.wall_s for theirs, own in zip(rows, ours)]
            lines.append(f"| {name} | {ratios[0]:.2f} | {spread(pairs, '.2f')} | {ratios[1]:.2f} | {ratios[2]:.2f} |")
    crowded = [run for run in runs if run.other_cpu_s > 0.1 * run.wall_s]
    if crowded:
        lines += [
            "",
            f"In {len(crowded)} of {len(runs)} runs, other work on the machine took more than a tenth of a core.",
        ]
    return "\n".join(lines)


def record(options: argparse.Namespace, data: Path, tools: list[Tool], runs: list[Run], summary: str) -> None:
    folder = options.record
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "raw.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["run", "tool", "wall_s", "cpu_s", "peak_rss_mib", "other_cpu_s", "customers_bytes"])
        for run in runs:
            measured = [run.wall_s, run.cpu_s, run.peak_mib, run.other_cpu_s]
            rows.writerow([run.number, run.tool, *(f"{value:.4f}" for value in measured), run.written_bytes])
    (folder / "summary.md").write_text(summary + "\n", encoding="utf-8")

    orders = f"{data.parent.name}/{data.name}"
    rfmill = "--rfmill rfmill " if options.rfmill else ""
    facts = {
        "Command": f"`python benches/w1.py {rfmill}--data {orders} --runs {options.runs} --threads {options.threads}`",
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Data": describe_data(data),
        **{name: text for name, text in describe_versions(options.rfmill).items()},
        **describe_machine(),
    }
    lines = ["# Workload W1", "", *(f"- {name}: {text}" for name, text in facts.items()), ""]
    lines += [
        f"The customers tables of {', '.join(tool.name for tool in tools)} were equal in every row before anything was timed.",
        "Every run is in `raw.csv`. Times include starting the process; the order files were in the page cache.",
        "",
        summary,
        "",
    ]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
    print(f"\nRecorded in {folder}.")


def describe_data(data: Path) -> str:
    files = sorted(data.glob("*.parquet"))
    count = "import sys, pyarrow.parquet as p; print(sum(p.read_metadata(f).num_rows for f in sys.argv[1:]))"
    command = [sys.executable, "-c", count, *map(str, files)]
    orders = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    size = sum(path.stat().st_size for path in files)
    scale = f"{orders / ORDERS_PER_SCALE_FACTOR:g}"
    kind = "text customer ids" if data.name == "orders_str" else "integer customer ids"
    return f"TPC-H orders, scale factor {scale}, {kind}, {orders:,} orders in {len(files)} files of {size:,} bytes"


def describe_versions(rfmill: Path | None) -> dict[str, str]:
    versions = {}
    if rfmill:
        said = subprocess.run([str(rfmill.resolve()), "--version"], capture_output=True, text=True, check=True).stdout.strip()
        git = ["git", "-C", str(HERE), "describe", "--always", "--dirty", "--exclude=*"]
        commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
        versions["rfmill"] = f"{said.removeprefix('rfmill').strip()}, commit {commit or 'unknown'}"
    versions |= {package: version(package) for package in ("duckdb", "polars", "tpchgen-cli")}
    versions["Python"] = platform.python_version()
    return versions


def describe_machine() -> dict[str, str]:
    def field(path: str, name: str) -> str:
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            if line.startswith(name):
                return line.split(":", 1)[1].strip()
        return "unknown"

    memory_kib = int(field("/proc/meminfo", "MemTotal").split()[0])
    return {
        "Processor": f"{field('/proc/cpuinfo', 'model name')}, {len(os.sched_getaffinity(0))} cores",
        "Memory": f"{memory_kib / 1024**2:.1f} GiB",
        "Kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


if __name__ == "__main__":
    sys.exit(main())
