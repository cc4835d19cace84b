"""What five strategies cost a quarterly job: eight quarters without any, with a million assignments a quarter among the
five, and with a million a quarter in each.

    python benches/strategies.py --rfmill PATH --data FOLDER [--runs 5] [--threads N] [--record benches/runs/DATE-MACHINE]
    python benches/strategies.py --rfmill PATH --smoke

A million is every customer of scale factor 10. Each quarter every strategy draws its arms anew, so all its customers are in
eight periods and every pair of periods has sums of its own. Nothing is timed before the customers tables are the same
bytes with and without strategies, and before DuckDB finds the same customers, revenue and squares in every arm, and the
same products in every pair of periods of the first strategy.
"""

import argparse
import subprocess
import sys
from datetime import date
from pathlib import Path

import runner
from runner import Benchmark, Run, Tool

QUARTERS = [date(year, month, 1) for year in (1996, 1997, 1998) for month in (1, 4, 7, 10)][2:10]
STRATEGIES = range(5)
CUSTOMERS = {"customers": "latest/customers/as_of=*/*.parquet"}
NAMES = {"none": "no strategies", "shared": "assignments among five", "each": "assignments in each of five"}

JOB = """name = "eight-quarters"

[orders]
path = "orders/*.parquet"
customer_id = "o_custkey"
ordered_at = "o_orderdate"
amount = "o_totalprice"

[periods]
every = "quarter"
from = {first}
to = {last}

[score]
bins = 5
lookback = "4 quarters"

[schemes]
segment = "rf_grid"
lifecycle = "recency_windows"

[output]
path = "out"
report = []
"""

STRATEGY = """
[[strategy]]
name = "s{number}"
design = "randomised"
periods = [{periods}]
assignments = "{folder}/s{number}/*.parquet"
control = "control"
split = {{ control = 0.2, treatment = 0.8 }}
cost_per_customer = "0.10"
margin_rate = 0.4
primary = {{ outcome = "revenue", method = "cuped" }}
by = ["segment"]
"""

# Assignments of all quarters: every customer, with the strategy's number, who is its own or anybody's.
ASSIGN = """
import sys, pathlib, duckdb
data, folder, is_shared, *quarters = sys.argv[1:]
duckdb.sql("set enable_progress_bar = false")
folder = pathlib.Path(folder)
duckdb.sql(f"create table customers as select distinct o_custkey as k from '{data}/*.parquet'")
for number in range(5):
    (folder / f"s{number}").mkdir(parents=True)
    own = f"hash(k) % 5 = {number}" if is_shared == "True" else "true"
    for quarter in quarters:
        duckdb.sql(f'''copy (
            select k as customer_id, if(hash(k, {number}, '{quarter}') % 5 = 0, 'control', 'treatment') as arm,
                date '{quarter}' + {number} as assigned_on
            from customers where {own} order by 1
        ) to '{folder}/s{number}/{quarter}.parquet' (format parquet, compression zstd)''')
"""

# Differences between the table arms and the same sums from orders and assignments.
CHECK = """
import sys, duckdb
data, folder, out, *quarters = sys.argv[1:]
duckdb.sql("set enable_progress_bar = false")
duckdb.sql(f"create table arms as select * from '{out}/latest/arms.parquet' where outcome = 'revenue' and phase = 'during'")
duckdb.sql(f"create table orders as select o_custkey as k, o_orderdate as day, (o_totalprice * 100)::bigint as cents from '{data}/*.parquet'")
wrong = 0
for number in range(5):
    duckdb.sql(f'''create or replace table sums as
        select a.customer_id as k, a.arm, date_trunc('quarter', a.assigned_on)::date as quarter, coalesce(sum(o.cents), 0)::hugeint as y
        from '{folder}/s{number}/*.parquet' a
        left join orders o on o.k = a.customer_id and o.day >= a.assigned_on
            and o.day < date_trunc('quarter', a.assigned_on) + interval 3 month
        group by all''')
    wrong += duckdb.sql(f'''
        with wanted as (select quarter, arm, count(*) as n, sum(y) as y, sum(y * y) as yy from sums group by all),
        found as (
            select period_start, arm, n, sum_y, sum_yy from arms
            where strategy = 's{number}' and state = '(all)' and other_period_start is null and y_bin is null
        )
        select count(*) from wanted full join found
            on quarter = period_start and wanted.arm = found.arm and wanted.n = found.n and y = sum_y and yy = sum_yy
        where y is null or sum_y is null''').fetchall()[0][0]
    if number == 0:
        wrong += duckdb.sql(f'''
            with wanted as (
                select a.quarter, a.arm, b.quarter as other, b.arm as other_arm, count(*) as n, sum(a.y * b.y) as yy
                from sums a join sums b on a.k = b.k and a.quarter < b.quarter group by all
            ),
            found as (select * from arms where strategy = 's0' and state = '(all)' and other_period_start is not null)
            select count(*) from wanted full join found
                on quarter = period_start and wanted.arm = found.arm and other = other_period_start
                and wanted.other_arm = found.other_arm and wanted.n = found.n and yy = sum_yy
            where yy is null or sum_yy is null''').fetchall()[0][0]
print(f"{wrong} differences from DuckDB in {duckdb.sql('select count(*) from arms where state = $$(all)$$').fetchall()[0][0]} sums of arms and pairs")
sys.exit(wrong > 0)
"""

