"""Writes the orders whose bytes the tests of damage flip: 400 rows in two row groups, six columns of several types.

python3 tests/data/flips.py FOLDER writes flips_checked.parquet, with a checksum on every page, and flips_plain.parquet,
the same without. Made with PyArrow 26.0.1.
"""

import datetime
import decimal
import pathlib
import random
import sys

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 400


def orders() -> pa.Table:
    rng = random.Random(8)
    start = datetime.datetime(2023, 1, 1, tzinfo=datetime.timezone.utc)
    columns = {
        "customer_id": pa.array([rng.randrange(1, 120) * 7_919 for _ in range(ROWS)], pa.int64()),
        "region": pa.array([rng.choice(["north", "south", "east", "west"]) for _ in range(ROWS)]).dictionary_encode(),
        "discount": pa.array([None if rng.random() < 0.2 else round(rng.random() - 0.5, 3) for _ in range(ROWS)], pa.float64()),
        "amount": pa.array([decimal.Decimal(rng.randrange(100, 99_999)).scaleb(-2) for _ in range(ROWS)], pa.decimal128(12, 2)),
        "ordered_at": pa.array(
            [start + datetime.timedelta(seconds=rng.randrange(730 * 86_400)) for _ in range(ROWS)], pa.timestamp("us", "UTC")
        ),
        "order_id": pa.array([f"o-{rng.randrange(1 << 32):08x}" for _ in range(ROWS)]),
    }
    return pa.table(columns)


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    for name, checksums in [("flips_checked", True), ("flips_plain", False)]:
        path = folder / f"{name}.parquet"
        pq.write_table(orders(), path, row_group_size=200, write_page_checksum=checksums, compression="snappy")
        print(path, path.stat().st_size)


main()
