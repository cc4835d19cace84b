"""What a program for Linux asks of the system that runs it, by its ELF header: its machine, its libraries, its glibc."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

MACHINES = {62: "x86_64", 183: "aarch64"}
DYNAMIC, VERSIONS_NEEDED = 6, 0x6FFFFFFE
NEEDED = 1


@dataclass(frozen=True)
class Elf:
    machine: str
    libraries: tuple[str, ...]
    glibc: tuple[int, int]
    """The newest version of glibc that a symbol is of: with an older one the program does not start."""


def read(path: Path) -> Elf:
    """Reads the header of a program of 64 bits, little-endian."""
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError(f"{path} is no program of 64 bits for Linux")
    machine = MACHINES.get(struct.unpack_from("<H", data, 18)[0], "unknown")
    (offset,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    # Type, offset, size and linked section of every section.
    sections = []
    for at in range(offset, offset + size * count, size):
        _, kind, _, _, begin, length, link = struct.unpack_from("<IIQQQQI", data, at)
        sections.append((kind, begin, length, link))

    def text(section: int, at: int) -> str:
        begin = sections[section][1] + at
        return data[begin : data.index(b"\0", begin)].decode()

    libraries: list[str] = []
    versions = [(0, 0)]
    for kind, begin, length, link in sections:
        if kind == DYNAMIC:
            for tag, value in struct.iter_unpack("<QQ", data[begin : begin + length]):
                if tag == NEEDED:
                    libraries.append(text(link, value))
        if kind == VERSIONS_NEEDED:
            at = begin
            while True:
                _, names, _, first, following = struct.unpack_from("<HHIII", data, at)
                name_at = at + first
                for _ in range(names):
                    _, _, _, name, further = struct.unpack_from("<IHHII", data, name_at)
                    version = text(link, name)
                    if version.startswith("GLIBC_") and version[6].isdigit():
                        major, minor = version[6:].split(".")[:2]
                        versions.append((int(major), int(minor)))
                    name_at += further
                if not following:
                    break
                at += following
    return Elf(machine, tuple(libraries), max(versions))
