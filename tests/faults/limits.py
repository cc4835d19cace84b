"""Too few descriptors, threads, bytes of memory or of a file; streams that are closed or full."""

import os
import resource
import subprocess

from .bench import Bench, is_a_sentence


# What the standard library says before it aborts, where there is no memory even for a panic.
LAST_WORDS = ("memory allocation of", "failed to initiate panic")


def limited(what: int, limit: int):
    return lambda: resource.setrlimit(what, (limit, limit))


def ends_well(bench: Bench, where: str, ran: subprocess.CompletedProcess[str], codes: tuple[int, ...]) -> None:
    assert ran.returncode in (0, *codes), f"{where}: exit {ran.returncode}: {ran.stderr}"
    assert ran.returncode == 0 or is_a_sentence(ran.stderr) or any(last in ran.stderr for last in LAST_WORDS), f"{where}: {ran.stderr}"
    state = bench.what_is_seen(where)
    said = f"{where}: exit {ran.returncode}, but {state} is committed: {ran.stderr}"
    # What is left to do behind the commit may be refused too; then the run says that it is committed.
    assert ran.returncode != 0 or state == "new", said
    assert ran.returncode == 0 or state == "old" or "is committed, but" in ran.stderr, said
    bench.settles(where)


def few_descriptors(bench: Bench) -> None:
    refused = 0
    limits = range(3, 33) if bench.full else (4, 6, 8, 10, 12, 16, 32)
    for limit in limits:
        bench.reset()
        ran = bench.run("run", "orders.toml", preexec_fn=limited(resource.RLIMIT_NOFILE, limit))
        if ran.returncode == 127 and "error while loading shared libraries" in ran.stderr:
            continue
        where = f"{limit} descriptors"
        assert ran.returncode == 0 or "ulimit -n" in ran.stderr, f"{where}: exit {ran.returncode}: {ran.stderr}"
        ends_well(bench, where, ran, (7,))
        refused += ran.returncode == 7
    assert ran.returncode == 0, "a run needs more than 32 descriptors"
    bench.figure("Limits of descriptors (`ulimit -n`) that were too low: exit 7", f"{refused} of {refused}; 32 suffice", "exit 7")


def no_threads(bench: Bench) -> None:
    """`ulimit -u` does not hold for root, so the call itself is refused."""
    if not bench.strace:
        return
    codes = []
    for number in range(1, 7):
        bench.reset()
        under = [bench.strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=clone,clone3", "-e", f"inject=clone,clone3:error=EAGAIN:when={number}+"]
        ran = bench.run("run", "orders.toml", "--threads", 4, under=under)
        ends_well(bench, f"no thread after {number - 1}", ran, (7,))
        codes.append(ran.returncode)
    assert 7 in codes and codes[-1] == 0, codes
    bench.figure("Threads refused by the system", f"exit codes {', '.join(map(str, codes))}", "exit 7 or done")


def little_memory(bench: Bench) -> None:
    """Address space in steps: enough, or exit 7. More of it may be too little where less was enough, so all steps are tried."""
    codes = []
    for mib in range(16, 512, 2 if bench.full else 24):
        bench.reset()
        ran = bench.run("run", "orders.toml", "--threads", 2, preexec_fn=limited(resource.RLIMIT_AS, mib << 20))
        if ran.returncode in (127, 1) and "error while loading shared libraries" in ran.stderr or ran.returncode == -11 and not codes:
            # Not even the program itself can be loaded.
            continue
        ends_well(bench, f"{mib} MiB of address space", ran, (7,))
        codes.append(ran.returncode)
    assert codes[-1] == 0, codes
    bench.figure("Limits of memory (`ulimit -v`) that were too low: exit 7", f"{codes.count(7)} of {len(codes) - codes.count(0)}", "exit 7")


def small_files_only(bench: Bench) -> None:
    for limit in (0, 512, 4096, 16384):
        bench.reset()
        ran = bench.run("run", "orders.toml", preexec_fn=limited(resource.RLIMIT_FSIZE, limit))
        assert ran.returncode == 6 and "ulimit -f" in ran.stderr, f"exit {ran.returncode}: {ran.stderr}"
        ends_well(bench, f"files of {limit} bytes", ran, (6,))


def closed_and_full_streams(bench: Bench) -> None:
    full = open("/dev/full", "w")
    home = bench.home

    def command(*arguments: str, **streams) -> subprocess.CompletedProcess[str]:
        return subprocess.run([bench.rfmill, *arguments], cwd=home, text=True, **streams)

    bench.reset()
    for streams in ({"stderr": full, "stdout": full}, {"preexec_fn": lambda: (os.close(1), os.close(2))}):
        bench.reset()
        ran = command("run", "orders.toml", **streams)
        assert ran.returncode == 0, f"a run without a stream ends with {ran.returncode}"
        assert bench.what_is_seen("streams") == "new"
    for arguments in (["verify", "out"], ["schema"], ["man"], ["completions", "bash"], ["explain", "orders.toml"], ["check", "orders.toml"]):
        ran = command(*arguments, stdout=full, stderr=subprocess.PIPE)
        assert ran.returncode == 6 and is_a_sentence(ran.stderr) and "standard output" in ran.stderr, f"{arguments}: {ran.returncode} {ran.stderr}"
        # A reader that went away has what it wanted.
        read, write = os.pipe()
        os.close(read)
        ran = command(*arguments, stdout=write, stderr=subprocess.PIPE)
        os.close(write)
        assert ran.returncode == 0 and not ran.stderr.count("panicked"), f"{arguments}: {ran.returncode} {ran.stderr}"
    # Nowhere to say it: the code says it.
    ran = command("run", "nowhere.toml", stdout=full, stderr=full)
    assert ran.returncode != 0 and ran.returncode != 1, ran.returncode
    ran = command("load", "postgres://ann:sesame@db/shop", stdout=full, stderr=full)
    assert ran.returncode == 2, ran.returncode
    full.close()
