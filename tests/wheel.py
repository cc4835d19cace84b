#!/usr/bin/env python3
"""Makes the wheel of the programs in a folder with `python/release.py`, which tries it in an empty environment, and then:

- reads its record, tags and metadata as an installer does;
- installs it into a folder of its own by pip, as README.md and docs/PYTHON.md say, and has Polars, pandas, DuckDB and pyarrow read
  tables, each without the others, beside what DuckDB reads from the Parquet files;
- holds `rfmill.run`, `dry_run`, `tables` and their errors against what the command says;
- checks the package and its use with `mypy --strict`.

    tests/wheel.py target/release                   needs what benches/requirements.txt and .ci/run install, and mypy
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))
import elf  # noqa: E402
import release  # noqa: E402

# A library that reads a table, with those that must not be there. pandas itself needs pyarrow for it.
READERS = {
    "pyarrow": ("import pyarrow; rows = pyarrow.table(table).to_pylist()", ["polars", "pandas", "duckdb"]),
    "polars": ("import polars; rows = polars.DataFrame(table).to_dicts()", ["pyarrow", "pandas", "duckdb"]),
    "duckdb": (
        "import duckdb; found = duckdb.sql('FROM customers'); "
        "rows = [dict(zip(found.columns, row)) for row in found.fetchall()]",
        ["pyarrow", "polars", "pandas"],
    ),
    "pandas": ("import pandas; rows = pandas.DataFrame.from_arrow(table).to_dict('records')", ["polars", "duckdb"]),
}
READ = """
import json, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {absent}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import rfmill
table = customers = rfmill.tables("q/out")["customers"]
{read}
json.dump([[str(row["customer_id"]), str(row["as_of"])[:10], str(row["monetary"]), row["segment"]] for row in rows], sys.stdout)
"""
TYPED = """
import datetime
from decimal import Decimal

import rfmill

run: rfmill.Run = rfmill.run("job.toml", as_of=datetime.date(2024, 12, 31), set={"score.bins": 4}, threads=2)
states: dict[str, int] = {state.state: state.customers for state in run.states}
money: Decimal = run.states[0].revenue
tables: rfmill.Tables = rfmill.tables("out")
names: tuple[str, ...] = tables.names
table: rfmill.Table = tables["customers"]
stream: object = table.__arrow_c_stream__()
try:
    rfmill.dry_run("job.toml")
except rfmill.Error as error:
    code: int = error.code
