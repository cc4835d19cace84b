"""Runs the commands of every page, after its setup in tests/pages.toml, which also says of every other block why it is not run.

    python tests/pages.py PATH/TO/rfmill [PAGE…]      (needs benches/requirements.txt, and rfmill-query beside rfmill)
    python tests/pages.py --list                      what is run where, and what is not and why; runs nothing

A block of commands is one of `sh` or `console`, or one of `text` that begins with a command. Blocks of `toml` are written to the file
that the text before them names, those of `sql` are asked of DuckDB. Both modes refuse a block that tests/pages.toml passes over.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LISTED = Path(__file__).with_suffix(".toml")

# What a command begins with, after variables that are set for it.
COMMAND = re.compile(r"(\$ )?([A-Z_]+=\S+ )*(rfmill|cargo|python3?|pip|duckdb|cd|spark-submit|jobs/\S+|\.ci/run) ")

# DuckDB's own program is not on every machine; its module is. SQL comes as `-c SQL` or by standard input.
DUCKDB = """#!{python}
import sys, duckdb
arguments = sys.argv[1:]
sql = arguments[arguments.index("-c") + 1] if "-c" in arguments else sys.stdin.read()
database = duckdb.connect(":memory:" if "-c" in arguments else arguments[0])
for statement in duckdb.extract_statements(sql):
    found = database.execute(statement).fetchall()
    print(*found, sep="\\n")
