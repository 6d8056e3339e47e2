"""A database of an application whose roles RDS's master has made, and what a whole dump says of it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from psycopg import sql

from devtools.postgres import Server
from tests.support.command import Ended, clean_environment
from tests.support.restores import cli

_numbers = count(1)
_RESTRICT = re.compile(r"^\\(?:un)?restrict .*$", re.MULTILINE)

MEMBERSHIPS = """
    SELECT roleid::regrole::text, member::regrole::text, grantor::regrole::text, to_jsonb(m) - 'oid'
    FROM pg_auth_members m ORDER BY 1, 2, 3
"""


@dataclass(frozen=True)
class Ground:
    """A server as its master sees it, a database there that belongs to an application, and a folder for backups."""

    server: Server
    name: str
    folder: Path

    @property
    def root(self) -> Server:
        """The server as its superuser sees it."""
        return self.server.superuser

    def environment(self, name: str | None = None) -> dict[str, str]:
        """How a person points the command at it."""
        return self.server.environment(name or self.name)

    def execute(self, statements: str, name: str | None = None) -> None:
        """Run statements in the database as the superuser, who may do so whoever owns what."""
        self.root.execute(statements, name or self.name)

    def backup(self) -> Ended:
        """Take a backup as the master."""
        return cli("backup", "--directory", self.folder, environment=self.environment())

    def restore(self, *options: str | Path, to: str | None = None) -> Ended:
        """Restore the newest backup as the master."""
        arguments = ("restore", "latest", "--directory", self.folder, "--database", self.name, "--yes", "--jobs", "2")
        script = self.folder.parent / f"not_restored_{next(_numbers)}.sql"
        return cli(*arguments, "--script", script, *options, environment=self.environment(to))

    def dump(self, name: str | None = None, *options: str) -> str:
        """Everything that pg_dump says of a database."""
        return whole_dump(self.root, name or self.name, *options)

    def memberships(self) -> list[tuple[Any, ...]]:
        """Who is a member of what, and how."""
        with self.root.connect() as connection:
            return connection.execute(MEMBERSHIPS.encode()).fetchall()

    def beside(self) -> list[str]:
        """What a restore has left beside the database."""
        return sorted(name for name in self.databases() if name.startswith(f"{self.name}__dbbackup"))

    def databases(self) -> set[str]:
        """All databases."""
        with self.root.connect() as connection:
            return {row[0] for row in connection.execute("SELECT datname FROM pg_database").fetchall()}


def whole_dump(server: Server, name: str, *options: str) -> str:
    """Everything that pg_dump says of a database, as a superuser sees it."""
    done = subprocess.run(
        (server.bindir / "pg_dump", *options),
        env=clean_environment({**_libpq(server), "PGDATABASE": name}),
        capture_output=True,
        text=True,
        check=True,
    )
    return _RESTRICT.sub("", done.stdout)


def globals_of(server: Server) -> str:
    """Everything that pg_dumpall says of roles and tablespaces."""
    done = subprocess.run(
        (server.bindir / "pg_dumpall", "--globals-only", "--no-role-passwords"),
        env=clean_environment(_libpq(server)),
        capture_output=True,
        text=True,
        check=True,
    )
    return _RESTRICT.sub("", done.stdout)


def _libpq(server: Server) -> dict[str, str]:
    return {
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGUSER": server.user,
        "PGPASSWORD": server.password,
    }


@contextmanager
def ground_on(server: Server, folder: Path, *roles: str) -> Iterator[Ground]:
    """A database that the first of these roles owns; the master makes both, and all goes with the context."""
    master = server.master
    before = {name for (name,) in _rows(server, "SELECT datname FROM pg_database")}
    known = {name for (name,) in _rows(server, "SELECT rolname FROM pg_roles")}
    name = f"ground_{next(_numbers)}"
    with master.connect() as connection:
        for role in roles:
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        if roles:
            server.superuser.execute(f'ALTER DATABASE "{name}" OWNER TO "{roles[0]}"')
    try:
        yield Ground(master, name, folder)
    finally:
        clean(server, before, known)


def clean(server: Server, databases: set[str], roles: set[str]) -> None:
    """Remove databases and roles that were not there before."""
    with server.superuser.connect() as connection:
        for (name,) in _rows(server, "SELECT datname FROM pg_database"):
            if name not in databases:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        for (role,) in _rows(server, "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'"):
            if role not in roles:
                connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(role)))
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def _rows(server: Server, query: str) -> list[tuple[str]]:
    with server.superuser.connect() as connection:
        return connection.execute(query.encode()).fetchall()
