"""Run jobs on Delta tables and on plain files of the same rows, and check that both count the same.

    python tests/delta.py PATH/TO/rfmill [SEEDS]        (needs deltalake, pyarrow and pyroaring; 6 seeds)

What a version of a table holds is not rfmill's word: deltalake (the reader of delta-rs) reads it, and pyarrow writes its rows to a
plain file. For every version of random tables that deltalake writes, with appends, deletes, updates, overwrites, compactions,
checkpoints, new columns, partitions of odd names and vacuums, rfmill must write equal customers, segments and ledger for both, and
refuse the versions whose files are gone. Deletion vectors, which deltalake does not write, are added as the protocol says, with
bitmaps by pyroaring: inline, in files named by a UUID and by a path, several to a file.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import uuid
import zlib
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, QueryBuilder, write_deltalake
from pyroaring import BitMap64

REGIONS = ["EU", "EU West", "a/b=c", "50%", "ä\"'", None]

JOB = """name = "delta"
[orders]
path = {path}
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
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
    compared = refused = vectors = 0
    for seed in range(seeds):
        with tempfile.TemporaryDirectory(prefix="rfmill-delta-") as folder:
            some = Check(rfmill, Path(folder), random.Random(seed))
            some.case_of_the_folder()
            some.random_table()
            some.deletion_vectors()
            compared, refused, vectors = compared + some.compared, refused + some.refused, vectors + some.vectors
    assert compared > 10 * seeds and refused > 0 and vectors > 0, (compared, refused, vectors)
    print(f"{compared} versions of {3 * seeds} tables agree, {vectors} of them with deletion vectors; {refused} vacuumed versions are refused.")
    return 0


