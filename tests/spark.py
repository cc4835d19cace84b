"""Jobs in stages on Spark: a standalone master and two workers on this machine, and the driver of `jobs/spark`.

    python tests/spark.py RFMILL JOBS [--jobs 20] [--kills]        (needs Java 17 and pyspark)

JOBS is a folder of jobs with the hashes of the tables that one process makes of them, as this writes it:

    RFMILL_JOBS_FOLDER=JOBS cargo test --release --test it sharded::lays_out_jobs -- --ignored

The files of all tables must be the same bytes. With --kills, a worker and its executor are killed in every stage of one more job,
and another worker takes their place. Only processes that this has started are ended, by their ids.
"""

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pyspark

ROOT = Path(__file__).parent.parent
HOME = Path(pyspark.__file__).parent


class Cluster:
    """A master and its workers, each a process."""

    def __init__(self, folder: Path):
        self.folder, self.workers, self.count = folder, [], 0
        self.environment = os.environ | {
            "SPARK_HOME": str(HOME), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m", "PYSPARK_PYTHON": sys.executable,
        }
        os.environ |= self.environment
        self.master = self.start("master", "master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        self.url = self.said("master", r"Starting Spark master at (spark://\S+)")[1]
        for _ in range(2):
            self.add_worker()

    def start(self, name: str, of: str, *arguments: str) -> subprocess.Popen:
        log = open(self.folder / f"{name}.log", "w")
        command = [HOME / "bin/spark-class", f"org.apache.spark.deploy.{of}", *arguments]
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=self.environment)

    def said(self, name: str, pattern: str) -> re.Match:
        log = self.folder / f"{name}.log"
        for _ in range(600):
            if found := re.search(pattern, log.read_text(errors="replace")):
                return found
            time.sleep(0.2)
        sys.exit(f"{name} did not say {pattern!r}; its last words: {log.read_text(errors='replace')[-500:]}")

    def add_worker(self) -> None:
        self.count += 1
        name = f"worker{self.count}"
        worker = self.start(
            name, "worker.Worker", "--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--webui-port", "0",
            "--work-dir", str(self.folder / name), self.url,
        )
        self.said(name, "Successfully registered with master")
        self.workers.append(worker)

    def kill_worker(self) -> None:
        """Kills the oldest worker with the executors that it has started: a machine that is lost."""
        worker = self.workers.pop(0)
        of_worker = subprocess.run(["ps", "-o", "pid=", "--ppid", str(worker.pid)], capture_output=True, text=True).stdout.split()
        for pid in [worker.pid, *map(int, of_worker)]:
            os.kill(pid, signal.SIGKILL)
        worker.wait()

    def stop(self) -> None:
        for process in [*self.workers, self.master]:
            process.terminate()
            process.wait(60)


def driver():
    spec = importlib.util.spec_from_file_location("run_stages", ROOT / "jobs/spark/run_stages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # Workers do not have the file.
    sys.modules["run_stages"] = module
    from pyspark import cloudpickle

    cloudpickle.register_pickle_by_value(module)
    return module


def hashes(run: Path) -> dict[str, str]:
    files = (path for path in run.rglob("*.parquet"))
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def expected(job: Path) -> dict[str, str]:
    lines = (line.split("  ", 1) for line in (job / "hashes").read_text().splitlines())
    return {name: found for found, name in lines}


def run(module, context, job: Path, shards: int) -> None:
    work, out = job / "work", job / "out"
    options = (job / "options").read_text().split()
    arguments = [str(job / "job.toml"), *options, "--part-rows", "4", "--shards", str(shards), "--work", str(work), "-o", str(out)]
    code, said = module.run(context, arguments, str(work))
    assert code == 0, f"{job.name}: exit {code}: {said}"
    found = hashes((out / "latest").resolve())
    assert found == expected(job), f"{job.name}: other files with {shards} shards"


def with_losses(module, context, cluster: Cluster, job: Path) -> None:
    """A worker is lost in every stage, while a task of it runs."""
    original, lost = module.run_stage, []

    def lossy(context, name, tasks, work):
        def lose():
            time.sleep(0.3)
            cluster.kill_worker()
            lost.append(name)
            cluster.add_worker()

        thread = threading.Thread(target=lose)
        thread.start()
        ended = original(context, name, tasks, work)
        thread.join()
        return ended

    module.run_stage = lossy
    try:
        run(module, context, job, 4)
    finally:
        module.run_stage = original
    assert len(lost) >= 5, lost
    print(f"lost a worker in {', '.join(lost)}: the same files", flush=True)


def failing(module, context, job: Path) -> None:
    """The sentence of a failed task is the run's, with its exit code."""
    text = (job / "job.toml").read_text()
    broken = job / "broken.toml"
    broken.write_text(text.replace("[periods]", "keep = [{ column = \"customer_id\", min = 1000000000 }]\n[periods]", 1))
    work = job / "work-broken"
    code, said = module.run(context, [str(broken), "--shards", "2", "--work", str(work), "-o", str(job / "none")], str(work))
    alone = subprocess.run([os.environ["RFMILL"], "run", str(broken), "-o", str(job / "alone")], capture_output=True, text=True)
    assert code == alone.returncode == 3, (code, said, alone.stderr)
    assert said.splitlines()[-1] == alone.stderr.strip().splitlines()[-1], (said, alone.stderr)
    print("a failed task's sentence is the run's", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("rfmill", type=Path)
    parser.add_argument("jobs_folder", type=Path)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--kills", action="store_true")
    arguments = parser.parse_args()
    os.environ["RFMILL"] = str(arguments.rfmill.resolve())
    with tempfile.TemporaryDirectory(prefix="rfmill-spark-") as folder:
        folder = Path(folder)
        jobs = sorted(path for path in arguments.jobs_folder.iterdir() if path.is_dir())[: arguments.jobs]
        copies = [Path(shutil.copytree(job, folder / job.name)) for job in jobs]
        cluster = Cluster(folder)
        try:
            from pyspark.sql import SparkSession

            settings = {
                "spark.master": cluster.url, "spark.driver.host": "127.0.0.1", "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
                "spark.executor.memory": "512m", "spark.driver.memory": "512m", "spark.task.maxFailures": "8",
                "spark.executorEnv.RFMILL": os.environ["RFMILL"],
            }
            builder = SparkSession.builder.appName("rfmill-test")
            for key, value in settings.items():
                builder = builder.config(key, value)
            session = builder.getOrCreate()
            context, module = session.sparkContext, driver()
            context.setLogLevel("OFF")
            for number, job in enumerate(copies):
                began = time.monotonic()
                run(module, context, job, [1, 2, 8][number % 3])
                print(f"{job.name}: the same files, {time.monotonic() - began:.1f} s", flush=True)
            failing(module, context, next(job for job in copies if "claims" in (job / "job.toml").read_text()))
            if arguments.kills:
                again = Path(shutil.copytree(jobs[0], folder / "with-losses"))
                with_losses(module, context, cluster, again)
            session.stop()
        finally:
            cluster.stop()
    print(f"{len(copies)} jobs on Spark {pyspark.__version__}: every file is the one that one process writes.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
