"""What a limit of memory costs: workload W2 without one, and under one or several.

    python benches/memory.py --rfmill PATH --data FOLDER [--limits 1GiB,512MiB] [--runs 3] [--record benches/runs/NAME]
    python benches/memory.py --rfmill PATH --smoke

Nothing is timed before all tables are the same bytes under every limit. With `--limited-only` nothing runs without a limit,
for orders that would not fit into this machine then; the bytes of the limits are still compared with each other.
"""

import argparse
import hashlib
import shutil
import sys
from pathlib import Path

import runner
from runner import HERE, Benchmark, Run, Tool

JOB = HERE / "quarterly.toml"
CUSTOMERS = {"customers": "latest/customers/as_of=*/*.parquet"}
FREE = "no limit"


class Memory(Benchmark):
    title = "A limit of memory"
    about = "Time rfmill under limits of memory."
    needs_rfmill = True

    def __init__(self) -> None:
        self.orders = 0

    def more_arguments(self, arguments: argparse.ArgumentParser) -> None:
        arguments.add_argument("--limits", default="1GiB", help="limits, with commas between them")
        arguments.add_argument("--limited-only", action="store_true", help="run nothing without a limit")

    def said(self, options: argparse.Namespace) -> str:
        return f" --limits {options.limits}" + (" --limited-only" if options.limited_only else "")

    def make_tools(self, options: argparse.Namespace, data: Path, scratch: Path) -> list[Tool]:
        self.orders = runner.count_rows(data.glob("*.parquet"))
        free = [] if options.limited_only else [runner.rfmill_tool(FREE, options, JOB, data, CUSTOMERS)]
        limited = []
        for limit in options.limits.split(","):
            tool = runner.rfmill_tool(limit, options, JOB, data, CUSTOMERS)
            limited.append(Tool(limit, [*tool.command, f"--memory-limit={limit}"], tool.out_argument, tool.tables))
        return free + limited

    def check(self, tools: list[Tool], scratch: Path) -> bool:
        """Run every tool once and compare the bytes of all tables."""
        digests = set()
        for tool in tools:
            out = scratch / "check"
            runner.run_once(tool, out, 0)
            digests.add(digest(out / "latest"))
            print(f"{tool.name}: all tables together have SHA-256 {digest(out / 'latest')}", flush=True)
            shutil.rmtree(out)
        return len(digests) == 1

    def checked(self, tools: list[Tool]) -> str:
        return f"All tables were the same bytes with {', '.join(tool.name for tool in tools)}."

    def summarise(self, tools: list[Tool], runs: list[Run]) -> str:
        lines = [
            f"Minimum / median / maximum of {len(runs) // len(tools)} runs of each, whole processes:",
            "",
            *runner.table_head(
                "limit", "wall s", "CPU s", "peak memory MiB", "median wall µs per order", "median CPU µs per order", "other CPU s"
            ),
        ]
        for tool in tools:
            rows = [run for run in runs if run.tool == tool.name]
            per_order = [f"{runner.median(rows, field) / self.orders * 1e6:.3f}" for field in ("wall_s", "cpu_s")]
            other = runner.spread((run.other_cpu_s for run in rows), ".2f")
            lines.append(runner.table_row(tool.name, *runner.usual_cells(rows), *per_order, other))
        return "\n".join(lines + runner.crowded(runs))


def digest(run: Path) -> str:
    """One hash of all table files of a run, by their names."""
    whole = hashlib.sha256()
    for path in sorted(run.resolve().rglob("*.parquet")):
        whole.update(str(path.relative_to(run.resolve())).encode())
        with open(path, "rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


if __name__ == "__main__":
    sys.exit(Memory().main())
