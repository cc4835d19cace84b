"""How often the program says `keep` of matched strategies whose treated were chosen and to whom nothing was done: whole jobs, from
orders and assignments to verdicts, on the shoppers of tests/oracles/matched_selection.py and the states of scheme `standard`.

    venv/bin/python tests/matched_jobs.py target/release/rfmill [jobs per row] [customers]
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(pathlib.Path(__file__).parent / "oracles"))
from matched_selection import OFTEN, QUARTERS

STARTS = np.array(["2022-07-01", "2022-10-01", "2023-01-01", "2023-04-01", "2023-07-01", "2023-10-01", "2024-01-01"], "datetime64[D]")
JOB = """name = "chosen"
[orders]
path = "orders.parquet"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
[periods]
every = "quarter"
from = 2024-01-01
to = 2024-03-31
[score]
lookback = "4 quarters"
[schemes]
segment = "standard"
[[strategy]]
name = "chosen"
design = "matched"
assignments = "assignments.csv"
control = "control"
match_on = ["segment"]
outcomes = ["revenue"]
[output]
path = "out"
report = []
"""


def quarter(rng, rate, level, start):
    """Orders of a quarter: customers, days, cents."""
    orders = rng.poisson(rate)
    who = np.repeat(np.arange(len(rate)), orders)
    cents = np.maximum(np.round(level[who] * rng.lognormal(0, 0.5, len(who)) * 100), 1).astype(int)
    return who, start + rng.integers(0, 90, len(who)), cents


def job(binary, folder, rng, customers, chosen, lift=1.0):
    rate, level = rng.gamma(0.6, 1.2, customers), rng.lognormal(8, 0.9, customers) / 100
    slope = np.clip(rng.normal(0, 0.08, customers), -0.15, 0.15) if chosen == "rising" else np.zeros(customers)
    factor = lambda q: 1 + slope * (q - 2)
    quarters = [quarter(rng, rate * factor(q), level, STARTS[q]) for q in range(QUARTERS)]
    untreated = quarter(rng, rate * factor(QUARTERS), level, STARTS[QUARTERS])
    count = lambda q: np.bincount(q[0], minlength=customers)
    chance = {
        "random": lambda: np.full(customers, 0.5),
        "rising": lambda: 1 / (1 + np.exp(-20 * slope)),
        "often": lambda: OFTEN(rate),
        "lately": lambda: np.select([count(quarters[-1]) > 1, count(quarters[-1]) > 0], [0.8, 0.5], 0.15),
        "about": lambda: np.where(count(untreated) > 0, 0.7, 0.4),
    }[chosen]()
    treated = rng.random(customers) < 0.1 + 0.8 * chance
    after = untreated if lift == 1 else quarter(rng, rate * factor(QUARTERS) * np.where(treated, lift, 1), level, STARTS[QUARTERS])
    who, days, cents = (np.concatenate(of) for of in zip(*quarters, after))
    amount = pa.array([f"{c // 100}.{c % 100:02}" for c in cents]).cast(pa.decimal128(12, 2))
    orders = {"customer_id": who.astype(np.int64), "ordered_at": pa.array(days), "amount": amount}
    pq.write_table(pa.table(orders), folder / "orders.parquet")
    rows = [f"{i},{'mail' if t else 'control'},2024-01-01" for i, t in enumerate(treated)]
    (folder / "assignments.csv").write_text("customer_id,arm,assigned_on\n" + "\n".join(rows) + "\n")
    (folder / "job.toml").write_text(JOB)
    subprocess.run([binary, "run", "job.toml", "--quiet", "--output", "out"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    verdicts = pq.read_table((folder / "out/latest").resolve() / "verdicts.parquet").to_pylist()
    of_period = next(v for v in verdicts if v["period_start"] is not None and v["state"] == "(all)")
    return of_period["verdict"], of_period["reason"]


ROWS = [
    ("at random", {"chosen": "random"}, True),
    ("by a steady rise in how often they buy", {"chosen": "rising"}, True),
    ("by how often they buy", {"chosen": "often"}, True),
    ("because they bought lately", {"chosen": "lately"}, True),
    ("because they were about to buy", {"chosen": "about"}, False),
    ("at random, and +20 % is real", {"chosen": "random", "lift": 1.2}, False),
]

if __name__ == "__main__":
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    jobs, customers = (int(sys.argv[2]) if len(sys.argv) > 2 else 400), (int(sys.argv[3]) if len(sys.argv) > 3 else 6_000)
    wrong = []
    for seed, (what, settings, is_promised) in enumerate(ROWS):
        found = {}
        for run in range(jobs):
            with tempfile.TemporaryDirectory() as folder:
                verdict, reason = job(binary, pathlib.Path(folder), np.random.default_rng([seed, 77, run]), customers, **settings)
            found[verdict] = found.get(verdict, 0) + 1
            if run == 0:
                print(f"  first: {verdict}: {reason}", flush=True)
        keep = found.get("keep", 0) / jobs
        print(f"| {what} | keep {100 * keep:.1f} % of {jobs} | {found} |", flush=True)
        if is_promised and keep > 0.05 + 3 * (0.05 * 0.95 / jobs) ** 0.5:
            wrong.append(what)
    sys.exit(f"more than 5 % of jobs without effect say keep: {wrong}" if wrong else 0)