"""


@dataclass
class Block:
    """A block of a page: the heading above it, its language, its text, and of a job file its name."""

    page: str
    heading: str
    language: str
    lines: list[str]
    file: str

    @property
    def is_command(self) -> bool:
        return self.language in ("sh", "console") or self.language == "text" and bool(self.lines and COMMAND.match(self.lines[0] + " "))

    @property
    def first(self) -> str:
        """Its first command, by which tests/pages.toml knows it."""
        return next(line for line in self.commands().splitlines() if line and not line.startswith("#"))

    def commands(self) -> str:
        """What a shell is given: of a console what stands behind `$`, and no remarks beside commands."""
        if self.language == "sh":
            return "\n".join(self.lines)
        prompted, goes_on, found = any(line.startswith("$ ") for line in self.lines), False, []
        for line in self.lines:
            if not prompted or goes_on or line.startswith("$ "):
                found.append(re.split(r"(?<=\S) {3,}", line.removeprefix("$ "))[0])
                goes_on = line.endswith("\\")
        return "\n".join(found)


def blocks(page: str) -> list[Block]:
    found, heading, named = [], "", ""
    lines = iter((ROOT / page).read_text().splitlines())
    for line in lines:
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("```"):
            text = []
            for inner in lines:
                if inner == "```":
                    break
                text.append(inner)
            found.append(Block(page, heading, line[3:], text, named))
        elif names := re.findall(r"`(\w+\.toml)`", line):
            named = names[-1]
    return found


def pages() -> list[str]:
    """Every page that readers see: those of the folders of docs, and READMEs."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("jobs/**/*.md"), *ROOT.glob("benches/*.md"), *ROOT.glob("python/*.md")]
    return sorted(str(page.relative_to(ROOT)) for page in found if page.name != "CHANGELOG.md")


def folder_of(rfmill: Path, scratch: Path) -> dict[str, str]:
    """The environment of commands: rfmill and DuckDB are found, and no browser opens."""
    programs = scratch / ".programs"
    programs.mkdir()
    (programs / "duckdb").write_text(DUCKDB.format(python=sys.executable))
    (programs / "duckdb").chmod(0o755)
    path = f"{rfmill.parent}:{programs}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "ROOT": str(ROOT), "BROWSER": "true"}


def run(block: Block | str, environment: dict[str, str], folder: Path) -> None:
    """Runs the commands of a block, or of a setup, in a shell that stops at the first failure."""
    text = block if isinstance(block, str) else block.commands()
    done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", text], env=environment, cwd=folder, capture_output=True, text=True, check=False)
    where = "a setup" if isinstance(block, str) else f"{block.page}, {block.heading}"
    assert done.returncode == 0, f"{where}:\n{text}\nended with {done.returncode}:\n{done.stdout}{done.stderr}"


def listed() -> dict:
    with LISTED.open("rb") as file:
        return tomllib.load(file)


def of_block(entries: list[dict], block: Block) -> dict | None:
    """The entry of a list that is of this block: of its page, and of its first command if it names one, which comes before."""
    entries = sorted(entries, key=lambda entry: "begins" not in entry)
    return next((entry for entry in entries if block.page in entry["pages"] and block.first.startswith(entry.get("begins", ""))), None)


def check_lists(lists: dict) -> list[str]:
    """What is wrong with the lists: blocks that none has, entries that no block has, tests that know nothing of their page."""
    wrong, met = [], set()
    others = [*lists["elsewhere"], *lists["not_run"]]
    for page in pages():
        runs = any(page in entry["pages"] for entry in lists["run"])
        for block in blocks(page):
            if not block.is_command:
                continue
            entry = of_block(others, block)
            met |= {id(entry), (id(entry), page)} if entry else set()
            if entry is None and not runs:
                wrong.append(f"{page}: nothing runs {block.first!r}, and {LISTED.name} does not say why")
    for entry in others:
        for page in entry["pages"]:
            if (id(entry), page) not in met:
                wrong.append(f"{LISTED.name}: {page} has no block that begins with {entry.get('begins', 'a command')!r}")
    for entry in lists["elsewhere"]:
        test = ROOT / entry["by"]
        if not test.is_file():
            wrong.append(f"{LISTED.name}: there is no {entry['by']}")
        elif test.suffix and not any(Path(page).name in test.read_text() for page in entry["pages"]):
            wrong.append(f"{LISTED.name}: {entry['by']} does not name {', '.join(entry['pages'])}")
    return wrong


def run_pages(entry: dict, lists: dict, rfmill: Path, wanted: list[str]) -> int:
    """Runs the blocks of the pages of an entry, each page in a folder of its own; returns how many were run."""
    import duckdb

    ran = 0
    others = [*lists["elsewhere"], *lists["not_run"]]
    for page in entry["pages"]:
        missing = [program for program in entry.get("needs", []) if shutil.which(program) is None]
        if wanted and page not in wanted:
            continue
        if missing:
            print(f"skipped: {page} needs {', '.join(missing)}", flush=True)
            continue
        with tempfile.TemporaryDirectory(prefix="rfmill-pages-") as scratch:
            folder = Path(scratch)
            environment = folder_of(rfmill, folder)
            run(entry["setup"], environment, folder)
            os.chdir(folder)
            of_page = 0
            for block in blocks(page):
                if block.is_command and of_block(others, block) is None:
                    run(block, environment, folder)
                elif block.language == "sql" and entry.get("sql", True):
                    answer = duckdb.sql("\n".join(block.lines)).fetchall()
                    assert answer, f"{page}, {block.heading}:\n" + "\n".join(block.lines) + "\nhas no rows"
                elif block.language == "toml" and block.file and entry.get("toml", True):
                    (folder / block.file).write_text("\n".join(block.lines) + "\n")
                    continue
                else:
                    continue
                of_page += 1
            os.chdir(ROOT)
            assert of_page > 0, f"{page} has no block that is run"
            print(f"{page}: {of_page} blocks", flush=True)
            ran += of_page
    return ran


def main() -> int:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    lists = listed()
    if wrong := check_lists(lists):
        sys.exit("\n".join(wrong))
    if sys.argv[1] == "--list":
        for page in pages():
            for block in blocks(page):
                if block.is_command:
                    other = of_block([*lists["elsewhere"], *lists["not_run"]], block) or {}
                    print(f"{page}: {block.first}\n    {other.get('why') or 'run by ' + other.get('by', 'this test')}")
        return 0
    rfmill = Path(sys.argv[1]).resolve()
    ran = sum(run_pages(entry, lists, rfmill, sys.argv[2:]) for entry in lists["run"])
    print(f"ok: {ran} blocks of commands and queries ran as they stand on their pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
