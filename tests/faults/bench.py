"""A folder with orders, a job and committed runs, and a reader that does not use the program."""

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

JOB = """name = "faults"

[orders]
path = "{orders}/*.parquet"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
order_id = "order_id"

[periods]
as_of = [2024-12-31]

[output]
path = "out"
keep_runs = 2
"""

# Every call that changes what is on the disk.
CHANGES = ("write", "fsync", "rename", "linkat", "mkdir", "unlink", "unlinkat", "rmdir", "symlink")
KILLED = (-9, 137)


@dataclass(frozen=True)
class Seen:
    """What a reader sees: the last commit, the run behind `latest`, and everything below `tables`."""

    commit: int
    latest: tuple
    tables: tuple


class Bench:
    def __init__(self, rfmill: Path, home: Path, full: bool, seed: int, can_mount: bool):
        self.rfmill, self.home, self.full, self.can_mount = rfmill, home, full, can_mount
        self.chance = random.Random(seed)
        self.figures: list[tuple[str, str, str]] = []
        self.skipped: list[str] = []
        self.strace = shutil.which("strace")
        self.out = home / "out"
        for name, orders, customers in (("orders", 6_000, 1_500), ("many", 400_000, 60_000)):
            self.call("sample", name, "--orders", orders, "--customers", customers, "--files", 4)
            (home / f"{name}.toml").write_text(JOB.format(orders=name))
        # Two committed runs of each job, of which the first is collected by the third.
        self.old, self.new = {}, {}
        for name in ("orders", "many"):
            shutil.rmtree(self.out, ignore_errors=True)
            for date in ("2024-03-31", "2024-06-30"):
                self.call("run", f"{name}.toml", "--as-of", date)
            self.old[name] = seen(self.out)
            self.out.rename(home / f"{name}-base")
            self.reset(name)
            self.call("run", f"{name}.toml")
            self.new[name] = seen(self.out)
        if not can_mount:
            self.skip("this machine does not allow mount namespaces (unshare -Urm): full and read-only disks")
        if not self.strace:
            self.skip("strace is not installed: kills and errors at chosen system calls, and their order")

    def skip(self, reason: str) -> None:
        if reason not in self.skipped:
            self.skipped.append(reason)

    def figure(self, figure: str, value: object, target: str) -> None:
        self.figures.append((figure, str(value), target))

    def sample(self, everything: list, size: int) -> list:
        """All of it with --full, otherwise a seeded sample."""
        if self.full or len(everything) <= size:
            return everything
        return sorted(self.chance.sample(everything, size))

    def reset(self, job: str = "orders", out: Path | None = None) -> None:
        """The output with two committed runs, hard links and all."""
        out = out or self.out
        shutil.rmtree(out, ignore_errors=True)
        subprocess.run(["cp", "-a", self.home / f"{job}-base", out], check=True, stderr=subprocess.DEVNULL)

    def command(self, *arguments: object) -> list[str]:
        return [str(self.rfmill), *map(str, arguments), "--quiet"]

    def run(self, *arguments: object, under: list[str] = [], **more) -> subprocess.CompletedProcess[str]:
        return subprocess.run(under + self.command(*arguments), cwd=self.home, capture_output=True, text=True, timeout=300, **more)

    def start(self, *arguments: object, under: list[str] = [], **more) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(under + self.command(*arguments), cwd=self.home, stdout=pipe, stderr=pipe, text=True, **more)

    def call(self, *arguments: object) -> str:
        ran = self.run(*arguments)
        assert ran.returncode == 0, f"{arguments}: exit {ran.returncode}: {ran.stderr}"
        return ran.stdout

    def verify(self, out: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.rfmill, "verify", out or self.out], capture_output=True, text=True)

    def what_is_seen(self, where: str, job: str = "orders", out: Path | None = None) -> str:
        """`old` or `new`: the run that is committed. Everything else is an error of the program."""
        out = out or self.out
        found, old, new = seen(out), self.old[job], self.new[job]
        assert found.commit in (old.commit, new.commit), f"{where}: commit {found.commit}"
        assert found.latest in (old.latest, new.latest), f"{where}: latest is neither run"
        assert found.tables in (old.tables, new.tables), f"{where}: tables are of neither run"
        if found.commit == old.commit:
            assert found == old, f"{where}: something is visible before the commit"
        said = self.verify(out)
        assert said.returncode == (0 if found in (old, new) else 5), f"{where}: verify says {said.returncode}: {said.stdout}{said.stderr}"
        return "old" if found.commit == old.commit else "new"

    def settles(self, where: str, job: str = "orders", out: Path | None = None) -> None:
        """A plain rerun ends with the bytes of an undisturbed run, and nothing is left behind."""
        out = out or self.out
        ran = self.run("run", f"{job}.toml", "--output", out)
        assert ran.returncode == 0, f"{where}: the rerun ends with {ran.returncode}: {ran.stderr}"
        assert seen(out) == self.new[job], f"{where}: the rerun gives something else"
        self.nothing_is_left(where, out)
        said = self.verify(out)
        assert said.returncode == 0 and "killed" not in said.stdout, f"{where}: {said.stdout}{said.stderr}"

    def nothing_is_left(self, where: str, out: Path) -> None:
        assert len(os.listdir(out / "runs")) <= 2, f"{where}: {os.listdir(out / 'runs')}"
        assert len(os.listdir(out / ".tables")) <= 4, f"{where}: {os.listdir(out / '.tables')}"
        left = [name for folder in ("runs", "commits", "made", "manifests", ".tables") for name in os.listdir(out / folder) if name.startswith(".")]
        assert not left, f"{where}: {left} are left"
        there = [".rfmill", ".tables", "commits", "latest", "made", "manifests", "runs", "tables"]
        assert sorted(os.listdir(out)) == there, os.listdir(out)

    def calls(self, job: str = "orders") -> Counter[str]:
        """How often a run makes each call, of the thread that makes it most: strace counts per thread, too."""
        self.reset(job)
        log = self.home / "strace.log"
        self.run("run", f"{job}.toml", "--threads", 1, under=self.traced(["-o", str(log)]))
        counts: Counter[tuple[str, str]] = Counter()
        for line in log.read_text(errors="replace").splitlines():
            if found := re.match(r"(\d+) +(\w+)\(", line):
                counts[found[1], found[2]] += 1
        most: Counter[str] = Counter()
        for (_, name), count in counts.items():
            most[name] = max(most[name], count)
        return most

    def traced(self, arguments: list[str]) -> list[str]:
        return [str(self.strace), "-f", "-qq", "-e", f"trace={','.join(CHANGES)}", *arguments]

    def injected(self, fault: str) -> list[str]:
        """strace with a fault, and without its log."""
        return self.traced(["-o", "/dev/null", "-e", f"inject={fault}"])


