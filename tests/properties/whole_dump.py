"""A database as ``pg_dump --create`` and ``pg_dumpall --globals-only`` write it."""

from __future__ import annotations

import re

from dbbackup.core.quoting import quote_name
from tests.properties.scenes import ROLES
from tests.support.backups import run_tool
from tests.support.databases import Database

_SPOKEN = "|".join(re.escape(name if name.isidentifier() else quote_name(name)) for name in ROLES)
_OURS = re.compile(rf" (?:{_SPOKEN})[ ;]")


def created(database: Database, *, encoding: str | None = None) -> list[str]:
    """The statements that create the database, with its properties and its structure."""
    options = ("--create", "--schema-only", *((f"--encoding={encoding}",) if encoding else ()))
    return _lines(run_tool(database.server.bindir, "pg_dump", database, *options))


def roles(database: Database) -> list[str]:
    """The statements that create the roles, and what is set for them in databases."""
    text = run_tool(database.server.bindir, "pg_dumpall", database, "--globals-only", "--no-role-passwords")
    # Other tests have roles of theirs on the server.
    return [line for line in _lines(text) if _OURS.search(line)]


def _lines(text: str) -> list[str]:
    # \\restrict carries a key that is drawn for each dump; comments name the server's version and times.
    return [line for line in text.splitlines() if line and not line.startswith(("\\restrict", "\\unrestrict", "--"))]
