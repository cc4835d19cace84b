"""Small tables for the views: those that a run may not have are made up from its segments, with the columns they have in
every run."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

STATE = pa.dictionary(pa.uint16(), pa.string())
MONEY = pa.decimal128(38, 2)


def write_missing_tables(tables: Path) -> None:
    """Adds to a folder `OUT/tables` the tables that views read and that it lacks."""
    by_date = ds.partitioning(pa.schema([("as_of", pa.date32())]), flavor="hive")
    segments = ds.dataset(tables / "segments", partitioning=by_date).to_table(columns=["as_of", "slice", "scheme", "state"])
    dates = sorted(set(segments["as_of"].to_pylist()))
    states = sorted(set(zip(segments["scheme"].to_pylist(), segments["state"].to_pylist(), strict=True)))
    last = dates[-1]
    write(tables, "dim_state", {last: dim_state(states)})
    write(tables, "dim_period", {date: dim_period(date, dates) for date in dates})
    write(tables, "transitions", {date: transitions(before, states) for before, date in zip(dates, dates[1:], strict=False)})
    write(tables, "effects", {last: effects(last)})
    write(tables, "verdicts", {last: verdicts(last)})


def write(tables: Path, name: str, parts: dict[dt.date, pa.Table]) -> None:
    if (tables / name).exists():
        return
    for date, table in parts.items():
        folder = tables / name / f"as_of={date}"
        folder.mkdir(parents=True)
        pq.write_table(table, folder / f"{name}.parquet")


def table(rows: list[dict], **columns: pa.DataType) -> pa.Table:
    schema = pa.schema(list(columns.items()))
    for row in rows:
        assert set(row) <= set(columns), f"{set(row) - set(columns)} are no columns"
    return pa.Table.from_pylist([{name: row.get(name) for name in columns} for row in rows], schema=schema)


def dim_state(states: list[tuple[str, str]]) -> pa.Table:
    # The last state has no row, as a state that is in no scheme file: its label is its name.
    rows = [
        {"scheme": scheme, "state": state, "rank": rank, "label_en": state.title(), "label_zh_hans": f"状态 {rank}",
         "definition": "made up", "action": None, "colour": "#336699"}
        for rank, (scheme, state) in enumerate(states[:-1], 1)
    ]
    text = pa.string()
    return table(rows, scheme=STATE, state=STATE, rank=pa.int32(), label_en=text, label_zh_hans=text, definition=text, action=text, colour=text)


def dim_period(date: dt.date, dates: list[dt.date]) -> pa.Table:
    # "A year before" is two dates before here, so that a sample of one year has some.
    at = dates.index(date)
    row = {"period_start": date.replace(day=1), "period_end": date, "label": f"until {date}", "is_partial": False,
           "same_period_last_year": dates[at - 2] if at >= 2 else None, "history_complete": True}
    day = pa.date32()
    return table([row], period_start=day, period_end=day, label=pa.string(), same_period_last_year=day, is_partial=pa.bool_(), history_complete=pa.bool_())


def transitions(before: dt.date, states: list[tuple[str, str]]) -> pa.Table:
    rows = []
    for at, (scheme, state) in enumerate(states):
        for to_scheme, to_state in [*states[at - 1 : at + 2], (scheme, "(none)")]:
            if to_scheme == scheme:
                rows.append({"slice": "(all)", "dimension": "(all)", "dimension_value": "(all)", "scheme": scheme, "from_state": state,
                             "to_state": to_state, "from_as_of": before, "customers": at + 1, "rate": 0.25, "rate_low": 0.125,
                             "rate_high": 0.5, "revenue": Decimal("-12.34")})
    names = ["slice", "dimension", "dimension_value", "scheme", "from_state", "to_state"]
    numbers = {"from_as_of": pa.date32(), "customers": pa.int64(), "rate": pa.float64(), "rate_low": pa.float64(), "rate_high": pa.float64(), "revenue": MONEY}
    return table(rows, **dict.fromkeys(names, STATE), **numbers)


def effects(date: dt.date) -> pa.Table:
    base = {"strategy": "winback-mail", "period_start": date.replace(day=1), "period_end": date, "phase": "during", "arm": "treatment",
            "outcome": "revenue", "scheme": "(all)", "state": "(all)", "design": "randomised", "n_treated": 100, "n_control": 90,
            "family_size": 1, "excluded": 0}
    rows = [
        {**base, "method": "cuped", "headline": True, "mean_treated": 12.5, "mean_control": 10.0, "difference": 2.5, "ci_low": 1.0,
         "ci_high": 4.0, "p_value": 0.001, "p_adjusted": 0.002, "lift": 0.25, "lift_low": 0.1, "lift_high": 0.4, "roi": 1.5},
        {**base, "method": "welch", "headline": False, "difference": 2.0},
        {**base, "method": "cuped", "headline": True, "scheme": "segment", "state": "At Risk", "not_estimable": "an arm has one customer"},
    ]
    names = ["strategy", "phase", "arm", "outcome", "scheme", "state", "method", "design"]
    doubles = ["mean_treated", "mean_control", "difference", "ci_low", "ci_high", "p_value", "p_adjusted", "lift", "lift_low", "lift_high",
               "mde", "srm_p", "incremental", "cost", "roi", "roi_low", "roi_high", "net_margin_per_customer", "net_margin_low", "net_margin_high"]
    counts = dict.fromkeys(["n_treated", "n_control", "family_size", "excluded"], pa.int64())
    dates = {"period_start": pa.date32(), "period_end": pa.date32()}
    return table(rows, **dict.fromkeys(names, STATE), **dates, headline=pa.bool_(), **counts, **dict.fromkeys(doubles, pa.float64()), not_estimable=pa.string())


def verdicts(date: dt.date) -> pa.Table:
    row = {"strategy": "winback-mail", "arm": "treatment", "period_start": date.replace(day=1), "period_end": date, "scheme": "(all)",
           "state": "(all)", "verdict": "scale", "reason": "It earned 1.50 per unit spent.", "outcome": "revenue", "method": "cuped",
           "difference": 2.5, "shrunk_difference": 2.25, "shrunk_low": 0.75, "rank": 1}
    pooled = {**row, "period_start": None, "period_end": None, "verdict": "keep"}
    names = ["strategy", "arm", "scheme", "state", "verdict", "outcome", "method"]
    dates = {"period_start": pa.date32(), "period_end": pa.date32()}
    doubles = dict.fromkeys(["difference", "shrunk_difference", "shrunk_low"], pa.float64())
    return table([row, pooled], **dict.fromkeys(names, STATE), **dates, reason=pa.string(), **doubles, rank=pa.int64())
