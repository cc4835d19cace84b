"""Workload W2, the quarterly job: 27 quarter ends and the transitions between them.

    python benches/w2.py --rfmill PATH --data FOLDER [--runs 5] [--threads N] [--record benches/runs/DATE-MACHINE]
    python benches/w2.py --rfmill PATH --smoke

FOLDER holds the order files that make_data.py wrote. Without --rfmill only the two peers run. Nothing is timed before the
customers, the cut points and the transitions of all tools are equal in every row.
"""

import sys

from runner import Workload

W2 = Workload(
    "W2",
    "quarterly.toml",
    {
        "customers": "latest/customers/as_of=*/*.parquet",
        "cutpoints": "latest/cutpoints.parquet",
        "transitions": "latest/transitions.parquet",
    },
)

if __name__ == "__main__":
    sys.exit(W2.main())
