#!/usr/bin/env python3
"""Writes tests/data/experiment_arms.json: the exact sums of contract job `experiment`, per state, arm and outcome.

    pip install duckdb pandas
    python tests/oracles/experiment_arms.py ../shared

The customers, states and arms are those of contract/oracle.py, which this imports; only sums leave this script. What they
are to give is contract/expected/experiment.effects.csv.
"""
import collections, datetime as dt, importlib.util, json, pathlib, sys
import duckdb

SHARED = pathlib.Path(sys.argv[1])
spec = importlib.util.spec_from_file_location("oracle", SHARED / "contract" / "oracle.py")
oracle = importlib.util.module_from_spec(spec)
pathlib.Path.mkdir, keep = (lambda self, **_: None), pathlib.Path.mkdir           # importing must not write
spec.loader.exec_module(oracle)
pathlib.Path.mkdir = keep
D = dt.date

orders = duckdb.sql(f"""select customer_id, order_id, (min(ordered_at) at time zone 'America/New_York')::date d, (sum(amount)*100)::bigint a
                        from '{SHARED}/data/experiment_orders.parquet' group by 1, 2""").fetchall()
before, after, history = (collections.defaultdict(list) for _ in range(3))
for customer, _, day, amount in orders:
    if D(2024, 1, 1) <= day <= D(2024, 3, 31):
        before[customer].append(amount)
    if D(2024, 4, 1) <= day <= D(2024, 6, 30):
        after[customer].append(amount)
    if day <= D(2024, 3, 31):
        history[customer].append(day)
ids = sorted(history)
r = [6 - s for s in oracle.quantile_scores([(D(2024, 3, 31) - max(history[c])).days for c in ids], 5)]
f = oracle.quantile_scores([len(history[c]) for c in ids], 5)
state = {c: oracle.RF_GRID[a, b] for c, a, b in zip(ids, r, f)}
arms = collections.defaultdict(set)
for customer, arm in duckdb.sql(f"select customer_id, arm from '{SHARED}/data/experiment_assignments.parquet'").fetchall():
    arms[customer].add(arm)
excluded = collections.Counter(arm for s in arms.values() if len(s) > 1 for arm in s)
sums = collections.defaultdict(lambda: [0] * 6)
for customer, s in arms.items():
    if len(s) == 1:
        for name, of in (("converted", lambda x: int(bool(x))), ("orders", len), ("revenue", sum)):
            y, x = of(after.get(customer, [])), of(before.get(customer, []))
            for i, v in enumerate((1, y, x, y * y, y * x, x * x)):
                sums[name, state.get(customer, "(none)"), next(iter(s))][i] += v
rows = [[*key, *map(int, values)] for key, values in sorted(sums.items())]
out = pathlib.Path(__file__).resolve().parent.parent / "data" / "experiment_arms.json"
out.write_text(json.dumps(dict(columns="outcome state arm n sum_y sum_x sum_yy sum_yx sum_xx".split(), excluded=excluded, rows=rows), separators=(",", ":")) + "\n")
print(out, len(rows))
