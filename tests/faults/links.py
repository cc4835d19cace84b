"""An output folder that somebody replaces, links that somebody planted in it, and names that look like paths."""

import os
import re
import shutil
import time
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from .bench import JOB, Bench, is_a_sentence


def until_staged(out: Path) -> None:
    """Waits until a run has staged files."""
    for _ in range(20_000):
        if any(any(folder.iterdir()) for folder in out.glob("runs/.staging*")):
            return
        time.sleep(0.0005)
    raise AssertionError("the run never staged a file")


def an_output_that_is_replaced(bench: Bench) -> None:
    moved, elsewhere = bench.home / "moved", bench.home / "elsewhere"
    for how in ("replaced by a link", "removed", "replaced by another output"):
        bench.reset("many")
        process = bench.start("run", "many.toml")
        until_staged(bench.out)
        elsewhere.mkdir()
        bench.out.rename(moved)
        if how == "replaced by a link":
            bench.out.symlink_to(elsewhere)
        elif how == "replaced by another output":
            bench.reset("many")
        _, said = process.communicate(timeout=120)
        assert process.returncode == 6 and is_a_sentence(said), f"{how}: exit {process.returncode}: {said}"
        assert not os.listdir(elsewhere), f"{how}: {os.listdir(elsewhere)} was written elsewhere"
        assert bench.what_is_seen(how, "many", moved) == "old"
        if how == "removed":
            assert not bench.out.exists(), "a part of the folder came back"
        elif how == "replaced by a link":
            bench.out.unlink()
        shutil.rmtree(bench.out, ignore_errors=True)
        moved.rename(bench.out)
        bench.settles(how, "many")
        elsewhere.rmdir()


def planted_links(bench: Bench) -> None:
    """Links to somebody's files, at every name that a run uses: nothing behind them is touched."""
    bench.reset()
    bench.call("run", "orders.toml")
    run = os.readlink(bench.out / "latest").removeprefix("runs/")
    victim = bench.home / "victim"
    (victim / "deep").mkdir(parents=True)
    for file in (victim / "file", victim / "deep" / "file"):
        file.write_text("mine")
    refused = 0
    names = (
        ".rfmill", "runs", "commits", ".tables", "latest", "tables", "latest.new", "tables.new", f"runs/.staging-{run}", f"runs/{run}",
        "runs/.probe", "commits/.probe", f"runs/.old-{run}", "commits/.00000003.new", "commits/00000003.json", ".tables/.00000003.from-00000001", ".tables/00000003",
        ".tables/00000003.json", "manifests", "manifests/.probe", "made", "made/.probe",
    )  # fmt: skip
    for name in names:
        for target in (victim, victim / "file"):
            bench.reset()
            at = bench.out / name
            if at.is_dir() and not at.is_symlink():
                shutil.rmtree(at)
            at.unlink(missing_ok=True)
            at.symlink_to(target)
            ran = bench.run("run", "orders.toml")
            where = f"{name} is a link to {target.name}: exit {ran.returncode}: {ran.stderr}"
            assert ran.returncode in (0, 5, 6) and (ran.returncode == 0 or is_a_sentence(ran.stderr)), where
            assert sorted(p.name for p in victim.rglob("*")) == ["deep", "file", "file"], where
            assert (victim / "file").read_text() == (victim / "deep" / "file").read_text() == "mine", where
            refused += ran.returncode != 0
    for name in ("latest", "tables"):
        bench.reset()
        (bench.out / name).unlink()
        (bench.out / name).mkdir()
        (bench.out / name / "mine").write_text("mine")
        ran = bench.run("run", "orders.toml")
        assert ran.returncode == 6 and "move it away" in ran.stderr and (bench.out / name / "mine").exists(), ran.stderr
    print(f"  {len(names)} names, two targets each; {refused} runs were refused, the others replaced the link")
    bench.figure("Planted links followed", f"0 of {2 * len(names)}", "0")


def names_in_the_data_never_become_paths(bench: Bench) -> None:
    attacks = ["../../x", "/", "..", ".", "%2e%2e", "a/b", "a\\b", "x" * 300, "\n", "as_of=1", "名", "' OR 1=1", "\u202etxt"]
    folder = bench.home / "attack"
    folder.mkdir()
    rows = [(name, attack, datetime(2024, 5, 1 + day)) for day, attack in enumerate(attacks) for name in attacks]
    table = pa.table({
        "customer_id": [row[0] for row in rows],
        "shop": [row[1] for row in rows],
        "ordered_at": pa.array([row[2] for row in rows], pa.timestamp("us")),
        "amount": pa.array([100] * len(rows), pa.int64()),
    })
    pq.write_table(table, folder / "orders.parquet")
    job = JOB.format(orders="attack").replace('order_id = "order_id"', 'slice = "shop"\ncategory = "shop"')
    (bench.home / "attack.toml").write_text(job.replace('"faults"', '"../../escaped"') + 'report = ["html", "json", "xlsx", "crm"]\n')
    before = {path for path in bench.home.rglob("*")}
    shutil.rmtree(bench.out)
    bench.call("run", "attack.toml")
    made = {str(path.relative_to(bench.out)) for path in bench.home.rglob("*") if path not in before and path != bench.out and bench.out in path.parents}
    table = r"[a-z_]+(/as_of=\d{4}-\d\d-\d\d)?(/[a-z_]+(-\d{3})?\.parquet)?"
    run = rf"([a-z_]+\.parquet|manifest\.json|report(/[a-z-]+\.[a-z]+)?|(partitions/)?{table}|partitions)"
    allowed = rf"\.rfmill|commits(/\d{{8}}\.json)?|latest(/{run})?|tables(/{table})?|\.tables(/\d{{8}}(\.json|/{table})?)?|(manifests|made)(/[0-9a-f]{{64}}\.(json|parquet))?|runs(/[0-9a-f]{{16}}(/{run})?)?"
    strange = [name for name in made if not re.fullmatch(allowed, name)]
    assert made and not strange, f"names that come from the data: {strange}"
    assert {path for path in bench.home.rglob("*") if bench.out not in path.parents} <= before | {bench.out}, "something was written beside the output"
    bench.figure("Names in the data that became a path", f"0 of {len(attacks)}", "0")
