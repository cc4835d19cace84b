"""Workload W1, the nightly job: one as-of date.

    python benches/w1.py --rfmill PATH --data FOLDER [--runs 5] [--threads N] [--record benches/runs/DATE-MACHINE]
    python benches/w1.py --rfmill PATH --smoke

FOLDER holds the order files that make_data.py wrote. Without --rfmill only the two peers run. Nothing is timed before the
customers tables of all tools are equal in every row.
"""

import sys

from runner import Workload

W1 = Workload("W1", "nightly.toml", {"customers": "latest/customers/as_of=1998-08-02/*.parquet"})

if __name__ == "__main__":
    sys.exit(W1.main())
