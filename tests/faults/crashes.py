"""Kills at every call and at random moments, what they leave behind, and the order in which a run makes things durable."""

import json
import os
import re
import shutil
import threading
import time
from pathlib import Path

from .bench import CHANGES, KILLED, Bench, files_of


def order_of_the_calls(bench: Bench) -> None:
    """What would be lost at a power cut: every file is durable before the manifest, that before the commit, and so on."""
    if not bench.strace:
        return
    bench.reset()
    log = bench.home / "strace.log"
    ran = bench.run("run", "orders.toml", under=bench.traced(["-y", "-o", str(log)]))
    assert ran.returncode == 0, ran.stderr
    events = [re.sub(r"^\d+ +", "", line) for line in log.read_text(errors="replace").splitlines()]

    def at(pattern: str, last: bool = False) -> int:
        found = [number for number, event in enumerate(events) if re.search(pattern, event)]
        assert found, f"no call matches {pattern}"
        return found[-1 if last else 0]

    run = bench.out / os.readlink(bench.out / "latest")
    staging = f"{bench.out}/runs/\\.staging-{run.name}"
    data = [at(rf"^fsync\(\d+<{staging}/{re.escape(file['path'])}>") for file in files_of(json.loads((run / "manifest.json").read_bytes()))]
    written = [at(rf"^write\(\d+<{staging}/{re.escape(file['path'])}>", last=True) for file in files_of(json.loads((run / "manifest.json").read_bytes()))]
    assert all(w < f for w, f in zip(written, data, strict=True)), "a file is written after it was made durable"
    manifest = at(rf"^fsync\(\d+<{staging}/manifest\.json>")
    folders = [at(rf"^fsync\(\d+<{staging}{re.escape(str(folder))}>") for folder in {"", *(f"/{p.relative_to(run)}" for p in run.rglob("*") if p.is_dir())}]
    renamed = at(r'^rename\("[^"]*\.staging-')
    runs = at(rf"^fsync\(\d+<{bench.out}/runs>")
    kept = at(rf"^fsync\(\d+<{bench.out}/manifests/\.[0-9a-f]+\.new>")
    manifests = at(rf"^fsync\(\d+<{bench.out}/manifests>")
    record = at(rf"^fsync\(\d+<{bench.out}/commits/\.\d+\.new>")
    commit = at(r'^linkat\([^"]*"[^"]*/commits/\.\d+\.new"')
    commits = at(rf"^fsync\(\d+<{bench.out}/commits>", last=True)
    latest = at(r'^rename\("[^"]*latest\.new"')
    aside = at(r'^rename\("[^"]*\.tables/\d+", "[^"]*\.tables/\.\d+\.from-\d+"')
    tree = at(r'^rename\("[^"]*\.tables/\.\d+\.from-\d+"')
    of_tables = [number for number, event in enumerate(events) if re.search(rf"^fsync\(\d+<{bench.out}/\.tables/\.\d+\.from-", event)]
    copy = at(rf"^fsync\(\d+<{bench.out}/\.tables/\d+\.json>")
    tables = at(r'^rename\("[^"]*tables\.new"')
    removed = at(r"^(unlinkat|rmdir|unlink)\(.*(part-000|\.old-)")
    order = [max(data), manifest, max(folders), renamed, runs, kept, manifests, record, commit, commits, latest, aside, max(of_tables), copy, tree, tables, removed]
    assert order == sorted(order), f"the order is not kept: {order}"
    bench.figure("Order of a commit, from the log of its system calls", f"{len(data)} files < manifest < {len(folders)} folders < kept manifest < link < folder of the commits < `latest` < `tables` < removal of older runs", "data fsync < manifest fsync < link < folder fsync")


