"""Exact RFM scores, segments and lifecycle states from orders, by the program `rfmill` that this package carries.

    import rfmill

    run = rfmill.run("job.toml", as_of="2024-12-31")
    customers = rfmill.tables("out")["customers"]

A table is an Arrow stream: `polars.DataFrame(customers)`, `pandas.DataFrame.from_arrow(customers)`, `pyarrow.table(customers)`, and
`duckdb.sql("FROM customers")` take it as it is.
"""

from ._error import Error
from ._program import __version__, program
from ._run import DryRun, Outcome, Run, Sample, State, dry_run, run
from ._tables import Column, Table, Tables, tables

__all__ = [
    "Column",
    "DryRun",
    "Error",
    "Outcome",
    "Run",
    "Sample",
    "State",
    "Table",
    "Tables",
    "__version__",
    "dry_run",
    "program",
    "run",
    "tables",
]