# Differences between the table arms and a peer's tables of sums.
COMPARE = """
import sys, duckdb
own, peer, *quarters = sys.argv[1:]
duckdb.sql("set enable_progress_bar = false")
duckdb.sql(f'''create table sums as select * from '{own}/latest/arms.parquet'
    where outcome = 'revenue' and phase = 'during' and state = '(all)' and y_bin is null''')
number = "case period_start " + " ".join(f"when date '{day}' then {n}" for n, day in enumerate(quarters)) + " end"
other = number.replace("period_start", "other_period_start")
arms = duckdb.sql(f'''
    with own as (select strategy, period_start, arm, n, sum_y::hugeint, sum_yy::hugeint from sums where other_period_start is null),
    peer as (select 's' || strategy, quarter::date, arm::text, n::bigint, sum_y::hugeint, sum_yy::hugeint from '{peer}/arms.parquet')
    select count(*) from ((from own except from peer) union all (from peer except from own))''').fetchall()[0][0]
pairs = duckdb.sql(f'''
    with own as (select strategy, {number}::int, arm, {other}::int, other_arm, n, sum_yy::hugeint from sums where other_period_start is not null),
    peer as (select 's' || strategy, first::int, arm::text, second::int, other_arm::text, n::bigint, sum_yy::hugeint from '{peer}/pairs.parquet')
    select count(*) from ((from own except from peer) union all (from peer except from own))''').fetchall()[0][0]
count = duckdb.sql("select count(*) from sums").fetchall()[0][0]
print(f"{arms + pairs} differences in {count} sums of arms and pairs")
sys.exit(arms + pairs > 0 or count == 0)
"""


class Strategies(Benchmark):
    title = "Eight quarters with five strategies"
    about = "Time a quarterly job without strategies, and with five."
    needs_rfmill = True

    def make_tools(self, options: argparse.Namespace, data: Path, scratch: Path) -> list[Tool]:
        self.data, tools = data, []
        for kind, name in NAMES.items():
            job = write_job(kind, data, scratch / f"{data.name}-{kind}")
            tools.append(runner.rfmill_tool(name, options, job, data, CUSTOMERS))
        return tools

    def check(self, tools: list[Tool], scratch: Path) -> bool:
        outs = {kind: scratch / f"check-{self.data.name}-{kind}" for kind in NAMES}
        for tool, out in zip(tools, outs.values()):
            runner.run_once(tool, out, 0)
        agree = True
        for kind in ("shared", "each"):
            sides = [sorted(outs[of].glob(CUSTOMERS["customers"])) for of in ("none", kind)]
            same = len(sides[0]) == len(sides[1]) and all(a.read_bytes() == b.read_bytes() for a, b in zip(*sides))
            print(f"The customers with {NAMES[kind]} are {'the same bytes' if same else 'DIFFERENT'}.", flush=True)
            agree &= same
            folder = scratch / f"{self.data.name}-{kind}"
            agree &= python("check", CHECK, self.data, folder, outs[kind], *QUARTERS, may_fail=True)
        return agree

    def checked(self, tools: list[Tool]) -> str:
        return "The customers were the same bytes in all three, and the sums of all arms and of the first strategy's pairs of periods were DuckDB's."

    def summarise(self, tools: list[Tool], runs: list[Run]) -> str:
        of = {tool.name: [run for run in runs if run.tool == tool.name] for tool in tools}
        lines = runner.usual_table(of, ["job"], lambda name: [name])
        lines += [
            "",
            "How many times the job without strategies they need; the pair-wise ratios are of the runs with equal number:",
            "",
            *runner.table_head("job", "median wall", "pair-wise wall, minimum / median / maximum", "median CPU"),
        ]
        base = of.pop(NAMES["none"])
        for name, rows in of.items():
            wall, cpu = (runner.median(rows, field) / runner.median(base, field) for field in ("wall_s", "cpu_s"))
            pairs = (own.wall_s / without.wall_s for own, without in zip(rows, base))
            lines.append(runner.table_row(name, f"{wall:.2f}", runner.spread(pairs, ".2f"), f"{cpu:.2f}"))
        return "\n".join(lines + runner.crowded(runs))


