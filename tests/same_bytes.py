"""Whether two programs write the same bytes: every table, report.json, the page and the workbook, the run's id left out.

    python tests/same_bytes.py OLD NEW [--sf1 FOLDER]

Both programs run the jobs of `jobs/` and a strategy on sample data that OLD makes, the jobs of `../shared/contract` if
they are there, and with --sf1 the benchmarks' jobs W1, W2 and strategies on orders of scale factor 1, which are made in
FOLDER unless they are there (needs duckdb; see benches/make_data.py). Ends with 'N passed, M failed'; exit 0 only if all
files are the same. Needs Python alone but for --sf1.
"""

import argparse
import filecmp
import json
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CONTRACT = ROOT.parent / "shared" / "contract" / "jobs"
# What differs between two runs of one program, or between the ids of their rules.
VARIES = {"run_id", "job_sha256", "timings", "peak_memory_bytes", "spilled_bytes", "tables", "reports", "rfmill"}


@dataclass(frozen=True)
class Case:
    """A job and the flags it runs with."""

    name: str
    job: Path
    flags: tuple[str, ...] = ()


def call(program: Path, *arguments: object) -> None:
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{program} {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr}")


def sample_cases(program: Path, folder: Path) -> list[Case]:
    """The jobs of `jobs/` and one with a strategy, on sample data."""
    cases = []
    call(program, "sample", folder / "orders", "--orders", 20000, "--quiet")
    for job in sorted((ROOT / "jobs").glob("*.toml")):
        copy = folder / job.name
        copy.write_text(job.read_text())
        dated = any(line.startswith(("as_of =", "every =")) for line in job.read_text().splitlines())
        cases.append(Case(job.stem, copy, () if dated else ("--as-of", "2024-12-31")))
    call(program, "sample", folder / "treated", "--orders", 20000, "--strategy", "winback", "--effect", 0.3,
         "--strategy-from", "2024-07-01", "--quiet")
    experiment = folder / "experiment.toml"
    experiment.write_text((HERE / "data" / "experiment.toml").read_text())
    cases.append(Case("strategy", experiment))
    return cases


def contract_cases() -> list[Case]:
    if not CONTRACT.is_dir():
        print("skipped: the contract's jobs, as ../shared/contract is not there")
        return []
    return [Case(f"contract, {job.stem}", job) for job in sorted(CONTRACT.glob("*.toml"))]


def bench_cases(folder: Path) -> list[Case]:
    """W1, W2 and strategies at scale factor 1."""
    sys.path.insert(0, str(ROOT / "benches"))
    from strategies import NAMES, write_job  # noqa: PLC0415

    subprocess.run([sys.executable, ROOT / "benches" / "make_data.py", folder, "--scale-factor", "1"], check=True)
    orders, cases = folder / "orders", []
    data = ("--set", f"orders.path={orders}/*.parquet")
    for name in ("nightly", "quarterly"):
        cases.append(Case(f"SF1, {name}", ROOT / "benches" / f"{name}.toml", data))
    for kind in NAMES:
        job = folder / f"strategies-{kind}" / "job.toml"
        if not job.is_file():
            write_job(kind, orders, job.parent)
        cases.append(Case(f"SF1, strategies, {kind}", job, data))
    return cases


def run(program: Path, case: Case, out: Path) -> Path:
    """Runs a job and returns the folder of the run."""
    call(program, "run", case.job, *case.flags, "--output", out, "--quiet")
    return (out / "latest").resolve()


def content(path: Path, run_id: str) -> object:
    """What a file says, without the run's id."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return {name: book.read(name).replace(run_id.encode(), b"RUN") for name in book.namelist()}
    if path.name == "manifest.json":
        manifest = json.loads(path.read_text())
        rows = {table["name"]: table["rows"] for table in manifest["tables"]}
        return {key: value for key, value in manifest.items() if key not in VARIES}, rows
    return path.read_bytes().replace(run_id.encode(), b"RUN")


def differences(old: Path, new: Path) -> list[str]:
    """The files of two runs that are not the same."""
    names = [{str(file.relative_to(run)) for file in run.rglob("*") if file.is_file()} for run in (old, new)]
    found = [f"{name} is written by one alone" for name in sorted(names[0] ^ names[1])]
    for name in sorted(names[0] & names[1]):
        one, other = old / name, new / name
        if filecmp.cmp(one, other, shallow=False):
            continue
        if name.endswith(".parquet") or content(one, old.name) != content(other, new.name):
            found.append(f"{name} differs")
    return found


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("old", type=Path)
    arguments.add_argument("new", type=Path)
    arguments.add_argument("--sf1", type=Path, metavar="FOLDER", help="run the benchmarks' jobs on data in this folder, too")
    options = arguments.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="rfmill-same-") as scratch:
        folder = Path(scratch)
        cases = sample_cases(options.old, folder) + contract_cases()
        if options.sf1:
            cases += bench_cases(options.sf1.resolve())
        for number, case in enumerate(cases):
            runs = [run(program, case, folder / f"{number}-{side}") for side, program in (("old", options.old), ("new", options.new))]
            wrong = differences(*runs)
            files = sum(file.is_file() for file in runs[0].rglob("*"))
            print(f"{'FAILS' if wrong else 'ok   '} {case.name}: {files} files" + "".join(f"\n      {line}" for line in wrong[:20]))
            failed += bool(wrong)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
