"""Makes tests/data/cdnow.csv of the CDNOW sample of Fader and Hardie (2,357 customers, http://brucehardie.com/datasets).

    python tests/oracles/cdnow.py cdnow_sample.parquet        (needs pyarrow; columns customer_id, date, dollar_value)

Per customer with a purchase to 1997-09-30: days with a purchase after the first, days from the first to the last of them, days from
the first to the end of September, and cents per purchase of these days (0 without one). Purchases of a day are one.
"""

import datetime
import sys
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq

END = datetime.date(1997, 9, 30)


def main() -> None:
    table = pq.read_table(sys.argv[1]).to_pydict()
    days = defaultdict(lambda: defaultdict(int))
    for customer, day, money in zip(table["customer_id"], table["date"], table["dollar_value"], strict=True):
        if day <= END:
            days[customer][day] += round(money * 100)
    lines = ["repeats,last,observed,cents"]
    for customer in sorted(days):
        first, *others = sorted(days[customer])
        cents = sum(days[customer][day] for day in others) / len(others) if others else 0
        lines.append(f"{len(others)},{((others or [first])[-1] - first).days},{(END - first).days},{cents:.6g}")
    (Path(__file__).parent.parent / "data" / "cdnow.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
