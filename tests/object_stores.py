"""Inputs in real servers of object stores, plain files and a Delta table: the same tables as from a disk.

    python tests/object_stores.py PATH/TO/rfmill [PATH/TO/azurite-blob]

moto serves Amazon's protocol, Azurite (if its program is named) Azure's; both on ports of this machine.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
from azure.storage.blob import BlobServiceClient

JOB = """name = "shop"

[orders]
path = {path}
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
order_id = "order_id"

[periods]
compare = ["1 month"]
as_of = [2023-12-31]

[output]
path = "out"
"""
# The account that Azurite documents.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nothing listens on port {port}")


def tables(home: Path) -> list:
    """The tables of the last run with their hashes; the ledger names files as the job does."""
    manifest = json.loads((home / "out/latest/manifest.json").read_text())
    return [table for table in manifest["tables"] if table["name"] != "ledger"]


def run(rfmill: Path, home: Path, place: str, env: dict[str, str]) -> list:
    """The tables of jobs on the folder of orders and on the Delta table in a place."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AZURE_", "GOOGLE_"))}
    both = []
    for name, path in [("folder", f'"{place}orders"'), ("delta", f'{{ delta = "{place}delta" }}')]:
        job = home / name
        job.mkdir(parents=True)
        (job / "job.toml").write_text(JOB.format(path=path))
        ran = subprocess.run([rfmill, "run", "job.toml", "-q"], cwd=job, env=clean | env, capture_output=True, text=True)
        assert ran.returncode == 0, f"{path}: exit {ran.returncode}: {ran.stdout}{ran.stderr}"
        both.append(tables(job))
    assert both[0] != both[1], "the table lacks a file of the folder"
    return both


def write_delta(table: Path, orders: list[Path]) -> None:
    """A Delta table of these files, the first of which the second commit removes."""
    fields = [("customer_id", "long"), ("order_id", "long"), ("ordered_at", "timestamp"), ("amount", "decimal(12,2)")]
    schema = {"type": "struct", "fields": [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in fields]}
    metadata = {"id": "1", "format": {"provider": "parquet", "options": {}}, "schemaString": json.dumps(schema), "partitionColumns": [], "configuration": {}}
    adds = []
    for file in orders:
        copy = table / "day=1 %" / file.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
        path = f"day=1%20%25/{file.name}"
        adds.append({"add": {"path": path, "partitionValues": {}, "size": file.stat().st_size, "modificationTime": 0, "dataChange": True}})
    commits = [
        [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}, {"metaData": metadata}, *adds],
        [{"remove": {"path": adds[0]["add"]["path"], "deletionTimestamp": 1, "dataChange": True}}],
    ]
    for version, actions in enumerate(commits):
        commit = table / "_delta_log" / f"{version:020}.json"
        commit.parent.mkdir(exist_ok=True)
        commit.write_text("".join(json.dumps(action) + "\n" for action in actions))


def files(data: Path) -> list[tuple[str, bytes]]:
    """Everything below a folder, by key."""
    return [(file.relative_to(data).as_posix(), file.read_bytes()) for file in sorted(data.rglob("*")) if file.is_file()]


def on_amazon(rfmill: Path, home: Path, data: Path) -> list:
    port = free_port()
    server = subprocess.Popen([Path(sys.executable).parent / "moto_server", "-H", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        url = f"http://127.0.0.1:{port}"
        client = boto3.client("s3", endpoint_url=url, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1")
        client.create_bucket(Bucket="shop")
        for key, content in files(data):
            client.put_object(Bucket="shop", Key=f"data/{key}", Body=content)
        env = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}
        return run(rfmill, home / "amazon", "s3://shop/data/", env)
    finally:
        server.terminate()
        server.wait()


def on_azure(rfmill: Path, azurite: Path, home: Path, data: Path) -> list:
    port = free_port()
    server = subprocess.Popen(
        [azurite, "--inMemoryPersistence", "--disableTelemetry", "--silent", "--skipApiVersionCheck", "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    )
    try:
        wait_for(port)
        url = f"http://127.0.0.1:{port}/{ACCOUNT}"
        client = BlobServiceClient(url, credential={"account_name": ACCOUNT, "account_key": KEY})
        container = client.create_container("shop")
        for key, content in files(data):
            container.upload_blob(f"data/{key}", content)
        env = {"AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": KEY, "AZURE_STORAGE_ENDPOINT": url}
        return run(rfmill, home / "azure", "az://shop/data/", env)
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    rfmill = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        data = home / "data"
        sample = [rfmill, "sample", data / "orders", "--orders", "200000", "--customers", "20000", "--files", "5", "-q"]
        subprocess.run([str(part) for part in sample], check=True, stdout=subprocess.DEVNULL)
        write_delta(data / "delta", sorted((data / "orders").iterdir()))
        expected = run(rfmill, home / "disk", f"{data}/", {})
        assert all(len(tables) > 5 for tables in expected)
        assert on_amazon(rfmill, home, data) == expected
        print("moto (S3): the same tables as from a disk")
        if len(sys.argv) > 2:
            assert on_azure(rfmill, Path(sys.argv[2]), home, data) == expected
            print("Azurite (Azure): the same tables as from a disk")


main()
