"""What all benchmarks share: arguments, running tools as whole processes in turn, comparing, summing up and recording.

A benchmark is a `Benchmark`: tools to run, and a check of their results before anything is timed. `Workload` is the kind
that runs one job of rfmill beside the peers' scripts.

Wall time, CPU time and peak memory come from the operating system's account of the finished process. This module imports
nothing heavy and compares in a process of its own: Linux charges a new process with the peak memory of the process that
started it, so a large runner would hide the peak of a small tool.
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
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What runs wrote is removed at once where the disk has less than this left.
ROOM = 16 << 30

PEERS = ("duckdb", "polars")
ORDERS_PER_SCALE_FACTOR = 1_500_000


@dataclass(frozen=True)
class Tool:
    name: str
    command: list[str]
    # The last arguments, in which {out} stands for the fresh folder of a run.
    out_argument: list[str]
    # Where below that folder each table lies, as a glob.
    tables: dict[str, str]

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
    customers_bytes: int


class Benchmark(ABC):
    """One benchmark as a command: `main` parses the arguments, checks, times, prints and records."""

    # Heading of a record.
    title: str
    # One sentence for --help.
    about: str
    # Whether there is nothing to run without rfmill.
    needs_rfmill = False

    def more_arguments(self, arguments: argparse.ArgumentParser) -> None:
        """Arguments that only this benchmark has."""

    def said(self, options: argparse.Namespace) -> str:
        """Those arguments, as a record repeats them."""
        return ""

    @abstractmethod
    def make_tools(self, options: argparse.Namespace, data: Path, scratch: Path) -> list[Tool]:
        """The tools; files that they need besides the orders go into `scratch`."""

    @abstractmethod
    def check(self, tools: list[Tool], scratch: Path) -> bool:
        """Run every tool once and check the results; nothing is timed unless they are right."""

    @abstractmethod
    def checked(self, tools: list[Tool]) -> str:
        """One sentence on what `check` found, for the record."""

    @abstractmethod
    def summarise(self, tools: list[Tool], runs: list[Run]) -> str:
        """What the runs say, as Markdown."""

    def main(self) -> int:
        options = parse_arguments(self)
        with tempfile.TemporaryDirectory(prefix="rfmill-bench-", dir=options.scratch) as folder:
            scratch = Path(folder).resolve()
            if options.smoke:
                return self.smoke(options, scratch)
            data = options.data.resolve()
            tools = self.make_tools(options, data, scratch)
            if not self.check(tools, scratch):
                return 1
            runs = measure(tools, options.runs, scratch)
        summary = self.summarise(tools, runs)
        print(summary)
        if options.record:
            self.record(options, data, tools, runs, summary)
        return 0

    def smoke(self, options: argparse.Namespace, scratch: Path) -> int:
        """Correctness on small data, with number and with text customer ids; the one timing only shows that it works."""
        make = [sys.executable, str(HERE / "make_data.py"), str(scratch), "--scale-factor=0.1", "--string-ids"]
        subprocess.run(make, check=True)
        for kind in ("orders", "orders_str"):
            tools = self.make_tools(options, scratch / kind, scratch)
            print(f"\n{kind}")
            if not self.check(tools, scratch):
                return 1
            print(self.summarise(tools, measure(tools, 1, scratch)))
        return 0

    def record(self, options: argparse.Namespace, data: Path, tools: list[Tool], runs: list[Run], summary: str) -> None:
        folder = options.record
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "raw.csv", "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(["run", "tool", "wall_s", "cpu_s", "peak_rss_mib", "other_cpu_s", "customers_bytes"])
            for run in runs:
                measured = [run.wall_s, run.cpu_s, run.peak_mib, run.other_cpu_s]
                rows.writerow([run.number, run.tool, *(f"{value:.4f}" for value in measured), run.customers_bytes])
        (folder / "summary.md").write_text(summary + "\n", encoding="utf-8")

        script, orders = Path(sys.argv[0]).name, f"{data.parent.name}/{data.name}"
        rfmill = "--rfmill rfmill " if options.rfmill else ""
        facts = {
            "Command": f"`python benches/{script} {rfmill}--data {orders} --runs {options.runs} --threads {options.threads}{self.said(options)}`",
            "Date": now(),
            "Data": describe_data(data),
            **describe_versions(options.rfmill),
            **describe_machine(),
        }
        lines = [f"# {self.title}", "", *(f"- {name}: {text}" for name, text in facts.items()), ""]
        lines += [
            self.checked(tools),
            "Every run is in `raw.csv`. Times include starting the process; the order files were in the page cache.",
            "",
            summary,
            "",
        ]
        (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
        print(f"\nRecorded in {folder}.")


class Workload(Benchmark):
    """One job of rfmill beside the peers' scripts for the same work."""

    def __init__(self, name: str, job: str, tables: dict[str, str]) -> None:
        """`tables` are those compared: names, and where rfmill writes them. A peer writes each as <name>.parquet."""
        self.name = name
        self.title = f"Workload {name}"
        self.about = f"Time workload {name} in rfmill, DuckDB and Polars."
        self.job = job
        self.tables = tables

    def make_tools(self, options: argparse.Namespace, data: Path, scratch: Path) -> list[Tool]:
        tools = []
        if options.rfmill:
            tools.append(rfmill_tool("rfmill", options, HERE / self.job, data, self.tables))
        for peer in PEERS:
            script = str(HERE / "peers" / f"{peer}_{self.name.lower()}.py")
            command = [sys.executable, script, f"--threads={options.threads}", f"{data}/*.parquet"]
            tools.append(Tool(peer, command, ["{out}"], {table: f"{table}.parquet" for table in self.tables}))
        return tools

    def check(self, tools: list[Tool], scratch: Path) -> bool:
        """Run every tool once and compare each of its tables with the first tool's."""
        folders = {tool.name: scratch / f"check-{tool.name}" for tool in tools}
        for tool in tools:
            run_once(tool, folders[tool.name], 0)
        first, agree = tools[0], True
        for other in tools[1:]:
            print(f"{first.name} and {other.name}:", flush=True)
            compare = [sys.executable, str(HERE / "compare.py")]
            for table in self.tables:
                sides = [f"{folders[tool.name]}/{tool.tables[table]}" for tool in (first, other)]
                compare += [f"--{table}", *sides]
            agree &= subprocess.run(compare, check=False).returncode == 0
        for folder in folders.values():
            discard(folder)
        return agree

    def checked(self, tools: list[Tool]) -> str:
        tables = "table" if len(self.tables) == 1 else "tables"
        named = f"The {tables} {', '.join(self.tables)} of {', '.join(tool.name for tool in tools)}"
        return f"{named} were equal in every row before anything was timed."

    def summarise(self, tools: list[Tool], runs: list[Run]) -> str:
        """Minimum, median and maximum of each tool, then the peers' ratios to rfmill."""
        of = {tool.name: [run for run in runs if run.tool == tool.name] for tool in tools}
        lines = [
            f"Minimum / median / maximum of {len(runs) // len(tools)} runs of each tool, whole processes:",
            "",
            *table_head("tool", "wall s", "CPU s", "peak memory MiB", "customers table MB", "other CPU s"),
        ]
        for name, rows in of.items():
            other = spread((run.other_cpu_s for run in rows), ".2f")
            lines.append(table_row(name, *usual_cells(rows), f"{rows[0].customers_bytes / 1e6:.1f}", other))
        if "rfmill" in of:
            lines += [
                "",
                "How many times rfmill's figure the peer needs; the pair-wise ratios are of the runs with equal number:",
                "",
                *table_head(
                    "peer", "median wall", "pair-wise wall, minimum / median / maximum", "median CPU", "median peak memory"
                ),
            ]
            ours = of.pop("rfmill")
            for name, rows in of.items():
                wall, cpu, peak = (median(rows, field) / median(ours, field) for field in ("wall_s", "cpu_s", "peak_mib"))
                pairs = (theirs.wall_s / own.wall_s for theirs, own in zip(rows, ours))
                lines.append(table_row(name, f"{wall:.2f}", spread(pairs, ".2f"), f"{cpu:.2f}", f"{peak:.2f}"))
        return "\n".join(lines + crowded(runs))