class Check:
    def __init__(self, rfmill: Path, home: Path, rng: random.Random):
        self.rfmill, self.home, self.rng = rfmill, home, rng
        self.compared = self.refused = self.vectors = 0
        self.orders = 0

    def rows(self, count: int, further: bool = False) -> pa.Table:
        """Orders with nulls, of all types that a job reads."""
        rng = self.rng
        ids = range(self.orders, self.orders + count)
        self.orders += count
        zoned = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(200 * 86400)) for _ in ids]
        columns = {
            "order_id": pa.array(ids, pa.int64()),
            "customer_id": pa.array([None if rng.random() < 0.02 else rng.randrange(40) for _ in ids], pa.int64()),
            "ordered_at": pa.array(zoned, pa.timestamp("us", "UTC")),
            "amount": pa.array([Decimal(rng.randrange(1, 100000)).scaleb(-2) for _ in ids], pa.decimal128(12, 2)),
            "region": pa.array([rng.choice(REGIONS) for _ in ids], pa.string()),
            "day": pa.array([at.date() if rng.random() < 0.9 else None for at in zoned], pa.date32()),
            "status": pa.array([rng.choice(["paid", "void", None]) for _ in ids], pa.string()),
        }
        if further:
            columns["channel"] = pa.array([rng.choice(["web", "shop"]) for _ in ids], pa.string())
        return pa.table(columns)

    def case_of_the_folder(self):
        """An overwrite, a delete and a compaction: the folder holds 230 rows, of which 90 count, worth 900.00."""
        table = self.home / "folder"
        rows = pa.table({
            "order_id": pa.array(range(100), pa.int64()), "customer_id": pa.array([i % 20 for i in range(100)], pa.int64()),
            "ordered_at": pa.array([datetime(2024, 1, 1) + timedelta(days=i) for i in range(100)], pa.timestamp("us")),
            "amount": pa.array([10.0] * 100)})
        write_deltalake(table, rows.slice(0, 50))
        write_deltalake(table, rows.slice(50), mode="append")
        DeltaTable(table).delete("order_id >= 90")
        DeltaTable(table).optimize.compact()
        on_disk = sum(pq.read_metadata(file).num_rows for file in table.glob("*.parquet"))
        assert on_disk == 230, on_disk
        out = self.run("folder", '{ delta = "folder" }')
        ledger = pq.read_table(out / "latest" / "ledger.parquet").to_pylist()
        kept = [(row["row_count"], str(row["amount"])) for row in ledger if row["row_count"]]
        assert sum(count for count, _ in kept) == 90 and sum(float(money) for _, money in kept) == 900.0, ledger
        plain = self.rfmill_fails("plain", '"folder"')
        assert 'orders.path = { delta = "' in plain, plain

    def random_table(self):
        table, rng = self.home / "orders", self.rng
        partitions = rng.choice([[], ["region"], ["day"], ["region", "day"]])
        write_deltalake(table, self.rows(rng.randrange(50, 400)), partition_by=partitions or None)
        has_channel = False
        for _ in range(10):
            delta = DeltaTable(table)
            match rng.randrange(8):
                case 0 | 1:
                    has_channel = has_channel or rng.random() < 0.3
                    write_deltalake(table, self.rows(rng.randrange(1, 200), has_channel), mode="append", schema_mode="merge")
                case 2:
                    delta.delete(f"order_id % {rng.randrange(2, 9)} = 0")
                case 3:
                    delta.delete("region = 'EU West'")
                case 4:
                    delta.update(predicate="status is null", updates={"status": "'paid'", "amount": "amount + 1"})
                case 5:
                    delta.optimize.compact()
                case 6:
                    delta.create_checkpoint()
                case 7:
                    write_deltalake(table, self.rows(rng.randrange(1, 200), has_channel), mode="overwrite", schema_mode="merge")
        newest = DeltaTable(table).version()
        keys = 'keep = [{ column = "status", in = ["paid"] }]' if rng.random() < 0.5 else 'slice = "region"'
        for version in range(newest + 1):
            self.compare(table, version, self.read(table, version), keys)
        self.compare(table, None, self.read(table, newest), keys)
        # Without the files of older versions, only versions that do without them are read.
        DeltaTable(table).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
        there = lambda version: all(os.path.exists(file) or os.path.exists(unquote(file)) for file in DeltaTable(table, version=version).file_uris())
        for version in range(newest + 1):
            if not there(version):
                said = self.rfmill_fails("gone", f'{{ delta = "orders", version = {version} }}')
                assert "which is gone; restore it, or name a version whose files are still there" in said, said
                self.refused += 1
        self.compare(table, None, self.read(table, newest), keys)

    def read(self, table: Path, version: int) -> pa.Table:
        return pa.table(DeltaTable(table, version=version).to_pyarrow_table())

    def deletion_vectors(self):
        """Commits with deletion vectors onto a table of several files and row groups."""
        table, rng = self.home / "vectors", self.rng
        files = {}
        for _ in range(3):
            write_deltalake(table, self.rows(rng.randrange(500, 3000)), mode="append")
        delta = DeltaTable(table)
        schema = delta.schema().to_json()
        # Row groups of a few rows, as writers of Delta have for long columns.
        adds = {}
        for file in sorted(table.glob("*.parquet")):
            rows = pq.read_table(file)
            pq.write_table(rows, file, row_group_size=rng.choice([100, 700, 5000]))
            files[file.name] = rows
            adds[file.name] = {"path": file.name, "partitionValues": {}, "size": file.stat().st_size, "modificationTime": 0, "dataChange": True}
        version = delta.version()
        features = ["deletionVectors", "timestampNtz"]
        protocol = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": features}
        metadata = {"id": str(uuid.UUID(int=7)), "format": {"provider": "parquet", "options": {}}, "schemaString": schema,
                    "partitionColumns": [], "configuration": {"delta.enableDeletionVectors": "true"}, "createdTime": 0}
        # The same files again, of another size.
        lines = [{"protocol": protocol}, {"metaData": metadata}] + [{"remove": {"path": name, "deletionTimestamp": 1, "dataChange": True}} for name in adds]
        self.commit(table, version + 1, lines[:2] + lines[2:])
        self.commit(table, version + 2, [{"add": add} for add in adds.values()])
        version += 2
        deleted = {name: BitMap64() for name in adds}
        current = {name: None for name in adds}
        for _ in range(4):
            version += 1
            actions, in_file = [], bytearray(b"\x01")
            kind = rng.choice("iup")
            name_of_file = uuid.UUID(int=rng.getrandbits(128))
            prefix = rng.choice(["", "dv"])
            path = table / prefix / f"deletion_vector_{name_of_file}.bin"
            for name, rows in files.items():
                if rng.random() < 0.3:
                    continue
                more = BitMap64(deleted[name])
                match rng.randrange(3):
                    case 0:
                        more |= BitMap64(rng.sample(range(rows.num_rows), rows.num_rows // 10))
                    case 1:
                        start = rng.randrange(rows.num_rows)
                        more |= BitMap64(range(start, min(start + 400, rows.num_rows)))
                    case 2:
                        more |= BitMap64([0, rows.num_rows - 1])
                # A commit may not remove and add one file under one vector.
                if more == deleted[name]:
                    continue
                more.run_optimize() if rng.random() < 0.5 else None
                vector, in_file = encode(more, kind, name_of_file, prefix, path, in_file)
                actions.append({"remove": {"path": name, "deletionTimestamp": 1, "dataChange": True} | ({"deletionVector": current[name]} if current[name] else {})})
                actions.append({"add": adds[name] | {"deletionVector": vector}})
                deleted[name], current[name] = more, vector
            if kind != "i":
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(in_file)
            self.commit(table, version, actions)
            left = [rows.filter(pa.array([row not in deleted[name] for row in range(rows.num_rows)])) for name, rows in files.items()]
            for keys in ['slice = "region"', 'dedupe = "rows"', 'latest = { key = ["customer_id", "day"], by = "order_id" }']:
                self.compare(table, None if rng.random() < 0.5 else version, pa.concat_tables(left), keys)
            self.vectors += 3
        # deltalake reads them as well, which holds this file's encoding against another's decoding.
        theirs = pa.table(QueryBuilder().register("t", DeltaTable(table)).execute("SELECT order_id FROM t").read_all()).column(0)
        ours = pa.concat_tables(left).column("order_id")
        assert sorted(theirs.to_pylist()) == sorted(ours.to_pylist())

    def commit(self, table: Path, version: int, actions: list):
        (table / "_delta_log" / f"{version:020}.json").write_text("".join(json.dumps(action) + "\n" for action in actions))

    def compare(self, table: Path, version: int | None, rows: pa.Table, keys: str):
        """Runs on a version of a table and on a plain file of its rows."""
        of_version = "" if version is None else f", version = {version}"
        if rows.num_rows == 0:
            return
        pq.write_table(rows, self.home / "plain.parquet", row_group_size=self.rng.choice([64, 100000]))
        plain = self.run("plain", '"plain.parquet"', keys)
        delta = self.run("delta", f'{{ delta = "{table.name}"{of_version} }}', keys)
        for name in ["customers", "segments", "transitions"]:
            for file in sorted((plain / "latest").glob(f"{name}*/**/*.parquet")) + sorted((plain / "latest").glob(f"{name}*.parquet")):
                other = delta / "latest" / file.relative_to(plain / "latest")
                assert pq.read_table(file).equals(pq.read_table(other)), (table, version, file)
        assert outcomes(plain) == outcomes(delta), (table, version)
        manifest = json.loads((delta / "latest" / "manifest.json").read_text())
        wanted = DeltaTable(table).version() if version is None else version
        assert {entry["lake_table"]["version"] for entry in manifest["inputs"]} == {wanted}
        assert sum(entry["rows"] for entry in manifest["inputs"]) == rows.num_rows
        self.compared += 1

    def run(self, name: str, path: str, keys: str = "") -> Path:
        out = self.home / f"out-{name}"
        shutil.rmtree(out, ignore_errors=True)
        ran = self.call(name, path, keys)
        assert ran.returncode == 0, (path, keys, ran.stderr)
        return out

    def rfmill_fails(self, name: str, path: str) -> str:
        ran = self.call(name, path, "")
        assert ran.returncode == 4, (ran.returncode, ran.stderr)
        return ran.stderr

    def call(self, name: str, path: str, keys: str):
        job = self.home / f"{name}.toml"
        job.write_text(JOB.format(path=path, keys=keys, out=f"out-{name}"))
        return subprocess.run([self.rfmill, "run", job, "--quiet"], capture_output=True, text=True, check=False)


def outcomes(out: Path) -> dict:
    """Rows and money by outcome, whatever the files."""
    sums = defaultdict(lambda: [0, 0])
    for row in pq.read_table(out / "latest" / "ledger.parquet").to_pylist():
        sums[row["outcome"]][0] += row["row_count"]
        sums[row["outcome"]][1] += row["amount"] or 0
    return {outcome: both for outcome, both in sums.items() if both[0]}


ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def base85(data: bytes) -> str:
    """Z85: four bytes are five characters; zeros fill up."""
    text = ""
    for at in range(0, len(data), 4):
        number, block = int.from_bytes(data[at:at + 4].ljust(4, b"\0"), "big"), ""
        for _ in range(5):
            number, digit = divmod(number, 85)
            block = ALPHABET[digit] + block
        text += block
    return text


def encode(rows: BitMap64, kind: str, name: uuid.UUID, prefix: str, path: Path, file: bytearray) -> tuple[dict, bytearray]:
    """A deletion vector as the log has it, and the file with it."""
    data = (1681511377).to_bytes(4, "little") + rows.serialize()
    vector = {"storageType": kind, "sizeInBytes": len(data), "cardinality": len(rows)}
    if kind == "i":
        return vector | {"pathOrInlineDv": base85(data)}, file
    vector["offset"] = len(file)
    vector["pathOrInlineDv"] = prefix + base85(name.bytes) if kind == "u" else path.as_uri()
    return vector, file + len(data).to_bytes(4, "big") + data + zlib.crc32(data).to_bytes(4, "big")


if __name__ == "__main__":
    sys.exit(main())
