"""The dashboard of sql/superset on a real Superset over a real PostgreSQL, as a browser sees it.

    python tests/superset.py PATH/TO/rfmill [PICTURE.png]        (needs benches/requirements.txt, playwright, Chromium, PostgreSQL's server
                                                                  and openssl)

Loads the quickstart's tables, as of four dates, into a PostgreSQL that this script starts, imports the dashboard through Superset's API
and opens it in Chromium. Every chart must ask Superset's API for its data and get rows, and what it gets must be what SQL says of the
loaded tables. Superset lives in a virtual environment beside the others of `.ci/run`, made the first time, which takes minutes.
"""

import io
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

from playwright.sync_api import Page, Response, sync_playwright

from postgres_server import Server

DASHBOARD = Path(__file__).parent.parent / "sql" / "superset"
PACKAGES = ["apache-superset==6.1.0", "flask-caching==2.3.1", "rich", "cachetools", "psycopg2-binary==2.9.13"]
PASSWORD = "only-here"
CONFIG = """
import os
SECRET_KEY = "of a server that lives for a minute, on loopback"
SQLALCHEMY_DATABASE_URI = "sqlite:///" + os.environ["SUPERSET_HOME"] + "/superset.db"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
"""


def main() -> int:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    rfmill = Path(sys.argv[1]).resolve()
    picture = Path(sys.argv[2]) if len(sys.argv) == 3 else None
    programs = make_venv()
    with tempfile.TemporaryDirectory(prefix="rfmill-superset-") as folder:
        home = Path(folder)
        postgres = Server(home / "server")
        try:
            load(rfmill, home, postgres)
            with Superset(programs, home) as superset:
                superset.imports(DASHBOARD, f"postgresql+psycopg2://reader:XXXXXXXXXX@127.0.0.1:{postgres.port}/shop")
                check(superset, postgres, picture)
        finally:
            postgres.stop("immediate")
    print("The dashboard shows what the tables hold.")
    return 0