def parse_arguments(benchmark: Benchmark) -> argparse.Namespace:
    without = "" if benchmark.needs_rfmill else "; without it only the peers run"
    arguments = argparse.ArgumentParser(description=benchmark.about)
    arguments.add_argument("--rfmill", type=Path, required=benchmark.needs_rfmill, help=f"the release binary{without}")
    arguments.add_argument("--data", type=Path, help="folder with the order files")
    arguments.add_argument("--runs", type=int, default=5, help="timed runs of each tool")
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="threads of each tool")
    arguments.add_argument("--record", type=Path, help="folder that receives README.md, raw.csv and summary.md")
    arguments.add_argument("--scratch", type=Path, help="where the tools write (default: the system's temporary folder)")
    arguments.add_argument("--smoke", action="store_true", help="make scale factor 0.1, check, and time one run")
    benchmark.more_arguments(arguments)
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


def rfmill_tool(name: str, options: argparse.Namespace, job: Path, data: Path, tables: dict[str, str]) -> Tool:
    command = [str(options.rfmill.resolve()), "run", str(job), "--set", f"orders.path={data}/*.parquet"]
    return Tool(name, [*command, f"--threads={options.threads}", "--quiet"], ["--output", "{out}"], tables)


def measure(tools: list[Tool], runs: int, scratch: Path) -> list[Run]:
    """A B C A B C …, so that a slow spell of the machine falls on all tools alike."""
    measured = []
    for number in range(1, runs + 1):
        for tool in tools:
            out = scratch / f"run-{number}-{tool.name}"
            measured.append(run_once(tool, out, number))
            discard(out)
    return measured


