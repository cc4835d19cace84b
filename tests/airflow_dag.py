"""`jobs/airflow_dag.py`: its tasks, its date, and what becomes of every exit code.

    python tests/airflow_dag.py        (needs pendulum; with apache-airflow installed, the real one is used)

Without Airflow, a stand-in takes its place that knows the names the DAG uses.
"""

import importlib.util
import os
import sys
import tempfile
import types
import warnings
from pathlib import Path

import pendulum

DAG_FILE = Path(__file__).parent.parent / "jobs" / "airflow_dag.py"


def stand_in() -> None:
    """Puts a stand-in for Airflow 3 where imports find it."""

    class Task:
        def __init__(self, function: object):
            self.function, self.task_id, self.upstream_task_ids = function, function.__name__, set()
            dag.current.tasks.append(self)

        def __rshift__(self, other: "Task") -> "Task":
            other.upstream_task_ids.add(self.task_id)
            return other

    def task(function: object) -> object:
        return lambda: Task(function)

    def dag(**settings: object) -> object:
        def decorate(function: object) -> object:
            def build() -> types.SimpleNamespace:
                dag.current = types.SimpleNamespace(tasks=[], **settings)
                function()
                return dag.current

            return build

        return decorate

    sdk, exceptions = types.ModuleType("airflow.sdk"), types.ModuleType("airflow.sdk.exceptions")
    sdk.dag, sdk.task, sdk.get_current_context = dag, task, dict
    exceptions.AirflowException = type("AirflowException", (Exception,), {})
    exceptions.AirflowFailException = type("AirflowFailException", (exceptions.AirflowException,), {})
    sys.modules |= {"airflow": types.ModuleType("airflow"), "airflow.sdk": sdk, "airflow.sdk.exceptions": exceptions}


def main() -> int:
    real = importlib.util.find_spec("airflow") is not None
    with tempfile.TemporaryDirectory(prefix="rfmill-airflow-") as folder:
        os.environ["AIRFLOW_HOME"] = folder
        if not real:
            stand_in()
        spec = importlib.util.spec_from_file_location("airflow_dag", DAG_FILE)
        module = importlib.util.module_from_spec(spec)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            spec.loader.exec_module(module)
        the_tasks(module.nightly)
        the_date(module)
        exit_codes(module, Path(folder))
    print(f"The DAG does what it says ({'Airflow' if real else 'with a stand-in for Airflow'}).")
    return 0


def the_tasks(dag: object) -> None:
    assert dag.dag_id == "rfmill_nightly" and dag.max_active_runs == 1 and not dag.catchup
    upstream = {task.task_id: set(task.upstream_task_ids) for task in dag.tasks}
    assert upstream == {"run": set(), "verify": {"run"}, "load": {"verify"}}, upstream
    assert dag.default_args["retries"] == 3


def the_date(module: types.ModuleType) -> None:
    def run(conf: dict, **context: object) -> dict:
        return {"dag_run": types.SimpleNamespace(conf=conf), **context}

    end = pendulum.datetime(2025, 1, 1, 4, 30, tz="UTC")
    assert module.as_of_date(run({}, data_interval_end=end)) == "2024-12-31"
    # Late in the evening in UTC it is the next day in London: in summer, the day that ends is another.
    end = pendulum.datetime(2025, 6, 30, 23, 30, tz="UTC")
    assert module.as_of_date(run({}, data_interval_end=end)) == "2025-06-30"
    assert module.as_of_date(run({"as_of": "2024-02-29"}, data_interval_end=end)) == "2024-02-29"


def exit_codes(module: types.ModuleType, folder: Path) -> None:
    program, calls = folder / "rfmill", folder / "calls"
    os.environ |= {"RFMILL": str(program), "RFMILL_OUTPUT": "out"}
    fails_at_once = module.AirflowFailException
    for code in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 99, 130, 143):
        calls.write_text("")
        program.write_text(f'#!/bin/sh\necho "$1" >> {calls}\nif [ "$1" = run ]; then exit {code}; fi\n')
        program.chmod(0o755)
        outcome = "ok"
        try:
            module.rfmill("run", "job.toml", "postgres://ann:secret@db/shop")
        except fails_at_once as error:
            outcome, said = "fail", str(error)
        except module.AirflowException as error:
            outcome, said = "retry", str(error)
        expected = "ok" if code == 0 else "retry" if code in (4, 6, 7, 8, 9, 130, 143) else "fail"
        assert outcome == expected, f"exit {code}: {outcome}, expected {expected}"
        assert outcome == "ok" or (f"exit {code}" in said and "secret" not in said), said
        assert calls.read_text() == ("run\nverify\n" if code == 9 else "run\n"), f"exit {code}: {calls.read_text()}"
    program.write_text("#!/bin/sh\nkill -TERM $$\n")
    try:
        module.rfmill("run")
    except module.AirflowException as error:
        assert not isinstance(error, fails_at_once) and "exit 143" in str(error), error
    else:
        raise AssertionError("a signal is no success")


if __name__ == "__main__":
    sys.exit(main())
