"""A database as ``pg_dump --create`` and ``pg_dumpall --globals-only`` write it."""

from __future__ import annotations

from pathlib import Path

from tests.support.backups import run_tool
from tests.support.databases import Database


def created(database: Database, bindir: Path | None = None) -> list[str]:
    """The statements that create the database, with its properties and its structure."""
    return _lines(run_tool(bindir or database.server.bindir, "pg_dump", database, "--create", "--schema-only"))


def roles(database: Database, bindir: Path | None = None) -> list[str]:
    """The statements that create the roles, and what is set for them in databases."""
    text = run_tool(bindir or database.server.bindir, "pg_dumpall", database, "--globals-only", "--no-role-passwords")
    return _lines(text)


def _lines(text: str) -> list[str]:
    # \\restrict carries a key that is drawn for each dump; comments name the server's version and times.
    return [line for line in text.splitlines() if line and not line.startswith(("\\restrict", "\\unrestrict", "--"))]
