"""Years of nights on one output, a hundred damages by hand, and restores: what readers see stays what was committed.

    python tests/nights.py PATH/TO/rfmill [--nights N] [--points N] [--damages N] [--seed N] [--only CHECK…]

- *nights*: a nightly job runs N times on small data, with late files, runs of earlier dates and a drop on the way. At some
  points `tables/` must equal that of a fresh output on which the same commands ran, each on the inputs that its date last
  used. A night late in the history makes the calls of an early one, and takes as long.
- *damages*: a file of any class is flipped, truncated, deleted or replaced by an older copy. `verify` finds each; a further
  night does not hide it; and who follows what `verify` prints ends with the numbers that were committed.
- *restores*: copies by `cp -r`, `cp -rL`, `rsync` and without names that begin with a dot, lost runs, trees and manifests:
  the same.

By default a small size, in about two minutes; `--nights 1000 --points 20 --damages 100` is the full one.
"""

import argparse
import hashlib
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

JOB = """name = "nightly"

[orders]
path = "orders/*.parquet"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
order_id = "order_id"

[periods]
compare = ["1 day"]

[output]
path = "out"
keep_runs = 3
report = ["json", "crm"]
"""
FIRST = date(2022, 1, 1)


class Shop:
    """A job whose inputs have versions, each in a folder of its own."""

    def __init__(self, rfmill: Path, home: Path, orders: int):
        self.rfmill, self.home, self.versions = rfmill, home, 0
        call([rfmill, "sample", home / "v0" / "orders", "--orders", orders, "--customers", orders // 6, "--files", 3, "--from", "2021-01-01", "-q"])
        (home / "v0" / "job.toml").write_text(JOB)

    def restate(self) -> None:
        """A late file: all inputs are as they were, and one is new."""
        before, self.versions = self.home / f"v{self.versions}", self.versions + 1
        now = self.home / f"v{self.versions}"
        shutil.copytree(before, now, copy_function=os.link)
        late = self.home / "late"
        call([self.rfmill, "sample", late, "--orders", 40, "--customers", 10, "--files", 1, "--from", "2021-01-01", "--to", "2021-12-31", "--seed", 100 + self.versions, "-q"])
        next(late.iterdir()).rename(now / "orders" / f"late-{self.versions:03}.parquet")
        shutil.rmtree(late)

    def command(self, day: date, out: Path, version: int) -> list:
        return [self.rfmill, "run", self.home / f"v{version}" / "job.toml", "--as-of", day, "--output", out, "--quiet"]

    def run(self, day: date, out: Path, version: int | None = None) -> None:
        call(self.command(day, out, self.versions if version is None else version))


def call(command: list, expected: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    said = " ".join(str(part) for part in command)
    assert ran.returncode in expected, f"{said}: exit {ran.returncode}: {ran.stdout}{ran.stderr}"
    return ran


def tables(out: Path) -> dict[str, str]:
    """Paths below `tables` with the hashes of their files."""
    root = (out / "tables").resolve()
    files = (path for path in root.rglob("*") if path.is_file() and "restatements" not in path.parts)
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def nights(rfmill: Path, home: Path, chance: random.Random, count: int, points: int) -> None:
    shop, out = Shop(rfmill, home, 3000), home / "out"
    used: dict[date, int] = {}
    seconds, counted = [], []
    often = 1 if count >= 200 else 3
    looked = {round(count * (number + 1) / points) for number in range(points)}
    quiet = set(range(5, 16)) | set(range(count - 10, count + 1))
    for night in range(1, count + 1):
        day = FIRST + timedelta(night - 1)
        if night not in quiet:
            if chance.random() < 0.05 * often:
                shop.restate()
            if used and chance.random() < 0.1 * often:
                earlier = chance.choice(sorted(used))
                shop.run(earlier, out)
                used[earlier] = shop.versions
            if used and chance.random() < 0.03 * often:
                gone = chance.choice(sorted(used))
                call([rfmill, "drop", out, "--as-of", gone, "--quiet"])
                del used[gone]
        # Counted with strace, and so without a time.
        if night in (10, count - 5) and shutil.which("strace"):
            counted.append(calls(shop.command(day, out, shop.versions), home))
        else:
            began = time.perf_counter()
            shop.run(day, out)
            seconds.append((night, time.perf_counter() - began))
        used[day] = shop.versions
        if night in looked:
            call([rfmill, "verify", out])
            fresh = home / "fresh"
            for past, version in sorted(used.items()):
                shop.run(past, fresh, version)
            assert tables(out) == tables(fresh), f"night {night}: tables/ is not that of a fresh output"
            shutil.rmtree(fresh)
    early = statistics.median(s for night, s in seconds if 5 <= night <= 15)
    late = statistics.median(s for night, s in seconds if night >= count - 10)
    print(f"  {count} nights, {len(used)} dates in view, {shop.versions} versions of the inputs; equal to a fresh output at {len(looked)} points")
    print(f"  median of nights 5 to 15: {early * 1000:.0f} ms, of the last eleven: {late * 1000:.0f} ms ({late / early:.2f} times)")
    for record in sorted((out / "commits").iterdir())[-1:]:
        print(f"  the last record has {record.stat().st_size:,} bytes")
    if counted:
        print(f"  calls of night 10: {dict(counted[0])}; of night {count - 5}: {dict(counted[1])}")
        assert counted[0] == counted[1], "a late night makes other calls than an early one"
    # Time is held against a limit only where the history is long; with few nights it says more of the machine.
    assert count < 1000 or late <= early * 1.2, "a late night takes longer than an early one"


def calls(command: list, home: Path) -> Counter[str]:
    """How often a command makes the calls that cost."""
    log = home / "strace.log"
    call(["strace", "-f", "-qq", "-o", log, "-e", "trace=fsync,fdatasync,linkat,rename,renameat2,mkdir,symlink", *command, "--threads", 1])
    return Counter(sorted(re.findall(r"^\d+ +(\w+)\(", log.read_text(errors="replace"), re.MULTILINE)))


class Model:
    """An output with some history, an older copy of it, and what its tables hold."""

    def __init__(self, rfmill: Path, home: Path):
        self.rfmill, self.home, self.out = rfmill, home, home / "out"
        self.shop = Shop(rfmill, home, 2000)
        self.days = [FIRST + timedelta(30 * number) for number in range(9)]
        for day in self.days[:-1]:
            self.shop.run(day, self.out)
        self.shop.run(self.days[2], self.out)
        copy(self.out, home / "older")
        call([rfmill, "drop", self.out, "--as-of", self.days[3], "--quiet"])
        self.shop.run(self.days[-1], self.out)
        call([rfmill, "verify", self.out])
        self.expected = tables(self.out)
        copy(self.out, home / "model")

    def reset(self) -> None:
        copy(self.home / "model", self.out)

    def verify(self, *flags: str) -> subprocess.CompletedProcess[str]:
        return call([self.rfmill, "verify", self.out, *flags], (0, 5))

    def follow(self, where: str) -> list[str]:
        """Does what `verify` prints until it is content; returns what was done."""
        done = []
        for _ in range(40):
            ran = self.verify()
            if ran.returncode == 0:
                return done
            said = ran.stdout + ran.stderr
            if "--repair" in said:
                done.append("repair")
                self.verify("--repair")
            elif found := re.search(r"move (/\S+) away", said) or re.search(r"(/\S+) is [^;\n]*; move it away", said):
                done.append("move away")
                Path(found[1]).rename(self.home / f"moved-{len(done)}-{time.monotonic_ns()}")
            elif found := re.search(r"`rfmill run JOB --as-of (\S+)`", said):
                done.append("run as of")
                call(self.shop.command(date.fromisoformat(found[1]), self.out, 0), (0, 5))
            elif "run the job again" in said:
                done.append("run")
                call(self.shop.command(self.days[-1], self.out, 0), (0, 5))
            else:
                raise AssertionError(f"{where}: nothing can be done: {said}")
        raise AssertionError(f"{where}: what verify prints does not help: {said}")

    def settles(self, where: str) -> list[str]:
        done = self.follow(where)
        found = tables(self.out)
        assert found == self.expected, f"{where}: after {done}: {set(found.items()) ^ set(self.expected.items())}"
        return done


def copy(source: Path, target: Path) -> None:
    """A copy with its hard links."""
    shutil.rmtree(target, ignore_errors=True)
    call(["cp", "-a", source, target])


CLASSES = {
    "marker": r"\.rfmill",
    "record": r"commits/.*",
    "copy of a record": r"\.tables/\d+\.json",
    "manifest": r"manifests/.*",
    "made by a commit": r"made/.*",
    "manifest of a run": r"runs/[^/]*/manifest\.json",
    "table of a run": r"runs/[^/]*/(?!report).*\.parquet",
    "report": r"runs/[^/]*/report/.*",
    "tree": r"\.tables/\d+/.*",
}


def damages(rfmill: Path, home: Path, chance: random.Random, count: int) -> None:
    model = Model(rfmill, home)
    files = sorted(str(path.relative_to(model.out)) for path in model.out.rglob("*") if path.is_file() and not path.is_symlink())
    files = [name for name in files if not name.startswith(("latest/", "tables/"))]
    # The next tree takes no dimension from the tree before.
    before = [f".tables/{path.name}/dim_" for path in (model.out / ".tables").iterdir() if path.is_dir() and path != (model.out / "tables").resolve()]
    files = [name for name in files if not name.startswith(tuple(before))]
    classes = {name: [file for file in files if re.fullmatch(pattern, file)] for name, pattern in CLASSES.items()}
    assert sorted(sum(classes.values(), [])) == files, set(files) - set(sum(classes.values(), []))
    ways = ("flip", "truncate", "delete", "older copy")
    cases = [(name, way, hard) for name in classes for way in ways for hard in (True, False)]
    chance.shuffle(cases)
    done: Counter[str] = Counter()
    for number in range(count):
        name, way, hard = cases[number % len(cases)]
        model.reset()
        if not hard:
            # As after a restore that knows no hard links.
            shutil.rmtree(model.out)
            call(["cp", "-r", home / "model", model.out])
        file = model.out / chance.choice(classes[name])
        way = damage(model, file, way, chance)
        where = f"{number}: {way} of {file.relative_to(model.out)}{'' if hard else ', without hard links'}"
        said = model.verify()
        assert said.returncode == 5, f"{where}: verify finds nothing: {said.stdout}"
        assert file.name in said.stdout + said.stderr or "MANIFEST" in where.upper(), f"{where}: not named: {said.stdout}{said.stderr}"
        # A further night does not hide it.
        copy(model.out, home / "damaged")
        night = FIRST + timedelta(400)
        ran = call(model.shop.command(night, model.out, 0), (0, 5, 6))
        after = {path: digest for path, digest in tables(model.out).items() if f"as_of={night}" not in path} if (model.out / "tables").exists() else {}
        # The dimensions have tonight, too.
        of_dates = [{path: digest for path, digest in held.items() if "as_of=" in path} for held in (after, model.expected)]
        if ran.returncode == 0 and of_dates[0] != of_dates[1]:
            assert model.verify().returncode == 5, f"{where}: a night hides it"
        copy(home / "damaged", model.out)
        done.update(set(model.settles(where)))
    print(f"  {count} damages: all found, none hidden, all put right by what was printed ({dict(done)})")


def damage(model: Model, file: Path, way: str, chance: random.Random) -> str:
    """Damages a file; an older copy that would be the same file is a flip."""
    content = file.read_bytes()
    if way == "delete":
        file.unlink()
    elif way == "truncate":
        os.truncate(file, chance.randrange(len(content)))
    elif way == "older copy" and (older := older_copy(model, file, content)):
        with file.open("r+b") as opened:
            opened.write(older)
            opened.truncate(len(older))
    else:
        at = chance.randrange(len(content))
        with file.open("r+b") as opened:
            opened.seek(at)
            opened.write(bytes([content[at] ^ 1 << chance.randrange(8)]))
        return "flip"
    return way


def older_copy(model: Model, file: Path, content: bytes) -> bytes | None:
    """What the file held before, or one of the same name elsewhere."""
    before = model.home / "older" / file.relative_to(model.out)
    others = [before, *sorted((model.home / "older").rglob(re.sub(r"\d{8}|[0-9a-f]{64}", "*", file.name)))]
    held = (path.read_bytes() for path in others if path.is_file())
    return next((bytes_ for bytes_ in held if bytes_ != content), None)


def restores(rfmill: Path, home: Path, chance: random.Random) -> None:
    model = Model(rfmill, home)
    out, kept = model.out, home / "model"
    runs = sorted(path.name for path in (kept / "runs").iterdir())
    latest = os.readlink(kept / "latest").removeprefix("runs/")

    def again(*command: object) -> None:
        shutil.rmtree(out)
        call(list(command))

    def without(*names: str) -> None:
        for name in names:
            shutil.rmtree(out / name) if (out / name).is_dir() and not (out / name).is_symlink() else (out / name).unlink()

    def without_dots() -> None:
        shutil.rmtree(out)
        out.mkdir()
        call(["cp", "-a", *sorted(path for path in kept.iterdir() if not path.name.startswith(".")), out])

    number = int(os.readlink(kept / "tables").removeprefix(".tables/"))
    cases = {
        "cp -r": lambda: again("cp", "-r", kept, out),
        "cp -rL": lambda: again("cp", "-rL", kept, out),
        "without names that begin with a dot": without_dots,
        "a lost .tables": lambda: without(".tables"),
        "a lost tree": lambda: without(f".tables/{number:08}"),
        "a lost tree before": lambda: without(f".tables/{number - 1:08}"),
        "both trees lost": lambda: without(f".tables/{number:08}", f".tables/{number - 1:08}"),
        "a lost last record": lambda: without(f"commits/{number:08}.json"),
        "lost records": lambda: without("commits"),
        "lost manifests": lambda: without("manifests"),
        "a lost link latest": lambda: without("latest"),
        "a lost link tables": lambda: without("tables"),
        "an older .tables": lambda: (without(".tables"), call(["cp", "-a", home / "older" / ".tables", out])),
        "older commits": lambda: (without("commits"), call(["cp", "-a", home / "older" / "commits", out])),
        "older runs": lambda: (without("runs"), call(["cp", "-a", home / "older" / "runs", out])),
        "all runs lost": lambda: without("runs"),
        **{f"run {run} lost{' (latest)' if run == latest else ''}": lambda run=run: without(f"runs/{run}") for run in runs},
    }
    if shutil.which("rsync"):
        cases |= {
            "rsync -a": lambda: again("rsync", "-a", f"{kept}/", f"{out}/"),
            "rsync -aH": lambda: again("rsync", "-aH", f"{kept}/", f"{out}/"),
            "rsync -r": lambda: again("rsync", "-r", f"{kept}/", f"{out}/"),
        }
    for name, spoil in cases.items():
        model.reset()
        spoil()
        said = model.verify()
        done = model.settles(name)
        assert (said.returncode == 0) == (not done), f"{name}: {said.stdout}{said.stderr}"
        finding = said.stderr.strip().replace(str(out), "OUT").removeprefix("error[state]: ")
        print(f"  {name}: {finding[:150] or 'nothing is wrong'}{' → ' if done else ''}{', '.join(done)}")


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("rfmill", type=Path)
    parser.add_argument("--nights", type=int, default=60)
    parser.add_argument("--points", type=int, default=3)
    parser.add_argument("--damages", type=int, default=32)
    parser.add_argument("--seed", type=int, default=20241231)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    rfmill = arguments.rfmill.resolve()
    checks = {
        "nights": lambda home, chance: nights(rfmill, home, chance, arguments.nights, arguments.points),
        "damages": lambda home, chance: damages(rfmill, home, chance, arguments.damages),
        "restores": lambda home, chance: restores(rfmill, home, chance),
    }
    memory = Path("/dev/shm")
    for name, check in checks.items():
        if arguments.only and name not in arguments.only:
            continue
        with tempfile.TemporaryDirectory(prefix="rfmill-nights-", dir=memory if memory.is_dir() else None) as folder:
            began = time.monotonic()
            check(Path(folder), random.Random(arguments.seed))
            print(f"{name}: ok ({time.monotonic() - began:.1f} s)", flush=True)
    print(f"The output stayed true (seed {arguments.seed}).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
