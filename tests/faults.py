"""Crashes, full disks, refused calls, limits and signals against the real program, and whether readers ever see it.

    python tests/faults.py PATH/TO/rfmill [--full] [--seed N] [--only CHECK…]     (needs pyarrow; strace, unshare and cc help)

Commits two runs of sample orders, and then disturbs a third one in every way that is named below. After each disturbance

- a reader of its own, which does not use the program, sees the old run or the new one, whole, and the new one only if it
  is committed; `rfmill verify` says the same,
- the exit code and the sentence are true of what happened,
- a plain rerun ends with the bytes of a run that nothing disturbed, and nothing is left behind.

By default a seeded sample of the disturbances is tried, in about two minutes; `--full` tries all of them and prints a table of
what was measured. What this machine does not allow is skipped, and said.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from faults import crashes, disk, links, limits, signals
from faults.bench import Bench

CHECKS = (
    crashes.order_of_the_calls,
    crashes.kills_at_every_call,
    crashes.kills_at_random_moments,
    crashes.crashed_runs_are_collected,
    disk.full_disks,
    disk.disks_without_inodes,
    disk.a_full_disk_while_spilling,
    disk.a_read_only_output_is_found_first,
    disk.refused_calls,
    disk.a_commit_without_an_answer,
    links.an_output_that_is_replaced,
    links.planted_links,
    links.names_in_the_data_never_become_paths,
    limits.few_descriptors,
    limits.no_threads,
    limits.little_memory,
    limits.small_files_only,
    limits.closed_and_full_streams,
    signals.stops_at_random_moments,
    signals.a_second_signal,
    signals.ignored_signals,
    signals.two_runs_at_once,
    signals.a_held_output,
)


def in_a_namespace() -> bool:
    """Whether file systems can be mounted; goes into a namespace of its own where that is allowed."""
    if os.environ.get("RFMILL_FAULTS") == "inside":
        return True
    probe = ["unshare", "-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    if shutil.which("unshare") and subprocess.run(probe, capture_output=True).returncode == 0:
        os.environ["RFMILL_FAULTS"] = "inside"
        os.execvp("unshare", ["unshare", "-Urm", sys.executable, *sys.argv])
    return False


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("rfmill", type=Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int, default=20241231)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    can_mount = in_a_namespace()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="rfmill-faults-", dir=memory if memory.is_dir() else None) as folder:
        began = time.monotonic()
        bench = Bench(arguments.rfmill.resolve(), Path(folder), arguments.full, arguments.seed, can_mount)
        for check in CHECKS:
            if arguments.only and check.__name__ not in arguments.only:
                continue
            start = time.monotonic()
            check(bench)
            print(f"{check.__name__.replace('_', ' ')}: ok ({time.monotonic() - start:.1f} s)", flush=True)
    for reason in bench.skipped:
        print(f"SKIPPED: {reason}")
    if arguments.full:
        print(f"\nseed {arguments.seed}, {os.cpu_count()} cores, {platform.system()} {platform.release()}\n")
        print("| figure | value | target |\n|---|---|---|")
        for figure, value, target in bench.figures:
            print(f"| {figure} | {value} | {target} |")
    print(f"The output outlived everything ({time.monotonic() - began:.0f} s).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
