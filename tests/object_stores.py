"""Inputs and outputs in real servers of object stores: the same tables as on a disk, and commits that nothing can mix or lose.

    python tests/object_stores.py PATH/TO/rfmill [--azurite PATH/TO/azurite-blob] [--kills 10] [--drops 10] [--seed 1]

moto serves Amazon's protocol, Azurite (if its program is named) Azure's; both on ports of this machine. `--kills` runs are killed at
random moments and run again; of `--drops` runs a proxy drops the answer to one write, half of them the answer to the commit. A
reader polls all the while.
"""

import argparse
import hashlib
import http.client
import http.server
import json
import os
import random
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date, timedelta
from pathlib import Path

import boto3
import duckdb
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from postgres_server import Server as PostgresServer
from postgres_server import find_programs

JOB = """name = "shop"

[orders]
path = "{orders}"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
order_id = "order_id"

[periods]
compare = ["1 month"]
as_of = [2023-12-31]

[output]
path = "{output}"
{more}
"""
# The account that Azurite documents.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
BUCKET = "shop"
PASSWORD = "loads-and-is-not-shown"
FIRST = date(2023, 3, 1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A store that runs until the end of a `with` block."""

    def __init__(self, command: list[str]):
        self.port = free_port()
        command = [str(self.port) if part == "PORT" else part for part in command]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"nothing listens on port {self.port}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Amazon(Server):
    name, place = "moto (S3)", f"s3://{BUCKET}/"

    def __init__(self):
        super().__init__([str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", "PORT"])
        url = f"http://127.0.0.1:{self.port}"
        self.client = boto3.client("s3", endpoint_url=url, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1")
        self.client.create_bucket(Bucket=BUCKET)

    def env(self, port: int) -> dict[str, str]:
        url = f"http://127.0.0.1:{port}"
        return {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=content)

    def get(self, key: str) -> bytes | None:
        try:
            return self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None

    def sizes(self, prefix: str) -> dict[str, int]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {found["Key"]: found["Size"] for page in pages for found in page.get("Contents", [])}


class Azure(Server):
    name, place = "Azurite (Azure)", f"az://{BUCKET}/"

    def __init__(self, program: str):
        options = ["--inMemoryPersistence", "--disableTelemetry", "--silent", "--skipApiVersionCheck"]
        super().__init__([program, *options, "--blobHost", "127.0.0.1", "--blobPort", "PORT"])
        url = f"http://127.0.0.1:{self.port}/{ACCOUNT}"
        self.container = BlobServiceClient(url, credential={"account_name": ACCOUNT, "account_key": KEY}).create_container(BUCKET)

    def env(self, port: int) -> dict[str, str]:
        url = f"http://127.0.0.1:{port}/{ACCOUNT}"
        return {"AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": KEY, "AZURE_STORAGE_ENDPOINT": url}

    def put(self, key: str, content: bytes) -> None:
        self.container.upload_blob(key, content)

    def get(self, key: str) -> bytes | None:
        try:
            return self.container.download_blob(key).readall()
        except ResourceNotFoundError:
            return None

    def sizes(self, prefix: str) -> dict[str, int]:
        return {blob.name: blob.size for blob in self.container.list_blobs(prefix)}


class Proxy(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Hands requests to a store; drops the answer to the write that `is_lost` chooses, once, or calls it a failure."""

    daemon_threads = True

    def __init__(self, port: int):
        super().__init__(("127.0.0.1", 0), Handler)
        self.store, self.is_lost, self.closes, self.lost, self.lock = port, None, True, 0, threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_) -> None:
        """Connections that killed runs leave are no news."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        pass

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        store = http.client.HTTPConnection("127.0.0.1", self.server.store)
        # The signature covers the headers as they are, the host among them.
        store.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            store.putheader(name, value)
        store.endheaders(body)
        answer = store.getresponse()
        data = answer.read()
        store.close()
        with self.server.lock:
            choose = self.server.is_lost
            is_lost = bool(choose and self.command == "PUT" and answer.status in (200, 201) and choose(self.path))
            if is_lost:
                self.server.is_lost, self.server.lost = None, self.server.lost + 1
        if is_lost and self.server.closes:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(500 if is_lost else answer.status)
        for name, value in [] if is_lost else answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection", "server", "date"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", "0" if is_lost else length or "0")
        self.end_headers()
        if not is_lost and self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on


def command(rfmill: Path, home: Path, env: dict[str, str], *arguments: str) -> subprocess.Popen:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AZURE_", "GOOGLE_"))}
    return subprocess.Popen([rfmill, *arguments], cwd=home, env=clean | env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def succeeds(rfmill: Path, home: Path, env: dict[str, str], *arguments: str) -> str:
    ran = command(rfmill, home, env, *arguments)
    out, err = ran.communicate()
    assert ran.returncode == 0, f"{arguments}: exit {ran.returncode}: {out}{err}"
    assert KEY not in out + err and PASSWORD not in out + err
    return out + err


def write_job(home: Path, orders: str, output: str, more: str = "") -> None:
    home.mkdir(exist_ok=True)
    (home / "job.toml").write_text(JOB.format(orders=orders, output=output, more=more))


def tables(manifest: bytes) -> list:
    """The tables of a run with their hashes; the ledger names files as the job does."""
    return [table for table in json.loads(manifest)["tables"] if table["name"] != "ledger"]


def same_tables(rfmill: Path, store: Server, home: Path, orders: list[Path]) -> None:
    """Orders and output in the store give the tables of a disk."""
    write_job(home / "disk", f"{home}/orders", "out")
    succeeds(rfmill, home / "disk", {}, "run", "job.toml", "-q")
    expected = tables((home / "disk/out/latest/manifest.json").read_bytes())
    assert len(expected) > 5
    for file in orders:
        store.put(f"data/orders/{file.name}", file.read_bytes())
    here = home / "same"
    write_job(here, f"{store.place}data/orders", f"{store.place}same")
    succeeds(rfmill, here, store.env(store.port), "run", "job.toml", "-q")
    latest = json.loads(store.get("same/latest.json"))
    manifest = latest["latest"]["folder"].removeprefix(store.place) + "/manifest.json"
    assert tables(store.get(manifest)) == expected
    succeeds(rfmill, here, store.env(store.port), "verify", f"{store.place}same")
    print(f"{store.name}: the same tables as on a disk", flush=True)


def same_rows(rfmill: Path, store: Server, home: Path) -> None:
    """After three nights in the store and on a disk, DuckDB reads the same rows by their views, and PostgreSQL after their loads."""
    here, env = home / "read", store.env(store.port)
    place = f"{store.place}read"
    write_job(here, f"{home}/orders", "out")
    for night in ("2023-06-30", "2023-09-30", "2023-12-31"):
        for output in ("out", place):
            succeeds(rfmill, here, env, "run", "job.toml", "-q", "--as-of", night, "--output", output)
    for key in store.sizes("read/"):
        copy = here / "copy" / key
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(store.get(key))
    of_disk = duckdb_rows(succeeds(rfmill, here, {}, "schema", "--tables", "job.toml", "--format", "duckdb"))
    views = (here / "copy/read/views.sql").read_text()
    assert len(of_disk) > 15 and duckdb_rows(views.replace(store.place, f"{here}/copy/")) == of_disk
    print(f"{store.name}: views.sql gives the rows of tables/ in {len(of_disk)} views", flush=True)
    if find_programs() is None:
        print("PostgreSQL is not installed, so nothing was loaded")
        return
    database = PostgresServer(home / "postgres")
    try:
        database.psql(f"CREATE ROLE loader LOGIN PASSWORD '{PASSWORD}'")
        loaded = {}
        for name, output in (("disk", "out"), ("store", place)):
            database.psql(f"CREATE DATABASE {name} OWNER loader")
            url = f"postgres://loader@127.0.0.1:{database.port}/{name}"
            succeeds(rfmill, here, env | {"PGPASSWORD": PASSWORD, "HOME": str(here)}, "load", output, "--to", url, "-q")
            tables = [row[0] for row in database.rows("SELECT DISTINCT table_name FROM rfmill.rfmill_load ORDER BY 1", name)]
            count = "SELECT count(*), coalesce(sum(hashtext(t::text)::bigint), 0) FROM rfmill.{} AS t"
            loaded[name] = {table: database.rows(count.format(table), name) for table in tables}
        assert len(loaded["disk"]) > 10 and loaded["store"] == loaded["disk"]
        print(f"{store.name}: loads of both fill {len(loaded['disk'])} tables of PostgreSQL with the same rows", flush=True)
    finally:
        database.stop()


def duckdb_rows(sql: str) -> dict[str, tuple]:
    """The columns, types and rows of every view."""
    connection = duckdb.connect()
    connection.execute(sql)
    rows = {}
    for (view,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1").fetchall():
        columns = sorted(column[0] for column in connection.execute(f'SELECT * FROM "{view}" LIMIT 0').description)
        listed = ", ".join(f'"{column}"' for column in columns)
        found = connection.execute(f'SELECT {listed} FROM "{view}"')
        types = [str(column[1]) for column in found.description]
        rows[view] = (columns, types, sorted(map(str, found.fetchall())))
    return rows


class Reader(threading.Thread):
    """Polls the last record and all it names. A view with a file that is gone or another is mixed, unless two commits came
    meanwhile, behind which files of the first may go."""

    def __init__(self, store: Server):
        super().__init__(daemon=True)
        self.store, self.ends, self.polls, self.views, self.mixed = store, threading.Event(), 0, set(), []
        self.random, self.failure = random.Random(0), None

    def last(self) -> int:
        keys = self.store.sizes("out/commits/")
        return int(max(keys).rsplit("/", 1)[1].split(".")[0]) if keys else 0

    def record(self, number: int) -> dict:
        return json.loads(self.store.get(f"out/commits/{number:08}.json"))

    def look(self) -> None:
        number = self.last()
        if number == 0:
            return
        placed = self.record(number)["placed"]
        files = [file for date in placed["dates"].values() for of_table in date.values() for file in of_table]
        files += placed["dimensions"].values()
        sizes = self.store.sizes("out/runs/") | self.store.sizes("out/made/")
        wrong = [file["path"] for file in files if sizes.get(f"out/{file['path']}") != file["bytes"]]
        for file in self.random.sample(files, min(5, len(files))):
            content = self.store.get(f"out/{file['path']}")
            if content is None or hashlib.sha256(content).hexdigest() != file["sha256"]:
                wrong.append(file["path"])
        latest = self.store.get("out/latest.json")
        named = [] if latest is None else json.loads(latest)["dates"]
        sizes = self.store.sizes("out/runs/") | self.store.sizes("out/made/")
        for day in named and named.values():
            paths = [name.removeprefix(self.store.place) for of_table in day["tables"].values() for name in of_table]
            wrong += [path for path in paths if path not in sizes]
        if wrong and self.last() < number + 2:
            self.mixed.append((number, wrong[0]))
        self.polls += 1
        self.views.add(number)

    def run(self) -> None:
        while not self.ends.is_set():
            try:
                self.look()
            except Exception as failure:  # noqa: BLE001 - told by the thread that waits for this one
                self.failure = failure
                return


def disturb(rfmill: Path, store: Server, home: Path, kills: int, drops: int, seed: int) -> None:
    """Runs that are killed, and runs whose writes lose their answers, each for a date of its own."""
    chance, proxy, reader = random.Random(seed), Proxy(store.port), Reader(store)
    env, through = store.env(store.port), store.env(proxy.server_address[1])
    here = home / "disturbed"
    write_job(here, f"{store.place}data/orders", f"{store.place}out", 'tables = ["customers", "segments"]\nreport = []')
    run = lambda day, env: command(rfmill, here, env, "run", "job.toml", "-q", "--as-of", str(day))
    succeeds(rfmill, here, env, "run", "job.toml", "-q", "--as-of", str(FIRST))
    reader.start()
    committed = reader.last()
    assert committed == 1
    killed = after = doubled = lost = turn = 0
    spent = 1.0
    while killed < kills or proxy.lost < drops:
        turn += 1
        day = FIRST + timedelta(days=turn)
        if killed < kills:
            first = run(day, env)
            time.sleep(chance.uniform(0, spent))
            first.kill()
            first.communicate()
            if first.returncode < 0:
                killed += 1
                after += reader.last() - committed
            begun = time.monotonic()
            again = run(day, env)
        else:
            is_commit, nth = turn % 2 == 0, chance.randrange(1, 9)
            seen = iter(range(1, 1000))
            proxy.is_lost = (lambda path: "/commits/" in path) if is_commit else (lambda _: next(seen) == nth)
            proxy.closes = chance.random() < 0.5
            again = run(day, through)
        out, err = again.communicate()
        # How long a run takes depends on the reader, and on the dates in view.
        if killed < kills and "already computed" not in err:
            spent = time.monotonic() - begun
        assert again.returncode == 0, f"turn {turn}: exit {again.returncode}: {out}{err}"
        now = reader.last()
        doubled += max(0, now - committed - 1)
        lost += (now == committed) + (str(day) not in reader.record(now)["placed"]["dates"])
        committed = now
    reader.ends.set()
    reader.join()
    if reader.failure:
        raise AssertionError("the reader failed") from reader.failure
    days = {str(FIRST + timedelta(days=day)) for day in range(turn + 1)}
    record = reader.record(committed)
    assert set(record["dates"]) == set(record["placed"]["dates"]) == days, "dates are missing"
    succeeds(rfmill, here, env, "verify", f"{store.place}out")
    print(
        f"{store.name}: {killed} killed runs ({after} after their commit), {proxy.lost} dropped answers, {committed} commits of "
        f"{len(days)} runs: {lost} lost, {doubled} doubled; {reader.polls} polls saw {len(reader.views)} views, {len(reader.mixed)} mixed",
        flush=True,
    )
    assert not reader.mixed and not lost and not doubled, reader.mixed[:3]
    assert len(reader.views) > 1 or turn < 5, "the reader saw one view"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rfmill", type=Path)
    parser.add_argument("--azurite")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--drops", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-azurite", action="store_true", help="leave out moto")
    arguments = parser.parse_args()
    rfmill = arguments.rfmill.resolve()
    starts = [] if arguments.only_azurite else [Amazon]
    starts += [lambda: Azure(arguments.azurite)] if arguments.azurite else []
    for start in starts:
        with tempfile.TemporaryDirectory() as folder, start() as store:
            home = Path(folder)
            sample = [rfmill, "sample", home / "orders", "--orders", "20000", "--customers", "2000", "--files", "5", "-q"]
            subprocess.run([str(part) for part in sample], check=True, stdout=subprocess.DEVNULL)
            same_tables(rfmill, store, home, sorted((home / "orders").iterdir()))
            same_rows(rfmill, store, home)
            disturb(rfmill, store, home, arguments.kills, arguments.drops, arguments.seed)


main()
