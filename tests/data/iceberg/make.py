"""Writes the Iceberg table beside this file: python make.py   (pyiceberg 0.12.0 and what else tests/iceberg.py needs)

Eight orders of five customers in two files, before and after columns were renamed, moved, widened and added; then a deleted position,
a deleted value, and a deletion vector. Where it was written does not matter: tests read it where it lies.
"""

import random
import shutil
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.types import DoubleType, LongType, StringType

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent.parent))
from iceberg import Hand  # noqa: E402

home = Path("/tmp/rfmill-iceberg")
shutil.rmtree(home, ignore_errors=True)
home.mkdir()
catalog = SqlCatalog("c", uri=f"sqlite:///{home}/catalog.db", warehouse=f"file://{home}")
catalog.create_namespace("s")
days = [date.fromisoformat(day) for day in ["2024-01-05", "2024-03-01", "2024-02-10", "2024-11-30", "2024-05-05", "2024-06-01", "2024-12-24", "2024-12-31"]]
schema = pa.schema({"total": pa.float32(), "customer_id": pa.int32(), "ordered_at": pa.date32()})
table = catalog.create_table("s.shop", schema=schema, location=f"file://{home}/shop", properties={"format-version": "2"})
table.append(pa.table({"total": [10.5, 20.25, 30.0, 40.0], "customer_id": [1, 1, 2, 2], "ordered_at": days[:4]}, schema=schema))
with table.update_schema() as update:
    update.move_first("customer_id")
    update.update_column("total", field_type=DoubleType())
    update.update_column("customer_id", field_type=LongType())
    update.rename_column("total", "amount")
with table.update_schema() as update:
    # A name that another column had.
    update.add_column("total", StringType())
later = table.schema().as_arrow()
rows = {"customer_id": [3, 4, 4, 5], "ordered_at": days[4:], "amount": [50.0, 60.0, 70.0, 80.0], "total": ["x"] * 4}
table.append(pa.table([pa.array(rows[field.name], field.type) for field in later], schema=later))

hand = Hand(home / "shop", Path(table.metadata_location), random.Random(1))
first, second = sorted(hand.files, key=lambda path: hand.files[path][2])
hand.delete_rows({first: {1}}, as_vectors=False)
hand.commit()
hand.delete_equal(pa.table({"customer_id": pa.array([4], pa.int64())}), {})
hand.commit()
hand.delete_rows({second: {3}}, as_vectors=True)
hand.commit()
shutil.rmtree(here / "shop", ignore_errors=True)
shutil.copytree(home / "shop", here / "shop")
