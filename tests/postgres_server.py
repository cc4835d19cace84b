"""A PostgreSQL server of our own on loopback: a fresh cluster in a temporary folder, with TLS and password logins.

initdb and postgres refuse to run as root, so root starts them as the user postgres or nobody.
"""

import csv
import io
import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

# Of a name only: a client that asks for 127.0.0.1 with verify-full must be refused.
CERTIFIED_NAME = "localhost"

ACCESS = """
local   all all              trust
host    all loader 127.0.0.1/32 scram-sha-256
host    all reader 127.0.0.1/32 scram-sha-256
hostssl all tlsonly 127.0.0.1/32 scram-sha-256
"""


def find_programs() -> Path | None:
    """The folder of initdb and postgres: on PATH, or where Debian keeps them."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


class Server:
    """A running server; `admin` is its superuser, over the socket in its folder."""

    def __init__(self, folder: Path):
        programs = find_programs()
        if programs is None:
            raise SystemExit("PostgreSQL is not installed; install the package postgresql")
        self.programs, self.folder = programs, folder
        self.user = None
        if os.geteuid() == 0:
            self.user = "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"
        folder.mkdir(mode=0o755)
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(folder, account.pw_uid, account.pw_gid)
            # The user must be able to go there.
            for parent in folder.parents[: len(folder.parents) - 2]:
                parent.chmod(parent.stat().st_mode | 0o011)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = None
        self.run("initdb", "--auth=trust", "--username=admin", "--encoding=UTF8", "--locale=C", "--no-sync", "-D", folder / "data")
        self.make_certificates()
        (folder / "data" / "pg_hba.conf").write_text(ACCESS)
        self.start()

    def run(self, program: str, *arguments: object) -> None:
        command = [str(self.programs / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, **self.identity())
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")

    def identity(self) -> dict[str, object]:
        return {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []} if self.user else {}

    def make_certificates(self) -> None:
        """A certificate authority of our own (ca.pem), and a certificate for CERTIFIED_NAME that it signed."""

        def openssl(*arguments: object) -> None:
            command = ["openssl", *map(str, arguments)]
            subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **self.identity())

        (self.folder / "san").write_text(f"subjectAltName=DNS:{CERTIFIED_NAME}\n")
        new_key = ["-newkey", "rsa:2048", "-nodes"]
        openssl("req", "-x509", *new_key, "-days", 30, "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem")
        openssl("req", *new_key, "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr")
        signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", 30, "-extfile", "san"]
        openssl("x509", "-req", "-in", "server.csr", *signing, "-out", "server.pem")

    def start(self, tls: bool = True) -> None:
        files = [f"ssl_cert_file={self.folder}/server.pem", f"ssl_key_file={self.folder}/server.key"]
        settings = ["listen_addresses=127.0.0.1", "password_encryption=scram-sha-256", f"ssl={'on' if tls else 'off'}", *files]
        command = [str(self.programs / "postgres"), "-D", "data", "-p", str(self.port), "-k", str(self.folder)]
        command += [part for setting in settings for part in ("-c", setting)]
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, **self.identity())
        for _ in range(600):
            if self.process.poll() is not None:
                raise SystemExit(f"the server stopped:\n{(self.folder / 'log').read_text()}")
            if self.psql("SELECT 1", check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise SystemExit("the server does not answer")

    def stop(self, mode: str = "fast") -> None:
        """Stops the server; `immediate` is a crash."""
        if self.process is not None:
            self.run("pg_ctl", "stop", "-D", self.folder / "data", "-m", mode, "-w")
            self.process.wait()
            self.process = None

    def psql(self, sql: str, database: str = "postgres", check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(self.psql_command(database) + ["-c", sql], capture_output=True, text=True)
        if check and done.returncode != 0:
            raise AssertionError(f"{sql}: {done.stderr}")
        return done

    def psql_command(self, database: str) -> list[str]:
        connection = ["-h", str(self.folder), "-p", str(self.port), "-U", "admin", "-d", database]
        return [str(self.programs / "psql"), *connection, "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-q"]

    def rows(self, sql: str, database: str = "shop") -> list[list[str | None]]:
        """The rows of a query as text; None is null."""
        copied = self.psql(f"COPY ({sql}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)", database).stdout
        return [[None if field == "" else field for field in row] for row in csv.reader(io.StringIO(copied))]

    def value(self, sql: str, database: str = "shop") -> str | None:
        return self.rows(sql, database)[0][0]
