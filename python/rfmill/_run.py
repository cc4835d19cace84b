"""Runs of a job."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Union

from ._program import PathLike, call

Day = Union[str, datetime.date]
"""A date: `datetime.date`, or text such as `2024-12-31`."""


@dataclass(frozen=True)
class State:
    """Customers in a state of a scheme at the last as-of date."""

    scheme: str
    state: str
    customers: int
    share: float
    revenue: Decimal
    revenue_share: float | None


@dataclass(frozen=True)
class Outcome:
    """What became of rows of orders."""

    outcome: str
    rows: int
    share: float
    money: Decimal


@dataclass(frozen=True)
class Run:
    """A committed run. `document` has all that the command said; docs/COMMANDS.md lists its keys."""

    run_id: str
    path: str
    job_name: str
    as_of: tuple[datetime.date, ...]
    already_computed: bool
    """Whether it was there and was only committed again; `states` and `outcomes` are empty then."""
    input_rows: int
    table_rows: int
    states: tuple[State, ...]
    outcomes: tuple[Outcome, ...]
    """Rows of orders that do not count."""
    warnings: tuple[str, ...]
    document: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Sample:
    """Which rows of orders a dry run has read."""

    rows: int
    of_rows: int
    row_groups: int
    of_row_groups: int
    files: int


@dataclass(frozen=True)
class DryRun:
    """What a run would meet, by a sample of the orders. `document` has all that the command said."""

    run_id: str
    output: str
    as_of: tuple[datetime.date, ...]
    sample: Sample
    outcomes: tuple[Outcome, ...]
    """The rows of the sample by outcome, those that count (`kept`) among them."""
    tables: tuple[str, ...]
    warnings: tuple[str, ...]
    document: Mapping[str, Any] = field(repr=False)


def run(
    job: PathLike,
    *,
    as_of: Day | None = None,
    from_: Day | None = None,
    to: Day | None = None,
    output: PathLike | None = None,
    set: Mapping[str, object] | None = None,
    adopt: bool = False,
    memory_limit: str | None = None,
    threads: int | None = None,
    verbose: bool = False,
) -> Run:
    """Runs a job and commits its tables, as `rfmill run` does; arguments are its options.

    `set` sets keys of the job file, such as `{"score.bins": 4}`. `verbose` shows the log on stderr meanwhile.

    Raises `rfmill.Error`; nothing is visible then, unless its kind is `unknown`.
    """
    options = _options(as_of, from_, to, output, set, adopt, memory_limit, threads)
    document = call(["run", os.fspath(job), *options], verbose=verbose)
    return Run(
        run_id=document["run_id"],
        path=document["path"],
        job_name=document["job_name"],
        as_of=_days(document["as_of"]),
        already_computed=document["already_computed"],
        input_rows=document["input_rows"],
        table_rows=document["table_rows"],
        states=tuple(_state(line) for line in document["states"]),
        outcomes=_outcomes(document),
        warnings=tuple(document["warnings"]),
        document=document,
    )


def dry_run(
    job: PathLike,
    *,
    as_of: Day | None = None,
    from_: Day | None = None,
    to: Day | None = None,
    output: PathLike | None = None,
    set: Mapping[str, object] | None = None,
    adopt: bool = False,
    memory_limit: str | None = None,
    threads: int | None = None,
    verbose: bool = False,
) -> DryRun:
    """Reads a sample of a job's orders and says what a run would meet and write, as `rfmill run --dry-run` does. Writes nothing.

    Raises `rfmill.Error` if the run would fail by what was read.
    """
    options = _options(as_of, from_, to, output, set, adopt, memory_limit, threads)
    document = call(["run", os.fspath(job), "--dry-run", *options], verbose=verbose)
    sample = document["sample"]
    return DryRun(
        run_id=document["run_id"],
        output=document["output"],
        as_of=_days(date["date"] for date in document["as_of"]),
        sample=Sample(
            rows=sample["rows"],
            of_rows=sample["of_rows"],
            row_groups=sample["row_groups"],
            of_row_groups=sample["of_row_groups"],
            files=sample["files"],
        ),
        outcomes=_outcomes(document),
        tables=tuple(document["tables"]),
        warnings=tuple(document["warnings"]),
        document=document,
    )


def _options(
    as_of: Day | None,
    from_: Day | None,
    to: Day | None,
    output: PathLike | None,
    set: Mapping[str, object] | None,
    adopt: bool,
    memory_limit: str | None,
    threads: int | None,
) -> list[str]:
    given = {
        "--as-of": as_of,
        "--from": from_,
        "--to": to,
        "--output": None if output is None else os.fspath(output),
        "--memory-limit": memory_limit,
        "--threads": threads,
    }
    options = [f"{name}={value}" for name, value in given.items() if value is not None]
    options += [f"--set={key}={_toml(value)}" for key, value in (set or {}).items()]
    return [*options, "--adopt"] if adopt else options


def _toml(value: object) -> str:
    """A value as the job file would have it, but for text, which the command takes as it is."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_quoted(item) for item in value) + "]"
    return str(value)


def _quoted(value: object) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return _toml(value)


def _days(texts: Any) -> tuple[datetime.date, ...]:
    return tuple(datetime.date.fromisoformat(text) for text in texts)


def _state(line: Mapping[str, Any]) -> State:
    return State(
        scheme=line["scheme"],
        state=line["state"],
        customers=line["customers"],
        share=line["share"],
        revenue=Decimal(line["revenue"]),
        revenue_share=line["revenue_share"],
    )


def _outcomes(document: Mapping[str, Any]) -> tuple[Outcome, ...]:
    lines = document["outcomes"]
    return tuple(Outcome(line["outcome"], line["rows"], line["share"], Decimal(line["money"])) for line in lines)