"""
# What a wrong type must be refused for.
MISTYPED = 'import rfmill\nrfmill.run("job.toml", threads="two")\n'


def check_wheel(made: Path, programs: Path) -> None:
    """Reads a wheel as an installer does."""
    name, version, python, abi, platform = made.stem.split("-")
    assert (name, version, python, abi) == ("rfmill", release.manifest()["version"], "py3", "none"), made.name
    assert made.stat().st_size <= release.MOST, f"{made.stat().st_size:,} bytes"
    with zipfile.ZipFile(made) as files:
        info = f"{name}-{version}.dist-info"
        record = [line.rsplit(",", 2) for line in files.read(f"{info}/RECORD").decode().splitlines()]
        assert {path for path, _, _ in record} == set(files.namelist()) and len(record) == len(files.namelist())
        for path, digest, size in record:
            content = files.read(path)
            assert path.endswith("/RECORD") or (digest, int(size)) == (f"sha256={release.digest(content)}", len(content)), path
        metadata = Parser().parsestr(files.read(f"{info}/METADATA").decode())
        assert (metadata["Name"], metadata["Version"]) == (name, version)
        licences = [f"{info}/licenses/{path}" for path in metadata.get_all("License-File")]
        assert set(licences) <= set(files.namelist())
        third = files.read(f"{info}/licenses/LICENSES-THIRD-PARTY").decode()
        assert all(crate in third for crate in ("polars ", "parquet ", "ring ", "zstd-sys ")), "crates without a licence"
        wheel = Parser().parsestr(files.read(f"{info}/WHEEL").decode())
        assert wheel["Tag"] == f"py3-none-{platform}" and wheel["Root-Is-Purelib"] == "false"
        assert "rfmill/py.typed" in files.namelist()
        # The platform is what `objdump -T` says the programs need.
        needed = set()
        for program in release.PROGRAMS:
            symbols = subprocess.run(["objdump", "-T", programs / program], capture_output=True, text=True, check=True).stdout
            needed |= {word.strip("()")[6:] for word in symbols.split() if word.strip("()").startswith("GLIBC_2")}
        newest = max(tuple(int(part) for part in version.split(".")) for version in needed)
        machine = elf.read(programs / "rfmill").machine
        assert platform == f"manylinux_{newest[0]}_{newest[1]}_{machine}", (platform, newest)


def refused_where_glibc_is_older(made: Path, scratch: Path) -> None:
    """pip takes no wheel for a glibc that is newer than the one of the system."""
    newer = scratch / made.name.replace("manylinux_2_", "manylinux_2_9")
    os.link(made, newer)
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", scratch / "newer", newer]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode != 0 and "is not a supported wheel on this platform" in refused.stderr, refused.stderr


class Installed:
    """The package in a folder of its own, beside the libraries of this environment."""

    def __init__(self, made: Path, scratch: Path) -> None:
        self.folder, self.scratch = scratch / "site", scratch
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", self.folder, made]
        subprocess.run(command, check=True)

    def python(self, code: str, *, fails: bool = False) -> str:
        """What code prints, run in the scratch folder; what it says on stderr if it must fail."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=self.scratch, env=environment)
        assert (done.returncode != 0) == fails, f"{code}\n{done.stdout}{done.stderr}"
        return done.stderr if fails else done.stdout

    def value(self, expression: str) -> object:
        return json.loads(self.python(f"import json, rfmill\nprint(json.dumps({expression}))"))

    def rfmill(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.folder / "bin" / "rfmill", *arguments], capture_output=True, text=True, cwd=self.scratch)


def check_readers(installed: Installed) -> None:
    """Every library reads the rows that are in the files, at all as-of dates."""
    truth = """
import duckdb, json, sys
found = duckdb.sql("SELECT customer_id, as_of, monetary, segment FROM read_parquet('q/out/tables/customers/*/*.parquet', hive_partitioning = true)")
json.dump([[str(i), str(d), str(m), s] for i, d, m, s in found.fetchall()], sys.stdout)
"""
    expected = sorted(json.loads(installed.python(truth)))
    assert len({row[1] for row in expected}) == 2 and len(expected) > 1000
    for name, (read, absent) in READERS.items():
        rows = sorted(json.loads(installed.python(READ.format(absent=absent, read=read))))
        assert rows == expected, f"{name} reads other rows"
        print(f"{name}: {len(rows):,} rows alike")
    # A table can be read again, and in part.
    read_twice = """
import duckdb, rfmill
customers = rfmill.tables("q/out")["customers"]
for _ in range(2):
    print(duckdb.sql("SELECT count(*) FROM customers").fetchall()[0][0])
print(len(duckdb.sql("FROM customers LIMIT 3").fetchall()))
"""
    assert installed.python(read_twice).split() == [str(len(expected)), str(len(expected)), "3"]