def is_a_sentence(text: str) -> bool:
    lines = text.strip().splitlines()
    return bool(lines and re.match(r"error\[[a-z]+\]: ", lines[-1]) and lines[-1].endswith(".") and "panicked" not in text)


def seen(out: Path) -> Seen:
    """Reads the output as the docs describe it, and asserts that the last committed run is whole."""
    records = sorted(path for path in (out / "commits").iterdir() if re.fullmatch(r"\d{8}\.json", path.name))
    record = json.loads(records[-1].read_bytes())
    run = out / "runs" / record["latest"]
    manifest = (run / "manifest.json").read_bytes()
    assert sha256(manifest) == record["runs"][0]["manifest_sha256"], "the manifest is not the committed one"
    for file in files_of(json.loads(manifest)):
        assert sha256((run / file["path"]).read_bytes()) == file["sha256"], f"{file['path']} is not what was written"
    return Seen(int(records[-1].stem), content(out / os.readlink(out / "latest")), content(out / os.readlink(out / "tables")))


def files_of(manifest: dict) -> list[dict]:
    return [file for table in manifest["tables"] for file in table["files"]] + manifest["reports"]


def content(folder: Path) -> tuple:
    """Paths and hashes of all files; of the manifest, which has timings, only what it says of the files."""
    assert folder.is_dir(), f"{folder} is not there"
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if path.name == "manifest.json":
            data = json.dumps(files_of(json.loads(data))).encode()
        found.append((str(path.relative_to(folder)), sha256(data)))
    return tuple(found)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
