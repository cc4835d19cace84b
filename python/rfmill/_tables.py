"""The tables of an output."""

from __future__ import annotations

import datetime
import difflib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import IO, Any

from ._error import Error
from ._program import PathLike, call, program


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    type: str
    """The SQL type."""
    description: str


def tables(output: PathLike) -> Tables:
    """The tables of an output folder, or of an output in an object store, over all of its as-of dates.

    They are those of its last commit, and stay so: what is committed later is seen by calling this again. They can be read until the
    second commit after theirs.

    Raises `rfmill.Error` if the place is no output, or nothing is committed there.
    """
    return Tables(os.fspath(output), call(["tables", os.fspath(output)], verbose=False))


class Tables(Mapping[str, "Table"]):
    """The tables of one commit, by name."""

    def __init__(self, output: str, document: Mapping[str, Any]) -> None:
        self.output = output
        self.commit: int = document["commit"]
        self.job_name: str = document["job_name"]
        self.as_of = tuple(datetime.date.fromisoformat(date) for date in document["as_of"])
        self._tables = {table["name"]: Table(output, self.commit, table) for table in document["tables"]}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tables."""
        return tuple(self._tables)

    def __getitem__(self, name: str) -> Table:
        if name in self._tables:
            return self._tables[name]
        near = difflib.get_close_matches(name, self._tables, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise KeyError(f"{self.output} has no table {name!r}{hint} (its tables are {', '.join(self._tables)})")

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __repr__(self) -> str:
        return f"<rfmill.Tables of {self.output}, commit {self.commit}: {', '.join(self._tables)}>"


class Table:
    """A table of an output, over all of its as-of dates. It is an Arrow stream, which can be read any number of times."""

    def __init__(self, output: str, commit: int, table: Mapping[str, Any]) -> None:
        self._output = output
        self._commit = commit
        self.name: str = table["name"]
        self.one_row_per: str = table["one_row_per"]
        self.rows: int = table["rows"]
        self.columns = tuple(Column(column["name"], column["type"], column["description"]) for column in table["columns"])

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows, as an Arrow C stream. Every call reads the files anew."""
        arguments = ["tables", self._output, self.name, "--commit", str(self._commit), "--log-format", "json"]
        pipe = _Pipe([program(), *arguments])
        stream = import_module("nanoarrow.ipc").InputStream.from_readable(pipe)
        capsule: object = stream.__arrow_c_stream__(requested_schema)
        return capsule

    def __repr__(self) -> str:
        return f"<rfmill.Table {self.name} of {self._output}, commit {self._commit}: {self.rows} rows>"


class _Pipe:
    """What a command writes, as a file that is read from front to back. If the command fails, reading raises its error."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer, or as much of it as there are bytes left: a short answer means the end."""
        out = _opened(self._process.stdout)
        view = memoryview(buffer)
        filled = 0
        while filled < len(view):
            read = out.readinto(view[filled:])  # type: ignore[attr-defined]
            if not read:
                self._check()
                break
            filled += read
        return filled

    def _check(self) -> None:
        """Raises why the command failed, if it did."""
        said = _opened(self._process.stderr).read()
        code = self._process.wait()
        if code == 0:
            return
        try:
            error = json.loads(said.splitlines()[-1])
            raise Error(error["exit_code"], error["kind"], error["message"])
        except (IndexError, KeyError, ValueError):
            raise Error(code, "bug", f"the program ended with exit code {code} while it wrote rows") from None

    def close(self) -> None:
        """Ends the command, whether all rows were read or not."""
        self._process.terminate()
        for file in (self._process.stdout, self._process.stderr):
            _opened(file).close()
        self._process.wait()

    def __del__(self) -> None:
        self.close()


def _opened(file: IO[bytes] | None) -> IO[bytes]:
    assert file is not None, "the command was started with pipes"
    return file
