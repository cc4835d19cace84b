"""`jobs/airflow_stages.py`: a run whose tasks Airflow maps, beside the same run in one process.

    python tests/airflow_stages.py RFMILL        (needs pendulum; with apache-airflow installed, the real one runs the DAG)

Without Airflow, a stand-in takes its place that knows the names the DAG uses and runs its tasks in their order.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import types
import warnings
from pathlib import Path

DAG_FILE = Path(__file__).parent.parent / "jobs" / "airflow_stages.py"


def stand_in() -> None:
    """Puts a stand-in for Airflow 3 where imports find it: a task is a value that is computed when it is asked for."""

    class Task:
        def __init__(self, function: object, arguments: tuple):
            self.function, self.arguments, self.before = function, arguments, []

        def __rshift__(self, other: "Task") -> "Task":
            other.before.append(self)
            return other

        def value(self) -> object:
            if not hasattr(self, "result"):
                [task.value() for task in self.before]
                self.result = self.function(*(a.value() if isinstance(a, Task) else a for a in self.arguments))
            return self.result

    def task(function: object) -> object:
        def call(*arguments: object) -> Task:
            dag.last = Task(function, arguments)
            return dag.last

        def partial(**fixed: object) -> object:
            def expand(**mapped: Task) -> Task:
                (name, over), = mapped.items()
                return Task(lambda values: [function(**fixed, **{name: value}) for value in values], (over,))

            return types.SimpleNamespace(expand=expand)

        call.partial, call.override = partial, lambda task_id: call
        return call

    def dag(**_: object) -> object:
        def decorate(function: object) -> object:
            def build() -> Task:
                function()
                return dag.last

            return build

        return decorate

    def context() -> dict:
        return {"dag_run": types.SimpleNamespace(conf={"as_of": os.environ["AS_OF"]}, run_id="manual__2024-10-01T04:30:00+00:00")}

    sdk, exceptions = types.ModuleType("airflow.sdk"), types.ModuleType("airflow.sdk.exceptions")
    sdk.dag, sdk.task, sdk.get_current_context = dag, task, context
    exceptions.AirflowException = type("AirflowException", (Exception,), {})
    exceptions.AirflowFailException = type("AirflowFailException", (exceptions.AirflowException,), {})
    sys.modules |= {"airflow": types.ModuleType("airflow"), "airflow.sdk": sdk, "airflow.sdk.exceptions": exceptions}


def tables(output: Path) -> str:
    run = (output / "latest").resolve()
    listed = subprocess.run(["sha256sum", *sorted(run.rglob("*.parquet"))], capture_output=True, text=True, check=True)
    return listed.stdout.replace(str(run), "")


def main(rfmill: str) -> int:
    real = importlib.util.find_spec("airflow") is not None
    with tempfile.TemporaryDirectory(prefix="rfmill-airflow-") as folder:
        folder = Path(folder)
        subprocess.run([rfmill, "quickstart", str(folder / "shop"), "--orders", "20000"], check=True, capture_output=True)
        text = (folder / "shop/quickstart.toml").read_text()
        job = folder / "shop/nightly.toml"
        # The as-of date of a night is given to it.
        periods = text.index("[periods]")
        after = text.index("\n[", periods + 1)
        job.write_text(text[:periods] + '[periods]\nas_of = [2024-06-30]\n' + text[after:].replace('"out"', '"nights"'))
        as_of = "2024-09-30"
        os.environ |= {
            "AIRFLOW_HOME": str(folder / "airflow"), "RFMILL": rfmill, "RFMILL_JOB": str(job), "RFMILL_WORK": str(folder / "work"),
            "RFMILL_SHARDS": "3", "AS_OF": as_of, "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        }
        if real:
            dags = folder / "dags"
            dags.mkdir()
            (dags / DAG_FILE.name).write_text(DAG_FILE.read_text())
            os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(dags)
            for command in (["db", "migrate"], ["dags", "reserialize"]):
                subprocess.run([sys.executable, "-m", "airflow", *command], check=True, capture_output=True)
        else:
            stand_in()
        spec = importlib.util.spec_from_file_location("airflow_stages", DAG_FILE)
        module = importlib.util.module_from_spec(spec)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            spec.loader.exec_module(module)
        if real:
            ran = module.stages.test(run_conf={"as_of": as_of})
            assert ran.state == "success", ran.state
        else:
            module.stages.value()
        alone = [rfmill, "run", str(job), "--as-of", as_of, "-o", str(folder / "alone")]
        subprocess.run(alone, check=True, capture_output=True)
        assert tables(folder / "shop/nights") == tables(folder / "alone")
    print(f"Every stage ran as mapped tasks ({'Airflow' if real else 'with a stand-in for Airflow'}): the same files.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
