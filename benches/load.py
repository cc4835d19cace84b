"""Time `rfmill load`: the customers of TPC-H orders at one as-of date, into a fresh PostgreSQL on loopback.

    python benches/load.py --rfmill PATH --data FOLDER

FOLDER holds the order files that make_data.py wrote. Loads twice: the first load creates everything, the second replaces the
same as-of date. Needs PostgreSQL's server and openssl, as tests/postgres.py does. Prints rows, bytes and seconds.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from postgres_server import Server  # noqa: E402


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rfmill", type=Path, required=True)
    arguments.add_argument("--data", type=Path, required=True)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        run(options, home, "run", HERE / "nightly.toml", "--set", f"orders.path='{options.data.resolve()}/*.parquet'", "--output", home / "out")
        server = Server(home / "server")
        try:
            server.psql("CREATE DATABASE shop")
            server.psql("CREATE ROLE loader LOGIN PASSWORD 'secret'")
            server.psql("GRANT ALL ON DATABASE shop TO loader")
            for turn in ("first load", "repeated"):
                began = time.perf_counter()
                url = f"postgres://loader@127.0.0.1:{server.port}/shop"
                run(options, home, "load", home / "out", "--to", url)
                seconds = time.perf_counter() - began
                print(f"{turn}: {seconds:.1f} s")
            schema = server.value("SELECT schemaname FROM pg_tables WHERE tablename = 'customers'")
            rows = server.value(f"SELECT count(*) FROM {schema}.customers")
            size = server.value(f"SELECT pg_size_pretty(pg_total_relation_size('{schema}.customers'))")
            print(f"{rows} customers, {size} with indexes")
        finally:
            server.stop()
    return 0


def run(options: argparse.Namespace, home: Path, *command: object) -> None:
    environment = {**os.environ, "PGPASSWORD": "secret"}
    call = [str(options.rfmill.resolve()), *map(str, command), "--quiet"]
    done = subprocess.run(call, cwd=home, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"{' '.join(call)}:\n{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
