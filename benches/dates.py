"""What a customer at an as-of date costs when there are more of them: workload W2 with 27, 54 and 108 as-of dates.

    python benches/dates.py --rfmill PATH --data FOLDER [--runs 5] [--threads N] [--record benches/runs/DATE-MACHINE]
    python benches/dates.py --rfmill PATH --smoke

The dates are the quarter ends of W2, then halves and quarters of quarters as well: 45 or 46 and 22 or 23 days apart over
the same years. Nothing is timed before the customers at the quarter ends are equal in every row, whatever other dates the
job has.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import date, timedelta
from pathlib import Path

import runner
from runner import HERE, Benchmark, Run, Tool

JOB = HERE / "quarterly.toml"
# Into how many parts a quarter is cut.
PARTS = (1, 2, 4)
CUSTOMERS = {"customers": "latest/customers/as_of=*/*.parquet"}


class Dates(Benchmark):
    title = "Time per customer and as-of date"
    about = "Time rfmill with 27, 54 and 108 as-of dates over the same orders."
    needs_rfmill = True

    def __init__(self) -> None:
        # Rows of the customers table of each tool, which `check` counts.
        self.customer_dates: dict[str, int] = {}

    def make_tools(self, options: argparse.Namespace, data: Path, scratch: Path) -> list[Tool]:
        tools = []
        for parts in PARTS:
            dates = as_of_dates(parts)
            job = scratch / f"{len(dates)}.toml"
            job.write_text(job_with_dates(dates), encoding="utf-8")
            tools.append(runner.rfmill_tool(f"{len(dates)} dates", options, job, data, CUSTOMERS))
        return tools

    def check(self, tools: list[Tool], scratch: Path) -> bool:
        """Count the customers of every date, and compare those at the quarter ends with the first tool's."""
        folders = {tool.name: scratch / f"check-{tool.name}" for tool in tools}
        for tool in tools:
            runner.run_once(tool, folders[tool.name], 0)
            self.customer_dates[tool.name] = runner.count_rows(folders[tool.name].glob(CUSTOMERS["customers"]))
        first, agree = tools[0], True
        quarter_ends = {f"as_of={day}" for day in as_of_dates(1)}
        for other in tools[1:]:
            for folder in folders[other.name].glob("latest/customers/*"):
                if folder.name not in quarter_ends:
                    shutil.rmtree(folder)
            print(f"{first.name} and {other.name}, at the quarter ends:", flush=True)
            sides = [f"{folders[tool.name]}/{CUSTOMERS['customers']}" for tool in (first, other)]
            command = [sys.executable, str(HERE / "compare.py"), "--customers", *sides]
            agree &= subprocess.run(command, check=False).returncode == 0
        for folder in folders.values():
            runner.discard(folder)
        return agree

    def checked(self, tools: list[Tool]) -> str:
        return f"The customers at the quarter ends were equal in every row with {', '.join(tool.name for tool in tools)}."

    def summarise(self, tools: list[Tool], runs: list[Run]) -> str:
        """The usual figures of each number of dates, and medians per million customer-dates."""
        of = {tool.name: [run for run in runs if run.tool == tool.name] for tool in tools}
        lines = runner.usual_table(
            of, ["as-of dates", "customer-dates"], lambda name: [name.removesuffix(" dates"), f"{self.customer_dates[name]:,}"]
        )
        lines += [
            "",
            "Median seconds per million customer-dates; the last columns are of those that the row has more than the one before,",
            "which leaves out what does not depend on dates:",
            "",
            *runner.table_head("as-of dates", "wall s", "CPU s", "wall s of the further", "CPU s of the further"),
        ]
        earlier = None
        for name, rows in of.items():
            millions = self.customer_dates[name] / 1e6
            now = (millions, runner.median(rows, "wall_s"), runner.median(rows, "cpu_s"))
            cells = [f"{value / millions:.3f}" for value in now[1:]]
            cells += further(earlier, now) if earlier else ["", ""]
            lines.append(runner.table_row(name.removesuffix(" dates"), *cells))
            earlier = now
        return "\n".join(lines + runner.crowded(runs))


def further(earlier: tuple[float, float, float], now: tuple[float, float, float]) -> list[str]:
    """Wall and CPU seconds per million that `now` took for what it has more than `earlier`."""
    millions, *seconds = (later - before for later, before in zip(now, earlier))
    return [f"{value / millions:.3f}" for value in seconds]


def as_of_dates(parts: int) -> list[date]:
    """Quarter by quarter of the job's years, the last days of each of its equal parts."""
    periods = tomllib.loads(JOB.read_text(encoding="utf-8"))["periods"]
    start, dates = periods["from"], []
    while start <= periods["to"]:
        end = date(start.year + start.month // 10, (start.month + 2) % 12 + 1, 1)
        days = (end - start).days
        dates += [start + timedelta(days=days * part // parts - 1) for part in range(1, parts + 1)]
        start = end
    return dates


def job_with_dates(dates: list[date]) -> str:
    """The job with a list of as-of dates in place of its quarters."""
    periods = f"[periods]\nas_of = [{', '.join(map(str, dates))}]\n\n"
    return re.sub(r"^\[periods\]\n.*?^(?=\[)", periods, JOB.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


if __name__ == "__main__":
    sys.exit(Dates().main())
