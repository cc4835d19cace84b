"""Two builds of rfmill against each other: whether a change makes W1, W2, many dates or strategies slower or larger.

    python benches/versions.py OLD NEW --data FOLDER [--runs 7] [--only strategies]

FOLDER/orders is what make_data.py makes. Every round runs old, new and old again; the ratio new / old stands beside old /
old, the noise of the machine. Times are of whole processes, in user and system seconds and on the clock.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import runner
from dates import as_of_dates, job_with_dates
from runner import Run, Tool
from strategies import NAMES, write_job

HERE = Path(__file__).resolve().parent
CUSTOMERS = {"customers": "latest/customers/as_of=*/*.parquet"}
FIELDS = {"wall": "wall_s", "cpu": "cpu_s", "memory": "peak_mib"}


def jobs(data: Path, scratch: Path) -> dict[str, Path]:
    """The job files by name."""
    dates = scratch / "dates.toml"
    dates.write_text(job_with_dates(as_of_dates(2)), encoding="utf-8")
    found = {"W1": HERE / "nightly.toml", "W2": HERE / "quarterly.toml", "54 dates": dates}
    for kind, name in NAMES.items():
        if kind != "shared":
            found[name] = write_job(kind, data, scratch / f"strategies-{kind}")
    return found


def ratios(over: list[Run], under: list[Run], field: str) -> str:
    """Minimum, median and maximum of the pair-wise ratios."""
    return runner.spread((getattr(a, field) / getattr(b, field) for a, b in zip(over, under)), ".3f")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("old", type=Path)
    arguments.add_argument("new", type=Path)
    arguments.add_argument("--data", type=Path, required=True, help="folder with orders/, made by make_data.py")
    arguments.add_argument("--runs", type=int, default=7)
    arguments.add_argument("--only", default="", help="only jobs whose name contains this")
    options = arguments.parse_args()
    data = options.data.resolve() / "orders"
    with tempfile.TemporaryDirectory(prefix="rfmill-versions-", dir=options.data) as folder:
        scratch = Path(folder)
        for name, job in jobs(data, scratch).items():
            if options.only not in name:
                continue
            sides = {"old": options.old, "new": options.new, "old again": options.old}
            runs: dict[str, list[Run]] = {side: [] for side in sides}
            for number in range(options.runs + 1):
                for side, program in sides.items():
                    command = [str(program.resolve()), "run", str(job), "--quiet", "--set", f"orders.path={data}/*.parquet"]
                    tool = Tool(side, command, ["--output", "{out}"], CUSTOMERS)
                    done = runner.run_once(tool, scratch / f"out-{name}-{side}-{number}".replace(" ", "-"), number)
                    if number > 0:
                        runs[side].append(done)
            print(f"{name}: medians of {options.runs} runs, and pair-wise minimum / median / maximum")
            for label, field in FIELDS.items():
                medians = "  ".join(f"{side} {runner.median(own, field):8.3f}" for side, own in runs.items())
                print(f"  {label:6}  {medians}  new/old {ratios(runs['new'], runs['old'], field)}  old/old {ratios(runs['old again'], runs['old'], field)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
