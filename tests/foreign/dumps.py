"""Dumps in every form that people have, of one database, by the real pg_dump; and ways to spoil them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
from collections.abc import Callable
from pathlib import Path

from dbbackup.core.zstd_file import ZstdFile
from tests.support.command import clean_environment
from tests.support.databases import Database

RECORDED = Path(__file__).parent.parent / "data" / "dumps"
"""Small dumps of servers 12, 13, 14 and 16, made once: of 12 to 14 by pg_dump 15, whose layout is theirs."""
FORMS = {
    "custom": ("--format=custom",),
    "directory": ("--format=directory",),
    "tar": ("--format=tar",),
    "script": ("--format=plain",),
    "script that creates": ("--format=plain", "--create", "--clean", "--if-exists"),
    "script that cleans": ("--format=plain", "--clean"),
    "script of inserts": ("--format=plain", "--inserts"),
}


def _zstd(body: bytes) -> bytes:
    out = io.BytesIO()
    with ZstdFile(out, "w") as file:
        file.write(body)
    return out.getvalue()


COVERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": _zstd,
    "gzip in two parts": lambda body: gzip.compress(body[:1000]) + gzip.compress(body[1000:]),
    "gzip in gzip": lambda body: gzip.compress(gzip.compress(body)),
}


def dump(database: Database, path: Path, *options: str) -> Path:
    """A dump of a database; names of files say nothing, so they all end alike."""
    subprocess.run(
        (database.server.bindir / "pg_dump", f"--file={path}", *options),
        env=clean_environment(database.parameters.environment("test")),
        check=True,
    )
    return path


def covered(path: Path, how: str) -> Path:
    """A file in a compression."""
    made = path.with_name(f"{path.name} in {how}")
    made.write_bytes(COVERS[how](path.read_bytes()))
    return made
