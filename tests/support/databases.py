"""Databases of one test."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from pydantic import SecretStr

from dbbackup.adapters.postgres_session import PostgresDatabase
from dbbackup.adapters.postgres_tools import PostgresTools
from dbbackup.core.connection import Connection
from devtools.postgres import Server

_numbers = count(1)


AsUser = Callable[[Server], Server]


@dataclass(frozen=True)
class Database:
    """One database on a running server, as a user sees it: the server's, where no other is named."""

    server: Server
    name: str
    user: str = ""
    password: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "password", self.password or self.server.password)
        object.__setattr__(self, "user", self.user or self.server.user)

    @property
    def superuser(self) -> Database:
        """The same database as the server's superuser sees it."""
        return Database(self.server.superuser, self.name)

    @property
    def parameters(self) -> Connection:
        """How our code is told to connect."""
        return Connection(
            host=self.server.host,
            port=self.server.port,
            user=self.user,
            password=SecretStr(self.password),
            database=self.name,
        )

    def source(self) -> PostgresDatabase:
        """The database as an operation takes it."""
        return PostgresDatabase(self.parameters)

    def tools(self, bindir: Path | None = None) -> PostgresTools:
        """The client programs of the server, or of another folder."""
        return PostgresTools(bindir or self.server.bindir, self.parameters)

    def environment(self) -> dict[str, str]:
        """How a person would point our command at it."""
        return {
            **self.server.environment(self.name),
            "POSTGRES_USER": self.user,
            "POSTGRES_PASSWORD": self.password,
        }

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of the server's user, who made the database."""
        return self.server.connect(self.name)

    def execute(self, statements: str) -> None:
        """Run statements as the server's user."""
        self.server.execute(statements, self.name)

    def value(self, query: str) -> Any:
        """The first column of the first row."""
        return self.server.value(query, self.name)

    def give(self, what: str, role: str) -> None:
        """Make a role of ours the owner of a table or the like, or of the database, as RDS's master has to do it.

        The new owner may create in the schema, and we are its member:
        https://www.postgresql.org/docs/current/sql-altertable.html
        """
        self.execute(
            f'GRANT "{role}" TO CURRENT_USER; GRANT CREATE ON SCHEMA public TO "{role}";'
            f'ALTER {what} OWNER TO "{role}";'
            f'REVOKE CREATE ON SCHEMA public FROM "{role}"; REVOKE "{role}" FROM CURRENT_USER'
        )

    def user_without_rights(self, options: str = "") -> Database:
        """The same database, seen by a new user whom the server's user makes, who may connect and nothing else."""
        name = f"reader_{os.getpid()}_{next(_numbers)}"
        self.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'its own password' {options}")
        return Database(self.server, self.name, name, "its own password")


@dataclass
class DatabaseMaker:
    """Makes databases with names of their own."""

    server: Server
    made: list[str] = field(default_factory=list)

    def __call__(self, name: str | None = None, *, template: str | None = None, options: str = "") -> Database:
        """A new database, empty or a copy of another."""
        chosen = name or f"test_{os.getpid()}_{next(_numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(chosen), sql.Identifier(template or "template1")
        )
        with self.server.connect() as connection:
            quickly = " STRATEGY file_copy" if connection.info.server_version >= 150000 else ""
            connection.execute(statement + sql.SQL(f"{quickly} {options}"))
        self.made.append(chosen)
        return Database(self.server, chosen)


def drop_all(maker: DatabaseMaker) -> None:
    """Remove what a maker has made."""
    with maker.server.superuser.connect() as connection:
        for name in maker.made:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
