"""Where the program is, and how it is called."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Union

from ._error import Error

NAME = "rfmill"

PathLike = Union[str, "os.PathLike[str]"]

__version__ = metadata.version(NAME)


def _candidates() -> Iterator[Path]:
    """Where an installer may have put the program: what it recorded, then the folders of scripts."""
    for file in metadata.files(NAME) or []:
        if file.name == NAME and file.parent.name == "bin":
            yield Path(str(file.locate()))
    yield Path(sysconfig.get_path("scripts"), NAME)
    # What is installed into a folder of its own has its programs below that.
    yield Path(__file__).resolve().parent.parent / "bin" / NAME


def program() -> str:
    """The path of the program `rfmill`."""
    for path in _candidates():
        if os.access(path, os.X_OK):
            return os.path.normpath(path)
    found = shutil.which(NAME)
    if found is None:
        raise Error(2, "usage", f"the program {NAME} of this package is not there; install the package again")
    return found


def call(arguments: Sequence[str], *, verbose: bool) -> dict[str, Any]:
    """Runs a command, and gives the document that it prints. With `verbose`, its log goes to stderr meanwhile."""
    quiet = [] if verbose else ["--quiet"]
    stderr = None if verbose else subprocess.DEVNULL
    command = [program(), *arguments, "--format", "json", *quiet]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr) as process:
        try:
            out, _ = process.communicate()
        except BaseException:
            # It ends in order, before its commit or behind it.
            process.terminate()
            process.wait()
            raise
    document = _parsed(out)
    if document is None:
        raise Error(process.returncode, *_unsaid(process.returncode))
    if document["rfmill"] != __version__:
        what = f"{command[0]} is rfmill {document['rfmill']}, and this package is of {__version__}; install the package again"
        raise Error(2, "usage", what)
    error = document.get("error")
    if error is not None:
        raise Error(error["exit_code"], error["kind"], error["message"])
    return document


def _parsed(out: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(out)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _unsaid(code: int) -> tuple[str, str]:
    """Kind and sentence of a program that ended without a word."""
    if code < 0:
        return "signal", f"the program was ended by signal {-code}; was it stopped, or the memory used up?"
    return "bug", f"the program ended with exit code {code} and said nothing; please report it with the job file"