def kills_at_every_call(bench: Bench) -> None:
    if not bench.strace:
        return
    counts = bench.calls()
    points = [(name, number) for name in CHANGES for number in range(1, counts[name] + 1)]
    chosen = bench.sample(points, 40)
    killed = {"old": 0, "new": 0}
    for name, number in chosen:
        where = f"killed at {name} {number}"
        bench.reset()
        ran = bench.run("run", "orders.toml", "--threads", 1, under=bench.injected(f"{name}:signal=KILL:when={number}"))
        assert ran.returncode in KILLED, f"{where}: exit {ran.returncode}: {ran.stderr}"
        killed[bench.what_is_seen(where)] += 1
        bench.settles(where)
    print(f"  {len(chosen)} of {len(points)} calls; {killed['old']} kills left the old run, {killed['new']} the new one")
    assert killed["old"] > 0 and killed["new"] > 0
    bench.figure("Kills at a system call that changes the disk: survived / tried / such calls", f"{len(chosen)} / {len(chosen)} / {len(points)}", "all")


class Reader(threading.Thread):
    """Looks at the output all the time, while it is there."""

    def __init__(self, out: Path, allowed: list[tuple]):
        super().__init__(daemon=True)
        self.out, self.allowed, self.views, self.wrong, self.done = out, allowed, 0, [], False

    def run(self) -> None:
        while not self.done:
            for look in (self.latest, self.tables):
                try:
                    found = look()
                except OSError as error:
                    found = f"{error}"
                self.views += 1
                if found not in self.allowed:
                    self.wrong.append(found)

    def latest(self) -> tuple:
        run = self.out / os.readlink(self.out / "latest")
        files = files_of(json.loads((run / "manifest.json").read_bytes()))
        return tuple(sorted((file["path"], os.stat(run / file["path"]).st_size) for file in files))

    def tables(self) -> tuple:
        return sizes(self.out / os.readlink(self.out / "tables"))


def sizes(folder: Path) -> tuple:
    found = []
    for parent, _, names in os.walk(folder):
        found += [(os.path.relpath(os.path.join(parent, name), folder), os.stat(os.path.join(parent, name)).st_size) for name in names]
    return tuple(sorted(found))


def kills_at_random_moments(bench: Bench) -> None:
    allowed = []
    bench.reset()
    reader = Reader(bench.out, [])
    allowed += [reader.latest(), reader.tables()]
    began = time.monotonic()
    bench.call("run", "orders.toml")
    whole = time.monotonic() - began
    allowed += [reader.latest(), reader.tables()]
    killed = {"old": 0, "new": 0}
    views = 0
    tries = 1000 if bench.full else 25
    for number in range(tries):
        bench.reset()
        reader = Reader(bench.out, allowed)
        reader.start()
        process = bench.start("run", "orders.toml")
        time.sleep(bench.chance.uniform(0, whole * 1.5))
        process.kill()
        process.communicate()
        reader.done = True
        reader.join()
        views += reader.views
        assert not reader.wrong, f"kill {number}: a reader saw {reader.wrong[0]}"
        where = f"random kill {number}"
        killed[bench.what_is_seen(where)] += 1
        bench.settles(where)
    print(f"  {tries} kills, {killed['new']} of them after the commit; {views:,} looks of a reader")
    assert killed["old"] > 0
    bench.figure("Kills at random moments: survived / tried (after the commit)", f"{tries} / {tries} ({killed['new']})", "1,000 / 1,000")
    bench.figure("Mixed or partial views among the looks of a polling reader", f"0 of {views:,}", "0")


def crashed_runs_are_collected(bench: Bench) -> None:
    """Whatever crashed runs left, the next one removes it; what a commit names stays."""
    bench.reset()
    runs = bench.out / "runs"
    left = 100
    # Copies of a run stand for what runs left that were killed in the middle, and just before their commit.
    model = next(run for run in runs.iterdir())
    for number in range(left):
        name = f".staging-{number:016x}" if number % 2 else f"{number:016x}"
        shutil.copytree(model, runs / name)
    (bench.out / "commits" / ".00000003.new").write_text("half a rec")
    (bench.out / ".tables" / ".00000003.from-00000001" / "customers").mkdir(parents=True)
    size = sum(path.stat().st_size for path in runs.rglob("*") if path.is_file())
    assert bench.what_is_seen("crashed runs") == "old"
    said = bench.verify().stdout
    assert "left by a run that was killed" in said and ".staging-" in said, said
    bench.settles("crashed runs")
    after = sum(path.stat().st_size for path in runs.rglob("*") if path.is_file())
    bench.figure("Leftovers of crashed runs collected by the next run", f"{left} of {left}; {size:,} bytes became {after:,}", "all")
