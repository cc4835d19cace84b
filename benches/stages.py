"""What stages cost: workload W2 in one process, and in shards whose tasks are processes of this machine.

    python benches/stages.py --rfmill PATH --data FOLDER [--runs 5] [--threads N] [--record benches/runs/DATE-MACHINE]
    python benches/stages.py --rfmill PATH --smoke

Nothing is timed before every file of every table is the same bytes. The peak of memory is that of the largest process.
"""

import argparse
import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import runner
from runner import HERE, Benchmark, Run, Tool

JOB = HERE / "quarterly.toml"
CUSTOMERS = {"customers": "latest/customers/as_of=*/*.parquet"}
SHARDS = 8
ALONE, STAGED = "one process", f"{SHARDS} shards"


class Stages(Benchmark):
    title = "W2 in stages"
    about = "Time W2 in one process and in stages."
    needs_rfmill = True

    def make_tools(self, options: argparse.Namespace, data: Path, scratch: Path) -> list[Tool]:
        alone = runner.rfmill_tool(ALONE, options, JOB, data, CUSTOMERS)
        staged = replace(
            alone, name=STAGED, out_argument=[*alone.out_argument, "--shards", str(SHARDS), "--work", "{out}-work"]
        )
        return [alone, staged]

    def check(self, tools: list[Tool], scratch: Path) -> bool:
        """Run each once, and compare the bytes of all table files."""
        found = []
        for tool in tools:
            out = scratch / f"check-{tool.name}"
            runner.run_once(tool, out, 0)
            run = (out / "latest").resolve()
            files = sorted(run.rglob("*.parquet"))
            found.append([(path.relative_to(run), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files])
            runner.discard(out)
        print(f"{len(found[0])} files of tables:", "equal" if found[0] == found[1] else "DIFFERENT", flush=True)
        return found[0] == found[1]

    def checked(self, tools: list[Tool]) -> str:
        return "Every file of every table was the same bytes in both."

    def summarise(self, tools: list[Tool], runs: list[Run]) -> str:
        of = {tool.name: [run for run in runs if run.tool == tool.name] for tool in tools}
        lines = runner.usual_table(of, ["way"], lambda name: [name])
        wall, cpu = (runner.median(of[STAGED], what) / runner.median(of[ALONE], what) for what in ("wall_s", "cpu_s"))
        lines += ["", f"Stages take {wall:.2f} times the wall time and {cpu:.2f} times the CPU time of one process."]
        return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(Stages().main())