def discard(folder: Path) -> None:
    """Put aside what was written. It is removed when the last run is done, or at once if the disk needs the room: some file
    systems pass every file that was removed in the last minutes when they look for a place for a new one."""
    if shutil.disk_usage(folder).free < ROOM:
        shutil.rmtree(folder)
    else:
        folder.rename(folder.with_name(f"discarded-{time.monotonic_ns()}"))


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
    written = sum(path.stat().st_size for path in out.glob(tool.tables["customers"]))
    return Run(number, tool.name, wall, cpu, usage.ru_maxrss / 1024, max(0.0, busy - cpu), written)


def machine_cpu_s() -> float:
    """CPU seconds the whole machine has spent, stolen time included, idle and disk waits left out."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def count_rows(files: Iterable[Path]) -> int:
    """Rows of Parquet files, by their footers."""
    count = "import sys, pyarrow.parquet as p; print(sum(p.read_metadata(f).num_rows for f in sys.argv[1:]))"
    command = [sys.executable, "-c", count, *map(str, files)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def median(runs: list[Run], field: str) -> float:
    return statistics.median(getattr(run, field) for run in runs)


def spread(values: Iterable[float], form: str) -> str:
    ordered = sorted(values)
    return " / ".join(format(value, form) for value in (ordered[0], statistics.median(ordered), ordered[-1]))


def usual_cells(runs: list[Run]) -> list[str]:
    """Wall seconds, CPU seconds and peak MiB of one tool."""
    fields = (("wall_s", ".3f"), ("cpu_s", ".3f"), ("peak_mib", ",.0f"))
    return [spread((getattr(run, field) for run in runs), form) for field, form in fields]


def usual_table(of: dict[str, list[Run]], first: list[str], cells: Callable[[str], list[str]]) -> list[str]:
    """A row per tool: its own cells under the `first` heads, then the usual figures."""
    runs = len(next(iter(of.values())))
    lines = [f"Minimum / median / maximum of {runs} runs of each, whole processes:", ""]
    lines += table_head(*first, "wall s", "CPU s", "peak memory MiB", "other CPU s")
    for name, rows in of.items():
        other = spread((run.other_cpu_s for run in rows), ".2f")
        lines.append(table_row(*cells(name), *usual_cells(rows), other))
    return lines


def table_head(*names: str) -> list[str]:
    return [table_row(*names), "|" + "---|" * len(names)]


def table_row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def crowded(runs: list[Run]) -> list[str]:
    """A line on the runs that other work disturbed, if there were any."""
    disturbed = sum(run.other_cpu_s > 0.1 * run.wall_s for run in runs)
    if not disturbed:
        return []
    return ["", f"In {disturbed} of {len(runs)} runs, other work on the machine took more than a tenth of a core."]


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def describe_data(data: Path) -> str:
    files = sorted(data.glob("*.parquet"))
    orders, size = count_rows(files), sum(path.stat().st_size for path in files)
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
