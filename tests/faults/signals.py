"""Runs that are told to stop, and runs that meet on one output."""

import os
import signal
import subprocess
import time
from pathlib import Path

from .bench import Bench, is_a_sentence
from .disk import with_shim
from .links import until_staged


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def stops_at_random_moments(bench: Bench) -> None:
    whole = []
    for _ in range(3):
        bench.reset("many")
        began = time.monotonic()
        bench.call("run", "many.toml")
        whole.append(time.monotonic() - began)
    seconds, staged, slowest = [], 0, ""
    tries = 200 if bench.full else 20
    ends = {"stopped": 0, "done": 0, "before the program watched": 0}
    for number in range(tries):
        bench.reset("many")
        kind = bench.chance.choice((signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
        process = bench.start("run", "many.toml")
        time.sleep(bench.chance.uniform(0, min(whole)))
        began = time.monotonic()
        process.send_signal(kind)
        _, said = process.communicate(timeout=60)
        seconds.append(time.monotonic() - began)
        where = f"{kind.name} {number}: exit {process.returncode}: {said}"
        slowest = where.strip() if seconds[-1] == max(seconds) else slowest
        state = bench.what_is_seen(where, "many")
        if process.returncode == 0:
            assert state == "new" and not said, where
            ends["done"] += 1
        else:
            # A parent sees the signal, a shell 128 and its number.
            assert process.returncode == -kind, where
            if said:
                assert is_a_sentence(said) and kind.name in said, where
                assert ("nothing was committed" in said) == (state == "old"), where
                ends["stopped"] += 1
            else:
                assert state == "old", where
                ends["before the program watched"] += 1
        staged += any(name.startswith(".staging") for name in os.listdir(bench.out / "runs"))
        if number % 5 == 0 or process.returncode == 0:
            bench.settles(where, "many")
    assert max(seconds) <= 5, f"it takes {max(seconds):.1f} s to stop"
    print(f"  {tries} signals: {ends}; p99 {quantile(seconds, 0.99):.3f} s, longest {max(seconds):.3f} s; {staged} left staged files")
    print(f"  the slowest: {slowest}")
    bench.figure("Signal to the end, p99 (longest)", f"{quantile(seconds, 0.99):.2f} s ({max(seconds):.2f} s) of {tries}", "≤ 5 s")
    bench.figure("Signals after which staged files waited for the next run", f"{staged} of {tries}", "any")
    bench.reset("many")
    process = subprocess.Popen([bench.rfmill, "run", "many.toml", "--log-format", "json"], cwd=bench.home, stderr=subprocess.PIPE, text=True)
    until_staged(bench.out)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate()
    assert '"exit_code":143' in said.splitlines()[-1], said


def a_second_signal(bench: Bench) -> None:
    """A stop that hangs, here because a file takes ten seconds to be removed, is ended by a second signal."""
    environment = with_shim(bench, "slow")
    if environment is None:
        return
    bench.reset("many")
    process = bench.start("run", "many.toml", env=environment)
    until_staged(bench.out)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert process.poll() is None, "the first signal did not have to wait"
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)
    took = time.monotonic() - began
    process.communicate()
    assert process.returncode == -signal.SIGTERM and took < 1, f"exit {process.returncode} after {took:.1f} s"
    assert bench.what_is_seen("a second signal", "many") == "old"
    bench.settles("a second signal", "many")
    bench.figure("A second signal ends the process after", f"{took:.2f} s", "at once")


def ignored_signals(bench: Bench) -> None:
    """What nohup ignores stays ignored."""
    bench.reset("many")
    process = bench.start("run", "many.toml", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    until_staged(bench.out)
    process.send_signal(signal.SIGHUP)
    _, said = process.communicate()
    assert process.returncode == 0, f"exit {process.returncode}: {said}"


def two_runs_at_once(bench: Bench) -> None:
    met = 0
    seconds = []
    tries = 200 if bench.full else 15
    for number in range(tries):
        bench.reset("many")
        if number % 2:
            # Both make the folder.
            subprocess.run(["rm", "-rf", bench.out], check=True)
        began = time.monotonic()
        both = [bench.start("run", "many.toml") for _ in range(2)]
        codes, said = [], []
        ended = [0.0, 0.0]
        while any(process.poll() is None for process in both):
            for at, process in enumerate(both):
                if not ended[at] and process.poll() is not None:
                    ended[at] = time.monotonic() - began
            time.sleep(0.002)
        for process in both:
            said.append(process.communicate()[1])
            codes.append(process.returncode)
        assert sorted(codes) in ([0, 0], [0, 8]), f"start {number}: {codes}: {said}"
        if 8 in codes:
            met += 1
            at = codes.index(8)
            assert "another run is writing" in said[at] and is_a_sentence(said[at]), said[at]
            seconds.append(ended[at])
        verified = bench.verify()
        assert verified.returncode == 0, verified.stderr
    assert met > tries / 2, f"the runs met {met} times only"
    assert max(seconds) < 1, f"it takes {max(seconds):.2f} s to refuse"
    print(f"  {met} of {tries} pairs met; refused after p99 {quantile(seconds, 0.99):.3f} s")
    bench.figure("Two runs on one output: one commits, the other ends with exit 8", f"{met} of {met} that met, of {tries}", "all")
    bench.figure("Refusal of the second run, p99 (longest), with its start", f"{quantile(seconds, 0.99):.2f} s ({max(seconds):.2f} s)", "≤ 1 s")


def tree(out: Path) -> list[tuple]:
    return sorted((str(path), path.lstat().st_mtime_ns, path.lstat().st_ino, path.lstat().st_size) for path in out.rglob("*"))


def a_held_output(bench: Bench) -> None:
    """A second run changes nothing at all, and a killed holder leaves no lock behind."""
    bench.reset("many")
    holder = bench.start("run", "many.toml")
    until_staged(bench.out)
    holder.send_signal(signal.SIGSTOP)
    time.sleep(0.1)
    before = tree(bench.out)
    began = time.monotonic()
    ran = bench.run("run", "many.toml")
    took = time.monotonic() - began
    assert ran.returncode == 8 and took < 1, f"exit {ran.returncode} after {took:.2f} s: {ran.stderr}"
    assert tree(bench.out) == before, "the second run changed something"
    holder.kill()
    holder.communicate()
    assert bench.what_is_seen("a held output", "many") == "old"
    bench.settles("a held output", "many")