def write_job(kind: str, data: Path, folder: Path) -> Path:
    """Write a job of one of the kinds in NAMES, with its assignments, into a folder; returns the job file."""
    folder.mkdir()
    text = JOB.format(first=QUARTERS[0], last=last_day(QUARTERS[-1]))
    if kind != "none":
        python("make assignments", ASSIGN, data, folder, kind == "shared", *QUARTERS)
        periods = ", ".join(f"{{ from = {day}, to = {last_day(day)} }}" for day in QUARTERS)
        text += "".join(STRATEGY.format(number=n, periods=periods, folder=folder) for n in STRATEGIES)
    job = folder / "job.toml"
    job.write_text(text, encoding="utf-8")
    return job


def last_day(quarter: date) -> date:
    """The last day of the quarter that begins on this one."""
    return date.fromordinal(date(quarter.year + quarter.month // 10, (quarter.month + 2) % 12 + 1, 1).toordinal() - 1)


def python(what: str, script: str, *arguments: object, may_fail: bool = False) -> bool:
    """Run a script in a process of its own, so that this one stays small; whether it succeeded."""
    done = subprocess.run([sys.executable, "-c", script, *map(str, arguments)], check=False).returncode == 0
    if not done and not may_fail:
        sys.exit(f"Could not {what}.")
    return done


class Sums(Benchmark):
    """Five strategies in eight quarters beside DuckDB and Polars, which only sum one outcome of each arm and pair of periods."""

    title = "Workload W4"
    about = "Time the sums of five strategies in rfmill, DuckDB and Polars."

    def make_tools(self, options: argparse.Namespace, data: Path, scratch: Path) -> list[Tool]:
        self.folder = scratch / f"{data.name}-sums"
        job = write_job("each", data, self.folder)
        tools = [runner.rfmill_tool("rfmill", options, job, data, CUSTOMERS)]
        for peer in runner.PEERS:
            script = str(runner.HERE / "peers" / f"{peer}_w4.py")
            command = [sys.executable, script, f"--threads={options.threads}", f"--assignments={self.folder}", f"{data}/*.parquet"]
            tools.append(Tool(peer, command, ["{out}"], {"customers": "*.parquet"}))
        return tools

    def check(self, tools: list[Tool], scratch: Path) -> bool:
        outs = [scratch / f"check-{tool.name}" for tool in tools]
        for tool, out in zip(tools, outs):
            runner.run_once(tool, out, 0)
        agree = all([python("compare the sums", COMPARE, outs[0], out, *QUARTERS, may_fail=True) for out in outs[1:]])
        for out in outs:
            runner.discard(out)
        return agree

    def checked(self, tools: list[Tool]) -> str:
        return "Customers, revenue, squares and products of all arms and pairs of periods were equal in all."

    def summarise(self, tools: list[Tool], runs: list[Run]) -> str:
        of = {tool.name: [run for run in runs if run.tool == tool.name] for tool in tools}
        return "\n".join(runner.usual_table(of, ["tool"], lambda name: [name]) + runner.crowded(runs))


if __name__ == "__main__":
    sys.exit(Strategies().main())