def check_errors(installed: Installed) -> None:
    """What fails says the sentence of the command, and no rows are taken for all of them."""
    (installed.scratch / "foreign").mkdir()
    caught = "try:\n  {}\nexcept rfmill.Error as e:\n  print(e.code, e.kind, e.sentence, sep='|')"
    cases = {
        "rfmill.tables('foreign')": ("5", "state", "foreign is not an output folder of rfmill; name the folder given as --output"),
        "rfmill.tables('nowhere')": ("4", "input", "there is no output folder nowhere; check the path"),
        "rfmill.run('nowhere.toml')": ("2", "usage", "nowhere.toml"),
        "rfmill.run('q/quickstart.toml', threads=0)": ("2", "usage", "1..=1024"),
        "rfmill.run('q/quickstart.toml', set={'orders.amount': 'amuont'})": ("3", "contract", 'did you mean "amount"?'),
        "rfmill.dry_run('q/quickstart.toml', as_of='2001-01-01')": ("3", "contract", "the run would fail: "),
    }
    for call, (code, kind, part) in cases.items():
        said = installed.python("import rfmill\n" + caught.format(call)).strip().split("|", 2)
        assert said[:2] == [code, kind] and part in said[2], f"{call}: {said}"
    said = installed.python("import rfmill; rfmill.tables('q/out')['custmers']", fails=True)
    assert "did you mean 'customers'? (its tables are customers, " in said, said
    # A file that is damaged ends the stream with an error, in whichever library.
    file = next((installed.scratch / "q/out/tables/customers/as_of=2024-12-31").iterdir())
    whole = file.read_bytes()
    file.unlink()
    file.write_bytes(bytes([whole[0], whole[1] ^ 1]) + whole[2:])
    for name, (read, absent) in READERS.items():
        said = installed.python(READ.format(absent=absent, read=read), fails=True)
        assert "changed or damaged after it was written; check it with `rfmill verify`" in said, f"{name}: {said}"
    file.write_bytes(whole)


def check_calls(installed: Installed) -> None:
    """`run` and `dry_run` give what the command's documents say."""
    installed.rfmill("quickstart", "q", "--orders", "20000", "--quiet")
    job, scratch = "q/quickstart.toml", installed.scratch
    run = installed.value(f"rfmill.run({job!r}, as_of='2024-05-31').document")
    assert isinstance(run, dict) and run["as_of"] == ["2024-05-31"] and run["already_computed"] is False
    again = json.loads(installed.rfmill("run", job, "--as-of", "2024-05-31", "--format", "json").stdout)
    assert (again["run_id"], again["already_computed"]) == (run["run_id"], True)
    states = installed.value("[(s.state, s.customers) for s in rfmill.run('q/quickstart.toml', output='o').states]")
    assert isinstance(states, list) and sum(customers for _, customers in states) > 0
    dry = installed.value(f"rfmill.dry_run({job!r}, output='never', set={{'output.tables': ['customers'], 'output.affinity': False}}).tables")
    assert dry == ["customers"] and not (scratch / "never").exists()
    tables = installed.value("[list(rfmill.tables('q/out').names), [str(d) for d in rfmill.tables('q/out').as_of]]")
    listed = json.loads(installed.rfmill("tables", "q/out", "--format", "json").stdout)
    assert tables == [[table["name"] for table in listed["tables"]], listed["as_of"]] and listed["as_of"] == ["2024-05-31", "2024-12-31"]


def check_types(installed: Installed) -> None:
    """The package is typed, and so is what uses it."""
    environment = {**os.environ, "MYPYPATH": str(installed.folder)}

    def mypy(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", installed.scratch / "mypy", *arguments]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment)

    for name, code in (("typed.py", TYPED), ("mistyped.py", MISTYPED)):
        (installed.scratch / name).write_text(code)
    for arguments in ([installed.folder / "rfmill"], [installed.scratch / "typed.py"], [ROOT / "python" / "release.py"]):
        found = mypy("--python-version", "3.11", *arguments)
        assert found.returncode == 0, found.stdout
    found = mypy(installed.scratch / "mistyped.py")
    assert found.returncode == 1 and 'has incompatible type "str"' in found.stdout, found.stdout


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("programs", type=Path, help="folder of rfmill and rfmill-query, such as target/release")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch, dist = Path(folder), Path(folder) / "dist"
        command = [sys.executable, ROOT / "python" / "release.py", "--programs", given.programs, "--output", dist]
        subprocess.run(command, check=True)
        (made,), (archive,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
        sums = dict(reversed(line.split("  ")) for line in (dist / "SHA256SUMS").read_text().splitlines())
        assert sums == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (made, archive)}
        check_wheel(made, given.programs)
        refused_where_glibc_is_older(made, scratch)
        installed = Installed(made, scratch)
        check_calls(installed)
        check_readers(installed)
        check_errors(installed)
        check_types(installed)
    print("ok")


if __name__ == "__main__":
    main()
