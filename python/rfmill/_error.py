"""The error of a command."""

from __future__ import annotations


class Error(Exception):
    """Why a command failed: one sentence, behind the code that docs/ERRORS.md explains."""

    code: int
    """The exit code, which says who must act; negative for the number of a signal that ended the program."""
    kind: str
    """The word for it, such as `usage`, `contract` or `input`."""
    sentence: str
    """What was found, what was expected, and what to do next."""

    def __init__(self, code: int, kind: str, sentence: str) -> None:
        super().__init__(code, kind, sentence)
        self.code = code
        self.kind = kind
        self.sentence = sentence

    def __str__(self) -> str:
        return f"error[{self.kind}]: {self.sentence}"
