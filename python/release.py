#!/usr/bin/env python3
"""Makes what users install: a wheel and an archive with both programs, and their checksums; then installs and tries the wheel in
an empty environment.

    python/release.py --output dist                       after cargo build --release -p rfmill -p rfmill-query
    python/release.py --output dist --build               builds them first
    python/release.py --output dist --build --glibc 2.17  and links them against an older glibc (pip install cargo-zigbuild ziglang)

It needs Python 3.11, cargo (for the licences of crates), strip, and pip with a registry for the trial.

The wheel is written here and not by maturin: that builds the programs of one package, and these are of two, and built and tested
already. It is Python's format, so pip knows from the name whether it fits: `manylinux_2_17_x86_64` is refused where glibc is older.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import elf

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PROGRAMS = ("rfmill", "rfmill-query")
# Where shells look for completions, below a prefix such as /usr or a virtual environment.
COMPLETIONS = {
    "bash": "share/bash-completion/completions/rfmill",
    "zsh": "share/zsh/site-functions/_rfmill",
    "fish": "share/fish/vendor_completions.d/rfmill.fish",
}
# Bytes that the wheel may have.
MOST = 60_000_000
# Libraries that every Linux of the platform tags has.
ALLOWED = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libgcc_s.so.1"}
# What is read as Arrow goes through this one library, of 1 MB and without dependencies of its own.
REQUIRES = "nanoarrow>=0.6"
PYTHON = ">=3.10"


@dataclass(frozen=True)
class Entry:
    """A file of the wheel or the archive."""

    path: str
    content: bytes
    executable: bool = False


def run(command: Sequence[str | Path], cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Runs a command, and gives what it prints."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=cwd, env=env)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def manifest() -> dict[str, str]:
    """Version and description in Cargo.toml."""
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
    return {key: package[key] for key in ("version", "description", "license")}


def target_folder() -> Path:
    """Where cargo builds."""
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target")


def build(glibc: str | None) -> Path:
    """Builds the programs, and gives their folder."""
    target = target_folder()
    packages = [part for name in PROGRAMS for part in ("-p", name)]
    subprocess.run(["cargo", "build", "--release", "--locked", *packages], cwd=ROOT, check=True)
    if glibc is not None:
        link_again(target, glibc)
    return target / "release"


def link_again(target: Path, glibc: str) -> None:
    """Links the programs against another version of glibc. The version is chosen when a program is linked, so no dependency is built
    again: Polars alone takes most of an hour of a core."""
    machine = platform.machine()
    linker = target / f"zigcc-{glibc}"
    linker.write_text(f'#!/bin/sh\nexec cargo-zigbuild zig cc -- "$@" -target {machine}-linux-gnu.{glibc}\n')
    linker.chmod(0o755)
    # The linker that comes with Rust would be told to zig, which has its own.
    flags = ["-C", f"linker={linker}", *(["-C", "linker-features=-lld"] if machine == "x86_64" else [])]
    for name in PROGRAMS:
        command = ["cargo", "rustc", "--release", "--locked", "-p", name, "--bin", name, "--", *flags]
        subprocess.run(command, cwd=ROOT, check=True)


def stripped(programs: Path, into: Path) -> list[Path]:
    """Copies of the programs without their symbols."""
    out = []
    for name in PROGRAMS:
        if not (programs / name).is_file():
            sys.exit(f"there is no {programs / name}; build it with: cargo build --release -p {name}")
        shutil.copy2(programs / name, into / name)
        run(["strip", "--strip-all", into / name])
        out.append(into / name)
    return out


def platform_tag(programs: list[Path]) -> str:
    """The platform tag of PEP 600: the newest glibc that any of the programs needs."""
    if sys.platform != "linux":
        sys.exit("wheels and archives are made on Linux; elsewhere build from source")
    found = [elf.read(program) for program in programs]
    for program, needs in zip(programs, found, strict=True):
        beyond = [name for name in needs.libraries if name not in ALLOWED and not name.startswith("ld-linux")]
        if beyond:
            sys.exit(f"{program.name} needs {', '.join(beyond)}, which not every Linux has")
    major, minor = max(needs.glibc for needs in found)
    return f"manylinux_{major}_{minor}_{found[0].machine}"


def man_and_completions(program: Path, scratch: Path) -> list[Entry]:
    """Manual pages and completions, by their paths below a prefix."""
    run([program, "man", "--output", scratch / "man"])
    pages = sorted((scratch / "man").iterdir())
    entries = [Entry(f"share/man/man1/{page.name}", page.read_bytes()) for page in pages]
    shells = ((path, run([program, "completions", shell])) for shell, path in COMPLETIONS.items())
    return entries + [Entry(path, text.encode()) for path, text in shells]


def licences() -> list[Entry]:
    """The licences of rfmill, and in one file those of all crates that the programs are made of."""
    own = [Entry(name, (ROOT / name).read_bytes()) for name in ("LICENSE-MIT", "LICENSE-APACHE")]
    triple = f"{platform.machine()}-unknown-linux-gnu"
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", triple]
    packages = json.loads(run(command))["packages"]
    # Texts are mostly the same few; each stands once, below the crates that have it.
    crates_by_text: dict[str, list[str]] = {}
    for package in packages:
        if package["source"] is None:
            continue
        name = f"{package['name']} {package['version']} ({package['license']})"
        for text in licence_texts(Path(package["manifest_path"]).parent) or ["The crate carries no text of its licence.\n"]:
            crates_by_text.setdefault(text, []).append(name)
    parts = (f"{', '.join(crates)}\n\n{text.strip()}\n" for text, crates in sorted(crates_by_text.items(), key=lambda item: item[1]))
    return [*own, Entry("LICENSES-THIRD-PARTY", ("\n" + "=" * 100 + "\n").join(parts).encode())]


def licence_texts(folder: Path) -> list[str]:
    kinds = ("licen", "copying", "notice", "unlicense")
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name.lower().startswith(kinds))
    return [file.read_text(errors="replace") for file in files]


def package_files() -> Iterator[Entry]:
    """The Python package."""
    for file in sorted((HERE / "rfmill").iterdir()):
        if file.is_file() and (file.suffix == ".py" or file.name == "py.typed"):
            yield Entry(f"rfmill/{file.name}", file.read_bytes())


def metadata(about: dict[str, str]) -> bytes:
    lines = [
        "Metadata-Version: 2.4",
        "Name: rfmill",
        f"Version: {about['version']}",
        f"Summary: {about['description']}",
        f"License-Expression: {about['license']}",
        "License-File: LICENSE-MIT",
        "License-File: LICENSE-APACHE",
        "License-File: LICENSES-THIRD-PARTY",
        f"Requires-Python: {PYTHON}",
        f"Requires-Dist: {REQUIRES}",
        "Description-Content-Type: text/markdown",
        "",
        # Links of the repository lead nowhere on an index.
        re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", (ROOT / "docs" / "PYTHON.md").read_text()),
    ]
    return "\n".join(lines).encode()


def wheel(output: Path, about: dict[str, str], tag: str, programs: list[Path], shared: list[Entry], texts: list[Entry]) -> Path:
    """Writes the wheel, as https://packaging.python.org/en/latest/specifications/binary-distribution-format/ has it."""
    name = f"rfmill-{about['version']}"
    info, data = f"{name}.dist-info", f"{name}.data"
    head = f"Wheel-Version: 1.0\nGenerator: rfmill\nRoot-Is-Purelib: false\nTag: py3-none-{tag}\n"
    entries = [
        *package_files(),
        *(Entry(f"{data}/scripts/{program.name}", program.read_bytes(), executable=True) for program in programs),
        *(Entry(f"{data}/data/{entry.path}", entry.content) for entry in shared),
        *(Entry(f"{info}/licenses/{entry.path}", entry.content) for entry in texts),
        Entry(f"{info}/METADATA", metadata(about)),
        Entry(f"{info}/WHEEL", head.encode()),
    ]
    record = "".join(f"{entry.path},sha256={digest(entry.content)},{len(entry.content)}\n" for entry in entries)
    entries.append(Entry(f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode()))
    path = output / f"{name}-py3-none-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for entry in entries:
            # The oldest date that the format has: the same files give the same bytes.
            about_file = zipfile.ZipInfo(entry.path, (1980, 1, 1, 0, 0, 0))
            about_file.external_attr = (0o100755 if entry.executable else 0o100644) << 16
            about_file.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(about_file, entry.content)
    return path


def digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def archive(output: Path, about: dict[str, str], tag: str, programs: list[Path], shared: list[Entry], texts: list[Entry]) -> Path:
    """Writes the archive: unpacked below a prefix such as /usr/local, its folders are where systems look for such files."""
    name = f"rfmill-{about['version']}-{tag.replace('manylinux', 'linux-glibc')}"
    docs = sorted((ROOT / "docs").glob("*.*")) + [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    entries = [
        *(Entry(f"bin/{program.name}", program.read_bytes(), executable=True) for program in programs),
        *shared,
        *(Entry(f"share/doc/rfmill/{file.relative_to(ROOT)}", file.read_bytes()) for file in docs),
        *texts,
    ]
    path = output / f"{name}.tar.gz"
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as out:
        for entry in entries:
            about_file = tarfile.TarInfo(f"{name}/{entry.path}")
            about_file.size, about_file.mode = len(entry.content), 0o755 if entry.executable else 0o644
            out.addfile(about_file, io.BytesIO(entry.content))
    return path


def checksums(output: Path, files: list[Path]) -> None:
    lines = (f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(files))
    (output / "SHA256SUMS").write_text("".join(lines))


# A table through the one library that the wheel asks for, and nothing besides.
TRIAL = """
import importlib.util, nanoarrow, rfmill
assert not any(importlib.util.find_spec(name) for name in ("numpy", "pyarrow", "polars", "pandas", "duckdb"))
tables = rfmill.tables("quickstart/out")
rows = nanoarrow.ArrayStream(tables["customers"]).read_all().to_pylist()
assert len(rows) == tables["customers"].rows > 0 and str(rows[0]["as_of"]) == "2024-12-31", rows[:1]
run = rfmill.run("query.toml")
assert run.input_rows == 2 and sum(state.customers for state in run.states if state.scheme == "segment") == 2, run
"""
QUERY_JOB = """
name = "csv"
[[source]]
name = "csv"
path = "orders.csv"
[orders]
query = "SELECT customer, CAST(day AS DATE) AS day, money FROM csv"
customer_id = "customer"
ordered_at = "day"
amount = "money"
[periods]
as_of = [2024-12-31]
[output]
path = "csv-out"
"""


def try_in_empty_environment(made: Path, dependencies: Path | None) -> None:
    """Installs the wheel with what it asks for, without a registry, and does what a first user does. `dependencies` is a folder with
    its dependencies; without it they are downloaded."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if dependencies is None:
            dependencies = folder / "wheels"
            run([sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--dest", dependencies, REQUIRES])
        run([sys.executable, "-m", "venv", folder / "venv"])
        programs = folder / "venv" / "bin"
        # Nothing of this machine but what every system has.
        environment = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": scratch}

        def bare(*command: str | Path) -> str:
            return run([programs / command[0], *command[1:]], cwd=folder, env=environment)

        quiet = ("--quiet", "--disable-pip-version-check")
        bare("python", "-m", "pip", "install", *quiet, "--no-index", "--find-links", dependencies.resolve(), made.resolve())
        version = f"rfmill {manifest()['version']}\n"
        for command in (["rfmill", "--version"], ["python", "-m", "rfmill", "--version"]):
            said = bare(*command)
            if said != version:
                sys.exit(f"{' '.join(command)} says {said!r}, not {version!r}")
        bare("rfmill", "quickstart", "quickstart", "--orders", "20000")
        if not (folder / "quickstart/out/latest/report/index.html").is_file():
            sys.exit("the quickstart wrote no page")
        (folder / "orders.csv").write_text("customer,day,money\n1,2024-10-01,5.00\n2,2024-11-01,7.50\n")
        (folder / "query.toml").write_text(QUERY_JOB)
        bare("python", "-c", TRIAL)
        for page in ("share/man/man1/rfmill-run.1", *COMPLETIONS.values()):
            if not (folder / "venv" / page).is_file():
                sys.exit(f"the wheel installs no {page}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--programs", type=Path, help="folder of the programs [default: target/release]")
    arguments.add_argument("--output", type=Path, required=True, help="folder to write to")
    arguments.add_argument("--build", action="store_true", help="build the programs first")
    arguments.add_argument("--glibc", help="version of glibc to link against, such as 2.17; needs --build")
    arguments.add_argument("--dependencies", type=Path, help="folder with the wheel's dependencies [default: download them]")
    given = arguments.parse_args()
    if given.glibc and not given.build:
        arguments.error("--glibc needs --build")
    programs = build(given.glibc) if given.build else given.programs or target_folder() / "release"
    about = manifest()
    given.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        copies = stripped(programs, Path(scratch))
        tag = platform_tag(copies)
        shared, texts = man_and_completions(copies[0], Path(scratch)), licences()
        made = [make(given.output, about, tag, copies, shared, texts) for make in (wheel, archive)]
        sizes = ", ".join(f"{copy.name} {copy.stat().st_size:,}" for copy in copies)
    checksums(given.output, made)
    for file in made:
        print(f"{file}: {file.stat().st_size:,} bytes")
    print(f"stripped: {sizes} bytes; platform {tag}")
    if made[0].stat().st_size > MOST:
        sys.exit(f"{made[0].name} has more than {MOST:,} bytes")
    try_in_empty_environment(made[0], given.dependencies)
    print(f"{made[0].name} was installed in an empty environment and did a quickstart, a query and a table")


if __name__ == "__main__":
    main()
