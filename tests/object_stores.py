"""Inputs in real servers of object stores: the same tables as from a disk.

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
path = "{place}orders"
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
    home.mkdir()
    (home / "job.toml").write_text(JOB.format(place=place))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AZURE_", "GOOGLE_"))}
    ran = subprocess.run([rfmill, "run", "job.toml", "-q"], cwd=home, env=clean | env, capture_output=True, text=True)
    assert ran.returncode == 0, f"{place}: exit {ran.returncode}: {ran.stdout}{ran.stderr}"
    return tables(home)


def on_amazon(rfmill: Path, home: Path, orders: list[Path]) -> list:
    port = free_port()
    server = subprocess.Popen([Path(sys.executable).parent / "moto_server", "-H", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        url = f"http://127.0.0.1:{port}"
        client = boto3.client("s3", endpoint_url=url, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1")
        client.create_bucket(Bucket="shop")
        for file in orders:
            client.upload_file(str(file), "shop", f"data/orders/{file.name}")
        env = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}
        return run(rfmill, home / "amazon", "s3://shop/data/", env)
    finally:
        server.terminate()
        server.wait()


def on_azure(rfmill: Path, azurite: Path, home: Path, orders: list[Path]) -> list:
    port = free_port()
    server = subprocess.Popen(
        [azurite, "--inMemoryPersistence", "--disableTelemetry", "--silent", "--skipApiVersionCheck", "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    )
    try:
        wait_for(port)
        url = f"http://127.0.0.1:{port}/{ACCOUNT}"
        client = BlobServiceClient(url, credential={"account_name": ACCOUNT, "account_key": KEY})
        container = client.create_container("shop")
        for file in orders:
            container.upload_blob(f"data/orders/{file.name}", file.read_bytes())
        env = {"AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": KEY, "AZURE_STORAGE_ENDPOINT": url}
        return run(rfmill, home / "azure", "az://shop/data/", env)
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    rfmill = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        sample = [rfmill, "sample", home / "orders", "--orders", "200000", "--customers", "20000", "--files", "5", "-q"]
        subprocess.run([str(part) for part in sample], check=True, stdout=subprocess.DEVNULL)
        orders = sorted((home / "orders").iterdir())
        expected = run(rfmill, home / "disk", f"{home}/", {})
        assert len(expected) > 5
        assert on_amazon(rfmill, home, orders) == expected
        print("moto (S3): the same tables as from a disk")
        if len(sys.argv) > 2:
            assert on_azure(rfmill, Path(sys.argv[2]), home, orders) == expected
            print("Azurite (Azure): the same tables as from a disk")


main()
