"""Open a workbook in LibreOffice and in openpyxl, and hold its sheets against the Parquet tables.

    python tests/libreoffice.py PATH_TO_RFMILL

Needs LibreOffice Calc (Debian package `libreoffice-calc-nogui`), openpyxl, pypdf and pyarrow. LibreOffice loads `workbook.xlsx` without a
window, so that a file in need of repair fails, and writes every sheet as CSV. The sheets of tables must have the tables' rows
and the sums of their columns of counts and money. Printed, no sheet shows "###", in English and in Chinese.
openpyxl finds a table of Excel's own with a filter in every sheet of a table, heads that people read, and numbers and dates that
are some.
"""

import csv
import datetime
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pypdf

TABLES = ["segments", "transitions", "growth", "cohorts", "concentration", "ledger"]
# Every sheet of a workbook, fields as they are: character set 76 is UTF-8, -1 is all sheets.
FILTER = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"


def main() -> int:
    rfmill = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        run([rfmill, "quickstart", home / "q", "--orders", "50000", "--quiet"])
        job = home / "q" / "quickstart.toml"
        for language in ("en", "zh-Hans"):
            run([rfmill, "run", job, "--output", home / language, "--set", f'output.language="{language}"',
                 "--set", 'output.report=["xlsx"]', "--quiet"])
            latest = home / language / "latest"
            book = latest / "report" / "workbook.xlsx"
            sheets, names = check_tables(book, latest)
            pages = printed(home, book)
            assert len(pages) > 10 and not any("###" in page for page in pages), "numbers wider than their column"
            convert(home, book, home / f"{language}-plain", FILTER)
            for table in TABLES:
                sheet = sheets[table]
                compare(names[sheet], home / f"{language}-plain" / f"workbook-{sheet}.csv", pq.read_table(latest / f"{table}.parquet"))
        check_the_check(home)
    print(f"LibreOffice and openpyxl read the rows and sums of {len(TABLES)} tables.")
    return 0


def convert(home: Path, book: Path, folder: Path, to: str) -> None:
    profile = f"-env:UserInstallation=file://{home}/profile"
    run(["soffice", profile, "--headless", "--convert-to", to, "--outdir", folder, book])


def printed(home: Path, book: Path) -> list[str]:
    convert(home, book, home / "printed", "pdf")
    return [page.extract_text() for page in pypdf.PdfReader(home / "printed" / f"{book.stem}.pdf").pages]


def check_the_check(home: Path) -> None:
    """LibreOffice prints "###" where a column is too narrow."""
    book = openpyxl.Workbook()
    book.active["A1"], book.active.column_dimensions["A"].width = 123_456_789.25, 4
    book.active["A1"].number_format = "#,##0.00"
    book.save(home / "narrow.xlsx")
    assert "###" in printed(home, home / "narrow.xlsx")[0]


def check_tables(path: Path, latest: Path) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The sheet of each table that has rows, and the heads of each sheet by the column of the table."""
    book = openpyxl.load_workbook(path)
    meanings = next(sheet for sheet in book.worksheets if "rfmill_columns" in sheet.tables)
    names: dict[str, dict[str, str]] = {}
    for sheet, head, column, meaning in meanings.iter_rows(min_row=2, values_only=True):
        assert meaning and meaning.endswith("."), f"{sheet}, {column}: {meaning}"
        names.setdefault(sheet, {})[column] = head
    sheets = {}
    # The first and the last are texts.
    for sheet in book.worksheets[1:-1]:
        heads = [cell.value for cell in sheet[1]]
        assert len({head.lower() for head in heads}) == len(heads) and not any("_" in head for head in heads), f"{sheet.title}: {heads}"
        if sheet.max_row == 1:
            continue
        (table,) = sheet.tables.values()
        sheets[table.name.removeprefix("rfmill_")] = sheet.title
        assert table.ref == table.autoFilter.ref == sheet.dimensions, f"{sheet.title}: {table.ref}, {sheet.dimensions}"
        assert [column.name for column in table.tableColumns] == heads
    segments = book[sheets["segments"]]
    columns = names[segments.title]
    for row in segments.iter_rows(min_row=2, values_only=True):
        values = dict(zip((cell.value for cell in segments[1]), row, strict=True))
        assert isinstance(values[columns["as_of"]], datetime.datetime)
        assert isinstance(values[columns["customers"]], int) and isinstance(values[columns["revenue"]], (int, float))
    assert columns.keys() == set(pq.read_schema(latest / "segments.parquet").names)
    return sheets, names


def compare(names: dict[str, str], sheet: Path, wanted: pa.Table) -> None:
    with sheet.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == wanted.num_rows > 0, f"{sheet.name}: {len(rows)} rows in the sheet, {wanted.num_rows} in the table"
    summed = 0
    for field in wanted.schema:
        if not (pa.types.is_integer(field.type) or pa.types.is_decimal(field.type)):
            continue
        summed += 1
        got = sum(Decimal(row[names[field.name]]) for row in rows if row[names[field.name]])
        want = pc.sum(wanted[field.name].cast(pa.decimal128(38, 6))).as_py() or Decimal(0)
        # A cell is a double, which has 15 digits for sure.
        assert abs(got - want) <= abs(want) * Decimal("1e-12") * len(rows), f"{sheet.name}, {field.name}: {got} in the sheet, {want}"
    assert summed > 0, f"{sheet.name} has no numbers"


def run(command: list) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


if __name__ == "__main__":
    sys.exit(main())
