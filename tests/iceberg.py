"""Run jobs on Iceberg tables and on plain files of the same rows, and check that both count the same.

    python tests/iceberg.py PATH/TO/rfmill [SEEDS]        (needs pyiceberg, polars, fastavro and pyroaring; 6 seeds)

What a snapshot of a table holds is not rfmill's word: pyiceberg reads it, polars reads it again, and pyarrow writes its rows to a
plain file. For every snapshot of random tables that pyiceberg writes, of all format versions it knows, with appends, deletes,
overwrites, columns that are added, renamed, moved, dropped and widened, and partitions that change, rfmill must write equal
customers, segments and ledger for both. Files of deleted positions, deletion vectors and deletes by value, which pyiceberg does not
write, are added as the specification says, with manifests by fastavro and bitmaps by pyroaring; rows deleted by value, which
pyiceberg does not read, are found here, row by row. Tables that were moved, and those of one folder with Delta, come last.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import fastavro
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import StaticTable, Table
from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform, TruncateTransform
from pyiceberg.types import DecimalType, DoubleType, FloatType, IntegerType, LongType, StringType
from pyroaring import BitMap64

# Polars has a planner of its own in a further package; its reader is what is wanted here.
os.environ.setdefault("POLARS_ICEBERG_PLANNER", "pyiceberg")

REGIONS = ["EU", "EU West", "a/b=c", "50%", "ä\"'", None]
CUSTOMERS = ["customers", "segments", "transitions"]

JOB = """name = "iceberg"
[orders]
path = {path}
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "{amount}"
order_id = "order_id"
max_rejected = 1.0
{keys}
[periods]
as_of = [2024-03-31, 2024-06-30]
[output]
path = "{out}"
report = []
"""


def main() -> int:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    rfmill = Path(sys.argv[1]).resolve()
    seeds = int(sys.argv[2]) if len(sys.argv) == 3 else 6
    totals = defaultdict(int)
    for seed in range(seeds):
        with tempfile.TemporaryDirectory(prefix="rfmill-iceberg-") as folder:
            some = Check(rfmill, Path(folder), random.Random(seed))
            some.random_table(1 + seed % 2)
            some.deletes()
            for name, count in some.totals.items():
                totals[name] += count
    assert all(totals[name] > 0 for name in ["snapshots", "positions", "vectors", "values", "moved"]), dict(totals)
    print(f"{totals['snapshots']} snapshots of {2 * seeds} tables agree ({totals['by_polars']} of them read by Polars too); "
          f"{totals['positions']} have positions, {totals['vectors']} vectors and {totals['values']} values deleted; {totals['moved']} tables were moved.")
    return 0


class Check:
    def __init__(self, rfmill: Path, home: Path, rng: random.Random):
        self.rfmill, self.home, self.rng = rfmill, home, rng
        self.totals = defaultdict(int)
        self.orders = 0
        self.catalog = SqlCatalog("c", uri=f"sqlite:///{home}/catalog.db", warehouse=f"file://{home}/warehouse")
        self.catalog.create_namespace("shop")

    def rows(self, count: int, schema: pa.Schema | None = None) -> pa.Table:
        """Orders with nulls, of all types that a job reads, with the columns of a schema."""
        rng = self.rng
        ids = range(self.orders, self.orders + count)
        self.orders += count
        instants = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(200 * 86400)) for _ in ids]
        money = [Decimal(rng.randrange(1, 100000)).scaleb(-2) for _ in ids]
        columns = {
            "order_id": list(ids),
            "customer_id": [None if rng.random() < 0.02 else rng.randrange(40) for _ in ids],
            "ordered_at": instants,
            "amount": money,
            "money": money,
            "region": [rng.choice(REGIONS) for _ in ids],
            "day": [at.date() if rng.random() < 0.9 else None for at in instants],
            "status": [rng.choice(["paid", "void", None]) for _ in ids],
            "weight": [rng.choice([0.5, 1.25, None]) for _ in ids],
            "channel": [rng.choice(["web", "shop"]) for _ in ids],
        }
        schema = schema or pa.schema({
            "order_id": pa.int64(), "customer_id": pa.int32(), "ordered_at": pa.timestamp("us", "UTC"), "amount": pa.decimal128(9, 2),
            "region": pa.string(), "day": pa.date32(), "status": pa.string(), "weight": pa.float32()})
        return pa.table({field.name: pa.array(columns[field.name], field.type) for field in schema}, schema=schema)

    def random_table(self, format_version: int):
        rng = self.rng
        table = self.create("orders", format_version)
        for _ in range(rng.randrange(2)):
            self.change_partitions(table)
        table.append(self.rows(rng.randrange(50, 400), self.schema(table)))
        for _ in range(9):
            match rng.randrange(8):
                case 0 | 1:
                    table.append(self.rows(rng.randrange(1, 200), self.schema(table)))
                case 2:
                    table.delete(f"order_id < {rng.randrange(max(self.orders, 1))} and region = 'EU West'")
                case 3:
                    table.delete(f"order_id >= {self.orders - rng.randrange(1, 50)}")
                case 4:
                    table.overwrite(self.rows(rng.randrange(1, 100), self.schema(table)), overwrite_filter="status is null")
                case 5 | 6:
                    self.change_columns(table)
                    table.append(self.rows(rng.randrange(1, 200), self.schema(table)))
                case 7:
                    self.change_partitions(table)
                    table.append(self.rows(rng.randrange(1, 200), self.schema(table)))
        keys = 'keep = [{ column = "status", in = ["paid"] }]' if rng.random() < 0.5 else 'slice = "region"'
        for snapshot in table.metadata.snapshots:
            self.compare(table, snapshot.snapshot_id, table.scan(snapshot_id=snapshot.snapshot_id).to_arrow(), keys)
        self.compare(table, None, table.scan().to_arrow(), keys)
        self.moved(table, keys)

    def create(self, name: str, format_version: int) -> Table:
        location = f"file://{self.home}/{name}"
        return self.catalog.create_table(f"shop.{name}", self.rows(0).schema, location=location, properties={"format-version": str(format_version)})

    def schema(self, table: Table) -> pa.Schema:
        return table.schema().as_arrow()

    def change_columns(self, table: Table):
        names = set(table.schema().column_names)
        with table.update_schema() as update:
            match self.rng.randrange(6):
                case 0:
                    update.update_column("customer_id", field_type=LongType())
                case 1 if "weight" in names:
                    update.update_column("weight", field_type=DoubleType())
                case 2:
                    amount = "amount" if "amount" in names else "money"
                    more = self.rng.choice([12, 18, 20])
                    if more > table.schema().find_field(amount).field_type.precision:
                        update.update_column(amount, field_type=DecimalType(more, 2))
                case 3:
                    old, new = ("amount", "money") if "amount" in names else ("money", "amount")
                    update.move_first(old)
                    update.rename_column(old, new)
                case 4 if "weight" in names and all(field.source_id != table.schema().find_field("weight").field_id for field in table.spec().fields):
                    update.delete_column("weight")
                case _ if "channel" not in names:
                    update.add_column("channel", StringType())
                case _ if "weight" not in names:
                    # Another column of an old name.
                    update.add_column("weight", FloatType())

    def change_partitions(self, table: Table):
        with table.update_spec() as update:
            names = {field.name for field in table.spec().fields}
            name, column, transform = self.rng.choice([
                ("region_is", "region", IdentityTransform()), ("day_is", "day", IdentityTransform()), ("bucket", "order_id", BucketTransform(3)),
                ("ordered_day", "ordered_at", DayTransform()), ("status_begins", "status", TruncateTransform(1)), ("customer_is", "customer_id", IdentityTransform())])
            if name in names:
                update.remove_field(name)
            else:
                update.add_field(column, transform, name)

    def moved(self, table: Table, keys: str):
        """A table whose folder has another name lies there, whatever its metadata say; so it does by the file of metadata."""
        folder = self.home / "moved"
        shutil.rmtree(folder, ignore_errors=True)
        (self.home / "orders").rename(folder)
        current = Path(table.metadata_location).name
        rows = pq.read_table(self.home / "plain.parquet")
        for path in ['{ iceberg = "moved" }', f'{{ iceberg = "moved/metadata/{current}" }}']:
            self.same(rows, path, keys)
        folder.rename(self.home / "orders")
        # Beside the log of another format nothing tells which of the two is current.
        (self.home / "orders/_delta_log").mkdir()
        said = self.fails('{ iceberg = "orders" }')
        assert "lies in a folder with the log of a table of Delta as well" in said, said
        (self.home / "orders/_delta_log").rmdir()
        said = self.fails('{ iceberg = "orders", snapshot = 7 }')
        assert "has no snapshot 7; its metadata have" in said, said
        said = self.fails('"orders"')
        assert 'orders.path = { iceberg = "' in said, said
        self.totals["moved"] += 1

    def deletes(self):
        """Snapshots with deletes of all kinds on a table of several files and partitions."""
        rng = self.rng
        table = self.create("deleted", 2)
        if rng.random() < 0.7:
            with table.update_spec() as update:
                update.add_field("region", IdentityTransform(), "region_is")
        for _ in range(3):
            table.append(self.rows(rng.randrange(100, 1500)))
        hand = Hand(self.home / "deleted", Path(table.metadata_location), rng)
        for kind in rng.sample(["positions", "positions", "values", "vectors", "positions", "values"], 6):
            if kind == "values":
                hand.delete_values(rng.choice([["customer_id"], ["order_id"], ["region", "customer_id"], ["status"]]))
            else:
                hand.delete_positions(as_vectors=kind == "vectors")
            if rng.random() < 0.4:
                hand.append(self.rows(rng.randrange(20, 200)))
            self.totals[kind] += 1
            location = hand.commit()
            rows = pa.concat_tables(hand.left())
            if not hand.has_values:
                read = StaticTable.from_metadata(f"file://{location}").scan().to_arrow()
                assert sorted(read["order_id"].to_pylist()) == sorted(rows["order_id"].to_pylist()), "pyiceberg reads other rows"
            for keys in ['slice = "region"', 'dedupe = "rows"', 'latest = { key = ["customer_id", "day"], by = "order_id" }']:
                self.same(rows, f'{{ iceberg = "deleted/metadata/{location.name}" }}', keys)
            self.totals["snapshots"] += 1

    def compare(self, table: Table, snapshot: int | None, rows: pa.Table, keys: str):
        """Runs on a snapshot of a table and on a plain file of its rows."""
        if rows.num_rows == 0:
            return
        if rows.schema.field("order_id").type == pa.int64() and self.rng.random() < 0.5:
            again = pl.scan_iceberg(table, snapshot_id=snapshot).select("order_id", "customer_id").collect().sort("order_id")
            assert again.equals(pl.from_arrow(rows.select(["order_id", "customer_id"])).sort("order_id")), "Polars reads other rows"
            self.totals["by_polars"] += 1
        of_snapshot = "" if snapshot is None else f", snapshot = {snapshot}"
        name = Path(table.metadata.location.removeprefix("file://")).name
        entries = self.same(rows, f'{{ iceberg = "{name}/metadata/{Path(table.metadata_location).name}"{of_snapshot} }}', keys)
        wanted = table.metadata.current_snapshot_id if snapshot is None else snapshot
        assert {entry["lake_table"]["snapshot"] for entry in entries} == {wanted}, (entries, wanted)
        self.totals["snapshots"] += 1

    def same(self, rows: pa.Table, path: str, keys: str) -> list:
        """Runs on a table and on a plain file of these rows; the inputs that the run on the table lists."""
        amount = "amount" if "amount" in rows.column_names else "money"
        for name in ["region", "status"]:
            if name not in rows.column_names:
                keys = ""
        pq.write_table(rows, self.home / "plain.parquet", row_group_size=self.rng.choice([64, 100000]))
        plain = self.run("plain", '"plain.parquet"', keys, amount)
        lake = self.run("lake", path, keys, amount)
        for table in CUSTOMERS:
            for file in sorted((plain / "latest").glob(f"{table}*/**/*.parquet")) + sorted((plain / "latest").glob(f"{table}*.parquet")):
                other = lake / "latest" / file.relative_to(plain / "latest")
                assert pq.read_table(file).equals(pq.read_table(other)), (path, keys, file)
        assert outcomes(plain) == outcomes(lake), (path, keys)
        entries = json.loads((lake / "latest" / "manifest.json").read_text())["inputs"]
        assert sum(entry["rows"] for entry in entries) == rows.num_rows, (path, keys)
        return entries

    def run(self, name: str, path: str, keys: str, amount: str) -> Path:
        out = self.home / f"out-{name}"
        shutil.rmtree(out, ignore_errors=True)
        ran = self.call(name, path, keys, amount)
        assert ran.returncode == 0, (path, keys, ran.stderr)
        return out

    def fails(self, path: str) -> str:
        ran = self.call("fails", path, "", "amount")
        assert ran.returncode == 4, (ran.returncode, ran.stderr)
        return ran.stderr

    def call(self, name: str, path: str, keys: str, amount: str):
        job = self.home / f"{name}.toml"
        job.write_text(JOB.format(path=path, keys=keys, amount=amount, out=f"out-{name}"))
        return subprocess.run([self.rfmill, "run", job, "--quiet"], capture_output=True, text=True, check=False)


class Hand:
    """A table that is changed as the specification says, without pyiceberg."""

    def __init__(self, folder: Path, metadata: Path, rng: random.Random):
        self.folder, self.rng = folder, rng
        self.metadata = json.loads(Path(str(metadata).removeprefix("file:")).read_text())
        self.version = 100
        self.has_values = False
        # By path: the rows of the file, the entry of its manifest, its sequence number, and the indices of deleted rows.
        self.files: dict[str, list] = {}
        self.manifests, self.new = [], []
        snapshot = self.snapshot()
        for manifest in read_avro(snapshot["manifest-list"])[1]:
            self.manifests.append(manifest)
            schema, entries, self.user = read_avro(manifest["manifest_path"], with_user=True)
            for entry in entries:
                path = entry["data_file"]["file_path"]
                number = entry["sequence_number"] or manifest["sequence_number"]
                self.files[path] = [pq.ParquetFile(path.removeprefix("file://")).read(), entry, number, set()]
        self.schema, (self.list_schema, _) = schema, read_avro(snapshot["manifest-list"])
        self.vectors: dict[str, dict] = {}

    def snapshot(self) -> dict:
        return next(one for one in self.metadata["snapshots"] if one["snapshot-id"] == self.metadata["current-snapshot-id"])

    def next_sequence(self) -> int:
        return self.metadata["last-sequence-number"] + 1

    def left(self) -> list[pa.Table]:
        return [rows.filter(pa.array([row not in deleted for row in range(rows.num_rows)], pa.bool_())) for rows, _, _, deleted in self.files.values()]

    def path(self, ending: str) -> str:
        self.version += 1
        return f"file://{self.folder}/data/by-hand-{self.version}{ending}"

    def entry(self, content: int, path: str, rows: int, partition: dict, file_format: str = "PARQUET", **more) -> dict:
        """An entry of a manifest that adds a file; its sequence number is that of the manifest."""
        size = Path(path.removeprefix("file://")).stat().st_size
        some = {"content": content, "file_path": path, "file_format": file_format, "partition": partition, "record_count": rows, "file_size_in_bytes": size}
        return {"status": 1, "snapshot_id": None, "sequence_number": None, "file_sequence_number": None, "data_file": some | more}

    def write(self, path: str, rows: pa.Table):
        pq.write_table(rows, path.removeprefix("file://"), row_group_size=self.rng.choice([50, 100000]))

    def append(self, rows: pa.Table):
        """A file of rows of one region in the partition of that, or none."""
        partition = dict.fromkeys(next(iter(self.files.values()))[1]["data_file"]["partition"], "EU")
        rows = rows.set_column(rows.column_names.index("region"), "region", pa.array(["EU"] * rows.num_rows))
        ids = {field["name"]: str(field["id"]) for field in self.metadata["schemas"][-1]["fields"]}
        schema = pa.schema([field.with_metadata({"PARQUET:field_id": ids[field.name]}) for field in rows.schema])
        # A file may leave out the column of its partition.
        kept = [name for name in rows.column_names if name != "region" or not partition or self.rng.random() < 0.5]
        path = self.path(".parquet")
        self.write(path, rows.cast(schema).select(kept))
        entry = self.entry(0, path, rows.num_rows, partition)
        self.new.append((0, [entry]))
        self.files[path] = [rows, entry, self.next_sequence(), set()]

    def delete_positions(self, as_vectors: bool):
        """Deletes rows of some files, in a row or here and there."""
        chosen = {}
        for path, (rows, *_) in self.files.items():
            if self.rng.random() < 0.4 or rows.num_rows == 0 or (path in self.vectors and not as_vectors):
                continue
            start = self.rng.randrange(rows.num_rows)
            in_a_row = set(range(start, min(start + 60, rows.num_rows)))
            chosen[path] = in_a_row if self.rng.random() < 0.5 else set(self.rng.sample(range(rows.num_rows), rows.num_rows // 10))
        self.delete_rows(chosen, as_vectors)

    def delete_rows(self, chosen: dict[str, set], as_vectors: bool):
        """Deletes rows by file and index. A vector holds all rows of its file that were deleted so far."""
        by_partition, puffin, vectors = defaultdict(list), bytearray(b"PFA1"), []
        name = self.path(".puffin")
        for path, more in chosen.items():
            _, entry, _, deleted = self.files[path]
            partition = entry["data_file"]["partition"]
            if as_vectors:
                bitmap = BitMap64(more | deleted)
                data = (1681511377).to_bytes(4, "little") + bitmap.serialize()
                blob = len(data).to_bytes(4, "big") + data + zlib.crc32(data).to_bytes(4, "big")
                vectors.append((path, len(bitmap), partition, len(puffin), len(blob)))
                puffin += blob
            else:
                by_partition[json.dumps(partition)] += [(path, row) for row in more]
            deleted |= more
        for partition, positions in by_partition.items():
            positions.sort()
            at = self.path(".parquet")
            rows = pa.table({"file_path": [path for path, _ in positions], "pos": pa.array([row for _, row in positions], pa.int64())})
            ids = {"file_path": "2147483546", "pos": "2147483545"}
            self.write(at, rows.cast(pa.schema([field.with_metadata({"PARQUET:field_id": ids[field.name]}) for field in rows.schema])))
            self.new.append((1, [self.entry(1, at, rows.num_rows, json.loads(partition))]))
        if vectors:
            blobs = [{"type": "deletion-vector-v1", "fields": [], "snapshot-id": -1, "sequence-number": -1, "offset": offset, "length": size,
                      "properties": {"referenced-data-file": path, "cardinality": str(rows)}} for path, rows, _, offset, size in vectors]
            footer = json.dumps({"blobs": blobs}).encode()
            Path(name.removeprefix("file://")).write_bytes(bytes(puffin) + b"PFA1" + footer + len(footer).to_bytes(4, "little") + bytes(4) + b"PFA1")
            for path, rows, partition, offset, size in vectors:
                entry = self.entry(1, name, rows, partition, "PUFFIN", referenced_data_file=path, content_offset=offset, content_size_in_bytes=size)
                self.vectors[path] = entry
                self.new.append((1, [entry]))
            self.metadata["format-version"] = 3
            self.metadata.setdefault("next-row-id", 0)

    def delete_values(self, columns: list[str]):
        """Deletes by the values of some rows of a file."""
        rows, entry, _, _ = self.files[self.rng.choice([path for path, (rows, *_) in self.files.items() if rows.num_rows > 0])]
        picked = self.rng.sample(range(rows.num_rows), min(3, rows.num_rows))
        self.delete_equal(rows.take(picked).select(columns), entry["data_file"]["partition"])

    def delete_equal(self, values: pa.Table, partition: dict):
        """Deletes the rows of earlier files of a partition that have these values; null is a value."""
        self.has_values = True
        ids = {field["name"]: field["id"] for field in self.metadata["schemas"][-1]["fields"]}
        at = self.path(".parquet")
        self.write(at, values.cast(pa.schema([field.with_metadata({"PARQUET:field_id": str(ids[field.name])}) for field in values.schema])))
        equality_ids = [ids[name] for name in values.column_names]
        self.new.append((1, [self.entry(2, at, values.num_rows, partition, equality_ids=equality_ids)]))
        wanted = {tuple(row.values()) for row in values.to_pylist()}
        for rows, other, number, deleted in self.files.values():
            # Files of the same commit are not earlier.
            if other["data_file"]["partition"] == partition and number < self.next_sequence():
                found = rows.select([name for name in values.column_names if name in rows.column_names]).to_pylist()
                deleted |= {index for index, row in enumerate(found) if tuple(row.values()) in wanted}

    def commit(self) -> Path:
        """Writes manifests, their list, and the metadata; returns the place of the metadata."""
        self.version += 1
        sequence, snapshot = self.next_sequence(), self.rng.getrandbits(62)
        for content, entries in self.new:
            for entry in entries:
                entry["snapshot_id"] = snapshot
            path = self.folder / "metadata" / f"by-hand-{self.version}-{len(self.manifests)}.avro"
            user = self.user | {"content": ["data", "deletes"][content]}
            codec = self.rng.choice(["null", "deflate", "snappy", "zstandard"])
            with path.open("wb") as file:
                fastavro.writer(file, self.schema_with_vectors(), entries, codec=codec, metadata=user)
            counts = dict.fromkeys(["existing_files_count", "deleted_files_count", "existing_rows_count", "deleted_rows_count"], 0)
            self.manifests.append({"manifest_path": f"file://{path}", "manifest_length": path.stat().st_size, "content": content,
                                   "partition_spec_id": self.metadata["default-spec-id"], "sequence_number": sequence, "min_sequence_number": sequence,
                                   "added_snapshot_id": snapshot, "added_files_count": len(entries), "added_rows_count": 1, **counts})
        self.new = []
        listed = self.folder / "metadata" / f"snap-{snapshot}.avro"
        with listed.open("wb") as file:
            user = {"format-version": "2", "snapshot-id": str(snapshot), "sequence-number": str(sequence)}
            fastavro.writer(file, self.list_schema, self.manifests, metadata=user)
        self.metadata["snapshots"].append({"snapshot-id": snapshot, "sequence-number": sequence, "timestamp-ms": self.metadata["last-updated-ms"],
                                           "manifest-list": f"file://{listed}", "summary": {"operation": "delete"},
                                           "schema-id": self.metadata["current-schema-id"], "first-row-id": 0, "added-rows": 0})
        self.metadata |= {"current-snapshot-id": snapshot, "last-sequence-number": sequence}
        self.metadata["refs"] = {"main": {"type": "branch", "snapshot-id": snapshot}}
        place = self.folder / "metadata" / f"{self.version:05}-by-hand.metadata.json"
        place.write_text(json.dumps(self.metadata))
        return place

    def schema_with_vectors(self) -> dict:
        """The schema of manifests with the fields of deletion vectors."""
        schema = json.loads(json.dumps(self.schema))
        fields = next(field for field in schema["fields"] if field["name"] == "data_file")["type"]["fields"]
        there = {field["name"] for field in fields}
        for name, number, kind in [("referenced_data_file", 143, "string"), ("content_offset", 144, "long"), ("content_size_in_bytes", 145, "long")]:
            if name not in there:
                fields.append({"name": name, "type": ["null", kind], "default": None, "field-id": number})
        return schema


def read_avro(path: str, with_user: bool = False) -> tuple:
    with Path(path.removeprefix("file://")).open("rb") as file:
        reader = fastavro.reader(file)
        rows = list(reader)
        schema = json.loads(reader.metadata["avro.schema"])
        user = {name: value for name, value in reader.metadata.items() if not name.startswith("avro.")}
        return (schema, rows, user) if with_user else (schema, rows)


def outcomes(out: Path) -> dict:
    """Rows and money by outcome, whatever the files."""
    sums = defaultdict(lambda: [0, 0])
    for row in pq.read_table(out / "latest" / "ledger.parquet").to_pylist():
        sums[row["outcome"]][0] += row["row_count"]
        sums[row["outcome"]][1] += row["amount"] or 0
    return {outcome: both for outcome, both in sums.items() if both[0]}


if __name__ == "__main__":
    sys.exit(main())
