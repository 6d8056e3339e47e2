"""The database of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from devtools.postgres import Server

_SCRIPT = Path(__file__).with_suffix(".sql")
_TABLES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND oid >= 16384 ORDER BY oid"


@dataclass(frozen=True)
class Sample:
    """What was created."""

    tables: int
    rows: int
    size_bytes: int


def create(server: Server, name: str) -> Sample:
    """Create the database and fill it with several hundred thousand rows."""
    server.execute(f'CREATE DATABASE "{name}"')
    with server.connect(name) as connection:
        connection.execute(_SCRIPT.read_bytes())
    return measure(server, name)


def measure(server: Server, name: str) -> Sample:
    """Count a database's tables and rows, table by table."""
    with server.connect(name) as connection:
        tables = [row[0] for row in connection.execute(_TABLES)]
    rows = sum(int(server.value(f"SELECT count(*) FROM ONLY {table}", name)) for table in tables)
    return Sample(len(tables), rows, int(server.value("SELECT pg_database_size(current_database())", name)))
