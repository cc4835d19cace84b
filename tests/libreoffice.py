"""Open a workbook in LibreOffice and hold its sheets against the Parquet tables.

    python tests/libreoffice.py PATH_TO_RFMILL

Needs LibreOffice Calc (Debian package `libreoffice-calc-nogui`) and pyarrow. LibreOffice loads `workbook.xlsx` without a
window, so that a file in need of repair fails, and writes every sheet as CSV. The sheets of tables must have the tables' rows
and the sums of their columns of counts and money.
"""

import csv
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

TABLES = ["segments", "transitions", "growth", "cohorts", "concentration", "ledger"]
# Every sheet of a workbook, fields as they are: character set 76 is UTF-8, -1 is all sheets.
FILTER = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"


def main() -> int:
    rfmill = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        run([rfmill, "quickstart", home / "q", "--orders", "50000", "--quiet"])
        job = home / "q" / "quickstart.toml"
        job.write_text(job.read_text().replace("[output]", '[output]\nreport = ["xlsx"]', 1))
        run([rfmill, "run", job, "--output", home / "out", "--quiet"])
        latest = home / "out" / "latest"
        profile = f"-env:UserInstallation=file://{home}/profile"
        run(["soffice", profile, "--headless", "--convert-to", FILTER, "--outdir", home, latest / "report" / "workbook.xlsx"])
        for table in TABLES:
            compare(table, home / f"workbook-{table}.csv", pq.read_table(latest / f"{table}.parquet"))
    print(f"LibreOffice reads the rows and sums of {len(TABLES)} tables.")
    return 0


def compare(table: str, sheet: Path, wanted: pa.Table) -> None:
    with sheet.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == wanted.num_rows > 0, f"{table}: {len(rows)} rows in the sheet, {wanted.num_rows} in the table"
    for field in wanted.schema:
        if field.name not in rows[0] or not (pa.types.is_integer(field.type) or pa.types.is_decimal(field.type)):
            continue
        got = sum(Decimal(row[field.name]) for row in rows if row[field.name])
        want = pc.sum(wanted[field.name].cast(pa.decimal128(38, 6))).as_py() or Decimal(0)
        # A cell is a double, which has 15 digits for sure.
        assert abs(got - want) <= abs(want) * Decimal("1e-12") * len(rows), f"{table}.{field.name}: {got} in the sheet, {want}"


def run(command: list) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


if __name__ == "__main__":
    sys.exit(main())
