"""Disks that are full or read-only, and system calls that fail, once or from then on."""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .bench import Bench, is_a_sentence


@contextlib.contextmanager
def mounted(bench: Bench, options: str) -> Iterator[Path]:
    """A file system of its own, in memory."""
    at = bench.home / "disk"
    at.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", at], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", at], check=True)


def until_it_fits(bench: Bench, job: str, sizes: Iterator[str], grown: str) -> tuple[int, int]:
    """Runs on ever larger disks until the run fits; how many were too small, and on how many of them it had committed."""
    tried = committed = 0
    for options in sizes:
        with mounted(bench, options) as disk:
            out = disk / "out"
            try:
                bench.reset(job, out)
            except subprocess.CalledProcessError:
                # Not even the old runs fit.
                continue
            where = f"{job} on a disk of {options}"
            ran = bench.run("run", f"{job}.toml", "--output", out)
            state = bench.what_is_seen(where, job, out)
            if ran.returncode == 0:
                assert state == "new", f"{where}: a false success"
                return tried, committed
            tried += 1
            committed += state == "new"
            assert ran.returncode == 6 and is_a_sentence(ran.stderr), f"{where}: exit {ran.returncode}: {ran.stderr}"
            assert "No space left on device" in ran.stderr and "free some space" in ran.stderr, ran.stderr
            assert ("is committed, but" in ran.stderr) == (state == "new"), f"{where}: {ran.stderr}"
            assert ("last committed run is untouched" in ran.stderr) == (state == "old"), f"{where}: {ran.stderr}"
            staged = [name for name in os.listdir(out / "runs") if name.startswith(".staging")]
            assert not staged, f"{where}: {staged}"
            subprocess.run(["mount", "-o", f"remount,{grown}", disk], check=True)
            bench.settles(where, job, out)
    raise AssertionError("the run never fits")


def full_disks(bench: Bench) -> None:
    if not bench.can_mount:
        return
    for job in ("orders", "many") if bench.full else ("orders",):
        step = 64 if job == "many" else 16
        tried, committed = until_it_fits(bench, job, (f"size={size}k" for size in range(64, 1 << 20, step)), "size=1g")
        print(f"  {job}: {tried} disks were too small, in steps of {step} KiB; {committed} times after the commit")
        assert tried > 3
        bench.figure(f"Full disks without a false success or a lost commit, in steps of {step} KiB", f"{tried} of {tried}", "all")


def disks_without_inodes(bench: Bench) -> None:
    if not bench.can_mount:
        return
    tried, committed = until_it_fits(bench, "orders", (f"size=64m,nr_inodes={n}" for n in range(100, 5000, 1 if bench.full else 12)), "nr_inodes=9999")
    print(f"  {tried} numbers of inodes were too small; {committed} times after the commit")
    assert tried > 3
    bench.figure("Disks without inodes", f"{tried} of {tried}", "all")


def a_full_disk_while_spilling(bench: Bench) -> None:
    if not bench.can_mount:
        return
    bench.call("sample", "spilled", "--orders", 1_500_000, "--customers", 20_000, "--files", 4)
    (bench.home / "spilled.toml").write_text((bench.home / "many.toml").read_text().replace("many/", "spilled/"))
    limit = "1MiB"
    with mounted(bench, "size=6m") as disk:
        for _ in range(5):
            ran = bench.run("run", "spilled.toml", "--output", disk / "out", "--memory-limit", limit)
            assert ran.returncode == 7 and is_a_sentence(ran.stderr), f"exit {ran.returncode}: {ran.stderr}"
            least = re.search(r"give at least (\d+MiB)", ran.stderr)
            if not least:
                break
            limit = least[1]
        assert "cannot spill to" in ran.stderr and "free some space there" in ran.stderr, ran.stderr
        assert os.listdir(disk / "out" / "runs") == [] and os.listdir(disk / "out" / "commits") == []
        subprocess.run(["mount", "-o", "remount,size=1g", disk], check=True)
        ran = bench.run("run", "spilled.toml", "--output", disk / "out", "--memory-limit", limit)
        assert ran.returncode == 0, ran.stderr


def a_read_only_output_is_found_first(bench: Bench) -> None:
    if not bench.can_mount:
        return
    with mounted(bench, "size=64m") as disk:
        out = disk / "out"
        bench.reset("many", out)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        slowest = 0.0
        for output in (out, disk / "new"):
            began = time.monotonic()
            ran = bench.run("run", "many.toml", "--output", output)
            slowest = max(slowest, time.monotonic() - began)
            assert ran.returncode == 6 and "Read-only file system" in ran.stderr and is_a_sentence(ran.stderr), ran.stderr
        assert slowest < 1, f"it takes {slowest:.2f} s to find that the output is read-only"
        assert bench.what_is_seen("read-only", "many", out) == "old"
    bench.figure("A read-only output is refused after", f"{slowest:.2f} s", "≤ 1 s")


