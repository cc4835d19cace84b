"""`jobs/kubernetes`: a run whose stages are indexed Jobs, with a stand-in for `kubectl` that runs their pods on this machine.

    python tests/kubernetes.py RFMILL        (needs kubernetes-validate and PyYAML)

Every manifest is held against the schema of Kubernetes. The stand-in starts each index of a Job as its pods would be: arguments with
the index in them, again after an exit code that the policy of the Job does not end it for. No cluster is needed, and none was tried.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

LAUNCHER = Path(__file__).parent.parent / "jobs/kubernetes/launch.sh"
VERSION = "1.31"


def kubectl(arguments: list[str]) -> int:
    """What the stand-in does when launch.sh calls it."""
    state = Path(os.environ["STAND_IN"])
    match arguments:
        case ["delete", "job", name, *_]:
            (state / name).unlink(missing_ok=True)
        case ["apply", *_]:
            job = yaml.safe_load(sys.stdin)
            check(job)
            (state / job["metadata"]["name"]).write_text("Complete" if run(job) else "Failed")
            with open(state / "applied", "a") as log:
                log.write(json.dumps(job) + "\n")
        case ["get", "job", name, *_]:
            asked = state / "asked"
            asked.touch(exist_ok=True)
            asked.write_text(asked.read_text() + ".")
            if len(asked.read_text()) % 2:
                # A cluster that does not answer now and then.
                return 1
            print("SuccessCriteriaMet", (state / name).read_text())
        case _:
            return 64
    return 0


def check(job: dict) -> None:
    import kubernetes_validate

    kubernetes_validate.validate(job, VERSION, strict=True)


def run(job: dict) -> bool:
    """The indices of a Job, one after the other; whether all succeeded."""
    spec = job["spec"]
    container = spec["template"]["spec"]["containers"][0]
    final = next(rule["onExitCodes"]["values"] for rule in spec["podFailurePolicy"]["rules"] if rule["action"] == "FailJob")
    for index in range(spec["completions"]):
        arguments = [word.replace("$(JOB_COMPLETION_INDEX)", str(index)) for word in container["args"]]
        for _ in range(1 + spec["backoffLimitPerIndex"]):
            code = subprocess.run([os.environ["RFMILL"], *arguments], stderr=subprocess.DEVNULL).returncode
            if code == 0 or code in final:
                break
        if code != 0:
            return False
    return True


def main(rfmill: str) -> int:
    with tempfile.TemporaryDirectory(prefix="rfmill-kubernetes-") as folder:
        folder = Path(folder)
        state, shop = folder / "state", folder / "shop"
        state.mkdir()
        stand_in = folder / "kubectl"
        stand_in.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" kubectl "$@"\n')
        stand_in.chmod(0o755)
        subprocess.run([rfmill, "quickstart", str(shop), "--orders", "30000"], check=True, capture_output=True)
        job = shop / "quickstart.toml"
        environment = os.environ | {
            "PATH": f"{folder}:{os.environ['PATH']}", "STAND_IN": str(state), "RFMILL": rfmill, "RFMILL_POLL": "0.05",
            "RFMILL_IMAGE": "registry.example/rfmill:0.1.0", "RFMILL_MEMORY": "2Gi", "RFMILL_NAMESPACE": "crm & co",
        }

        def staged(*more: str) -> subprocess.CompletedProcess:
            command = [rfmill, "run", str(job), "--part-rows", "2000", "--shards", "3", "--launcher", str(LAUNCHER), *more]
            return subprocess.run(command, env=environment, capture_output=True, text=True)

        def tables(output: Path) -> str:
            files = sorted(path for path in (output / "latest").resolve().rglob("*.parquet"))
            listed = subprocess.run(["sha256sum", *files], capture_output=True, text=True, check=True).stdout
            return listed.replace(str((output / "latest").resolve()), "")

        done = staged("--work", str(folder / "a work place"), "-o", str(folder / "staged"))
        assert done.returncode == 0, done.stderr
        alone = [rfmill, "run", str(job), "--part-rows", "2000", "-o", str(folder / "alone")]
        subprocess.run(alone, check=True, capture_output=True)
        assert tables(folder / "staged") == tables(folder / "alone")
        applied = [json.loads(line) for line in (state / "applied").read_text().splitlines()]
        stages = [job["metadata"]["labels"]["app.kubernetes.io/component"] for job in applied]
        assert stages == ["scan", "names", "distributions", "cuts", "parts"], stages
        assert all(job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] == "2Gi" for job in applied)

        # What only the data can tell ends the Job, and its sentence is the run's.
        broken = ("--set", "orders.max_no_customer=0", "--set", 'orders.keep=[{column="customer_id",min=1000000000}]')
        failed = staged("--work", str(folder / "broken"), "-o", str(folder / "none"), *broken)
        said = subprocess.run([*alone[:-1], str(folder / "none-alone"), *broken], capture_output=True, text=True)
        assert failed.returncode == said.returncode == 3, (failed.stderr, said.stderr)
        assert failed.stderr.strip().splitlines()[-1] == said.stderr.strip().splitlines()[-1], (failed.stderr, said.stderr)
    print(f"{len(stages)} stages as indexed Jobs that Kubernetes {VERSION} takes: the same files, and a failed task's sentence.")
    return 0


if __name__ == "__main__":
    sys.exit(kubectl(sys.argv[2:]) if sys.argv[1] == "kubectl" else main(sys.argv[1]))
