"""Run an rfmill job in stages on Spark, which places tasks, starts failed ones again, and replaces lost workers.

    spark-submit --master spark://HOST:7077 run_stages.py JOB --shards 64 --work s3://bucket/work/nightly [options of rfmill run]

Every worker needs the program rfmill, on its PATH or as $RFMILL (--conf spark.executorEnv.RFMILL=/opt/rfmill/bin/rfmill), and sees
the same files (not copies) of the job and the work place. Ends with the exit code of rfmill; after 0 the run is committed, and
the work place can be emptied.
"""

import json
import os
import re
import subprocess
import sys

# A wrong job and data that break their contract; everything else may end better on another worker.
FINAL = {2, 3}


def rfmill(*arguments):
    """Runs the program; its exit code, what it printed, and what it said."""
    program = os.environ.get("RFMILL", "rfmill")
    done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr.strip()


def run_task(stage, task, work, threads):
    """A task on a worker. Raises where another try may end better, so that Spark makes one."""
    code, _, said = rfmill("stage", stage, "--work", work, "--task", str(task), "--threads", threads, "--quiet")
    if code != 0 and code not in FINAL:
        raise RuntimeError(f"[exit {code}] task {task} of the stage {stage}: {said}")
    return code, said


def run_stage(context, name, tasks, work):
    """All tasks of a stage; the exit code and the words of the first that failed for good."""
    context.setJobDescription(f"rfmill {name}")
    # As many threads as Spark counts for a task.
    threads = context.getConf().get("spark.task.cpus", "1")
    try:
        ended = context.parallelize(range(tasks), tasks).map(lambda task: run_task(name, task, work, threads)).collect()
    except Exception as error:  # Spark wraps what the last try raised.
        told = re.search(r"\[exit (-?\d+)\] (task .*)", str(error))
        if told is None:
            raise
        # A negative one is that of a signal: memory, mostly.
        return (7 if told[1].startswith("-") else int(told[1])), told[2]
    return next((failed for failed in ended if failed[0] != 0), (0, ""))


def run(context, arguments, work):
    """A whole run; its exit code, and what was said last."""
    code, printed, said = rfmill("stage", "plan", *arguments)
    if code != 0:
        return code, said
    for stage in json.loads(printed)["stages"]:
        name, tasks = stage["stage"], stage["tasks"]
        if name == "finish":
            # The commit belongs to one process, beside whoever reads the output.
            code, _, said = rfmill("stage", "finish", "--work", work)
            return code, said
        code, said = run_stage(context, name, tasks, work)
        if code != 0:
            return code, said
    return 0, "already computed"


if __name__ == "__main__":
    from pyspark.sql import SparkSession

    options = [word for option in sys.argv[1:] for word in (option.split("=", 1) if option.startswith("--work=") else [option])]
    if "--work" not in options[:-1]:
        sys.exit("name the place for what passes between stages: --work PLACE")
    at = options.index("--work") + 1
    if "://" not in options[at]:
        # A task's working folder is its own.
        options[at] = os.path.abspath(options[at])
    session = SparkSession.builder.appName("rfmill").getOrCreate()
    exit_code, last = run(session.sparkContext, options, options[at])
    session.stop()
    print(last, file=sys.stderr)
    sys.exit(exit_code)