def make_venv() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "rfmill" / "venv-superset"
    if not (cache / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", cache], check=True)
    subprocess.run([cache / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES], check=True)
    return cache / "bin"


def load(rfmill: Path, home: Path, postgres: Server) -> None:
    """The quickstart's tables as of four dates, read by a user who may only read."""
    call = lambda *arguments: subprocess.run([str(rfmill), *map(str, arguments)], check=True, capture_output=True)  # noqa: E731
    call("quickstart", home / "q", "--orders", "50000")
    for as_of in ("2023-12-31", "2024-06-30", "2024-11-30"):
        call("run", home / "q" / "quickstart.toml", "--as-of", as_of)
    for role in ("loader", "reader"):
        postgres.psql(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    postgres.psql("CREATE DATABASE shop OWNER loader")
    url = f"postgres://loader:{PASSWORD}@127.0.0.1:{postgres.port}/shop"
    call("load", home / "q" / "out", "--to", url)
    postgres.psql("GRANT USAGE ON SCHEMA rfmill TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA rfmill TO reader", "shop")


class Superset:
    """A server on loopback with an administrator."""

    def __init__(self, programs: Path, home: Path):
        self.home = home / "superset"
        self.home.mkdir()
        (self.home / "superset_config.py").write_text(CONFIG)
        self.environment = os.environ | {"SUPERSET_HOME": str(self.home), "SUPERSET_CONFIG_PATH": str(self.home / "superset_config.py"),
                                         "FLASK_APP": "superset"}
        self.program = programs / "superset"
        for arguments in (["db", "upgrade"], ["fab", "create-admin", "--username", "admin", "--firstname", "a", "--lastname", "b",
                                              "--email", "admin@example.org", "--password", PASSWORD], ["init"]):
            done = subprocess.run([self.program, *arguments], env=self.environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr[-3000:]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Superset":
        log = open(self.home / "log", "ab")
        command = [self.program, "run", "--port", str(self.port), "--with-threads"]
        self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        until = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=5)
                break
            except OSError:
                assert self.process.poll() is None and time.monotonic() < until, (self.home / "log").read_text()[-3000:]
                time.sleep(0.5)
        said = self.post("/api/v1/security/login", json.dumps({"username": "admin", "password": PASSWORD, "provider": "db"}).encode())
        self.token = json.loads(said)["access_token"]
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def post(self, path: str, body: bytes, kind: str = "application/json", token: str | None = None) -> bytes:
        request = urllib.request.Request(self.url + path, body, {"Content-Type": kind})
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            return urllib.request.urlopen(request, timeout=120).read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()[:3000]}") from error

    def imports(self, folder: Path, uri: str) -> None:
        """Imports the dashboard, as its own page does with a ZIP file."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as bundle:
            for path in sorted(folder.rglob("*.yaml")):
                text = path.read_text(encoding="utf-8")
                if path.parent.name == "databases":
                    text = "\n".join(f"sqlalchemy_uri: {uri}" if line.startswith("sqlalchemy_uri:") else line for line in text.splitlines())
                bundle.writestr(f"rfmill/{path.relative_to(folder)}", text)
        fields = {"passwords": json.dumps({"databases/rfmill.yaml": PASSWORD}), "overwrite": "true"}
        parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
        parts.append(b'--x\r\nContent-Disposition: form-data; name="formData"; filename="rfmill.zip"\r\nContent-Type: application/zip\r\n\r\n')
        body = b"".join([*parts, archive.getvalue(), b"\r\n--x--\r\n"])
        said = self.post("/api/v1/dashboard/import/", body, "multipart/form-data; boundary=x", self.token)
        assert json.loads(said) == {"message": "OK"}, said


def check(superset: Superset, postgres: Server, picture: Path | None) -> None:
    names = {path.stem for path in (DASHBOARD / "charts").glob("*.yaml")}
    answers = answers_of(superset, len(names), picture)
    by_columns = {tuple(sorted(answer["colnames"])): answer["data"] for answer in answers}

    def rows(sql: str) -> list[list[str | None]]:
        return postgres.rows(sql)

    newest = "as_of = '2024-12-31'"
    segments = next(data for columns, data in by_columns.items() if "action" in columns)
    want = rows(f"SELECT d.label_en, s.customers, s.revenue FROM rfmill.segments s JOIN rfmill.dim_state d USING (scheme, state) "
                f"WHERE s.scheme = 'segment' AND s.dimension = '(all)' AND s.{newest} ORDER BY d.rank")
    got = [[row["label_en"], str(row["customers"]), f"{row['revenue']:.2f}"] for row in segments]
    assert got == want, f"{got}, {want}"
    risk = [data for columns, data in by_columns.items() if "revenue_at_risk" in columns and "as_of" in columns]
    want = rows("SELECT sum(annual_value) FROM rfmill.segments JOIN rfmill.dim_state USING (scheme, state) "
                "WHERE scheme = 'segment' AND dimension = '(all)' AND is_at_risk GROUP BY as_of ORDER BY as_of")
    for data in risk:
        assert [f"{row['revenue_at_risk']:.2f}" for row in data] == [value for (value,) in want], f"{data}, {want}"
    assert risk and len(want) == 4
    moved = next(data for columns, data in by_columns.items() if "from_label_en" in columns)
    want = rows(f"SELECT sum(customers) FROM rfmill.transitions WHERE scheme = 'segment' AND dimension = '(all)' AND {newest} "
                f"AND from_as_of = (SELECT max(from_as_of) FROM rfmill.transitions WHERE {newest})")
    assert sum(row["customers"] for row in moved) == int(want[0][0]), f"{moved}, {want}"
    print(f"{len(answers)} charts of {len(names)} have rows: {', '.join(str(len(answer['data'])) for answer in answers)}")


def answers_of(superset: Superset, charts: int, picture: Path | None) -> list[dict]:
    """What Superset's API gives to the charts of the dashboard while it opens."""
    answers: dict[str, dict] = {}
    problems: list[str] = []

    def seen(response: Response) -> None:
        # The filter asks for its values without a chart.
        chart = re.search(r"/api/v1/chart/data.*slice_id\D+(\d+)", urllib.parse.unquote(response.url))
        if not chart:
            return
        if not response.ok:
            problems.append(f"{response.status}: {response.text()[:2000]}")
            return
        answers[chart[1]] = response.json()["result"][0]

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page: Page = browser.new_page(viewport={"width": 1400, "height": 1800})
        page.on("response", seen)
        page.goto(f"{superset.url}/login/")
        page.fill("input[type=text], #username", "admin")
        page.fill("input[type=password], #password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/login" not in url)
        page.goto(f"{superset.url}/superset/dashboard/rfmill/")
        until = time.monotonic() + 90
        while len(answers) < charts and not problems and time.monotonic() < until:
            page.wait_for_timeout(500)
        names = [yaml_name(path) for path in (DASHBOARD / "charts").glob("*.yaml")]
        missing = [name for name in names if not page.get_by_text(name, exact=True).first.is_visible()]
        if picture:
            page.wait_for_timeout(3000)
            page.screenshot(path=picture, full_page=True)
        browser.close()
    assert not problems, "\n".join(problems)
    assert not missing, f"the page does not show {missing}"
    assert len(answers) == charts, f"{len(answers)} of {charts} charts asked for data"
    empty = [answer["query"] for answer in answers.values() if answer["error"] or not answer["data"]]
    assert not empty, f"charts without rows: {empty}"
    return list(answers.values())


def yaml_name(path: Path) -> str:
    """The name of a chart, whose file begins with it."""
    return path.read_text(encoding="utf-8").splitlines()[0].removeprefix("slice_name: ")


if __name__ == "__main__":
    sys.exit(main())