def refused_calls(bench: Bench) -> None:
    """A call fails, once or from then on: the exit code and the sentence are true, and a rerun ends where it should."""
    if not bench.strace:
        return
    errors = {
        "write": ("ENOSPC", "EIO", "EDQUOT"),
        "fsync": ("EIO", "ENOSPC", "EDQUOT"),
        "rename": ("EXDEV", "ENOSPC", "EACCES", "EIO"),
        "linkat": ("EXDEV", "ENOSPC", "EDQUOT", "EACCES"),
        "mkdir": ("ENOSPC", "EACCES", "EDQUOT"),
        "symlink": ("ENOSPC", "EACCES"),
        "unlinkat": ("EIO", "EACCES"),
    }
    counts = bench.calls()
    points = [(name, number, errors[name][number % len(errors[name])], more) for name in errors for number in range(1, counts[name] + 1) for more in ("", "+")]
    chosen = bench.sample(points, 40)
    codes: Counter[int] = Counter()
    for name, number, error, more in chosen:
        where = f"{name} {number} ends with {error}{' from then on' if more else ''}"
        bench.reset()
        ran = bench.run("run", "orders.toml", "--threads", 1, under=bench.injected(f"{name}:error={error}:when={number}{more}"))
        codes[ran.returncode] += 1
        state = bench.what_is_seen(where)
        said = f"{where}: exit {ran.returncode}, {state} is committed: {ran.stderr}"
        assert ran.returncode in (0, 6, 9), said
        if ran.returncode == 0:
            assert state == "new", f"a false success: {said}"
        elif ran.stderr or name != "write":
            # Where writing itself fails from the start, so does the message.
            assert is_a_sentence(ran.stderr), said
            assert ("last committed run is untouched" in ran.stderr) <= (state == "old"), said
            assert ("is committed, but" in ran.stderr) <= (state == "new"), said
        if state == "old" and name != "unlinkat":
            assert not [n for n in os.listdir(bench.out / "runs") if n.startswith(".staging")], f"staged files are left: {said}"
        bench.settles(where)
    print(f"  {len(chosen)} of {len(points)} calls and errors; exit codes {dict(sorted(codes.items()))}")
    bench.figure("System calls that fail once or from then on: true sentence and rerun / tried / such calls", f"{len(chosen)} / {len(chosen)} / {len(points)}", "all")
    bench.figure("Their exit codes", ", ".join(f"{code}: {count}" for code, count in sorted(codes.items())), "0, 6, 9")


# What strace cannot do: a call that happens and yet fails, and one that takes long although nobody traces it.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int broken;
int unlinkat(int folder, const char *name, int flags) {
    int (*real)(int, const char *, int) = dlsym(RTLD_NEXT, "unlinkat");
    if (strstr(getenv("FAULT"), "slow")) sleep(10);
    return real(folder, name, flags);
}
int linkat(int from, const char *path, int to, const char *name, int flags) {
    int (*real)(int, const char *, int, const char *, int) = dlsym(RTLD_NEXT, "linkat");
    if (!strstr(name, "/commits/")) return real(from, path, to, name, flags);
    if (!strstr(getenv("FAULT"), "undone")) real(from, path, to, name, flags);
    broken = 1;
    errno = EIO;
    return -1;
}
int open64(const char *path, int flags, ...) {
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    va_list rest;
    va_start(rest, flags);
    int mode = va_arg(rest, int);
    va_end(rest);
    if (broken && strstr(getenv("FAULT"), "unreadable") && strstr(path, "/commits/")) {
        errno = EIO;
        return -1;
    }
    return real(path, flags, mode);
}
"""


def with_shim(bench: Bench, fault: str) -> dict[str, str] | None:
    """The environment in which a fault of the shim happens; `None`, and said, without a C compiler."""
    source, shim = bench.home / "shim.c", bench.home / "shim.so"
    if not shutil.which("cc"):
        bench.skip("no C compiler: a commit whose outcome is unknown, a second signal")
        return None
    if not shim.exists():
        source.write_text(SHIM)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    return {**os.environ, "LD_PRELOAD": str(shim), "FAULT": fault}


def a_commit_without_an_answer(bench: Bench) -> None:
    """The call that commits fails, although it may have happened: only what the disk says counts."""
    for fault, code, committed in (("done", 0, "new"), ("undone", 6, "old"), ("done unreadable", 9, "new"), ("undone unreadable", 9, "old")):
        environment = with_shim(bench, fault)
        if environment is None:
            return
        bench.reset()
        ran = bench.run("run", "orders.toml", env=environment)
        assert ran.returncode == code, f"{fault}: exit {ran.returncode}: {ran.stderr}"
        assert bench.what_is_seen(fault) == committed, fault
        if code == 9:
            assert is_a_sentence(ran.stderr) and "it cannot be told" in ran.stderr and "rfmill verify" in ran.stderr, ran.stderr
            assert len(os.listdir(bench.out / "runs")) == 3, "something was removed though nobody knows"
        bench.settles(fault)
    bench.figure("Commits whose call fails though it happened, or whose outcome cannot be read", "4 of 4", "all")
