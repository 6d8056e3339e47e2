"""The fixture's master is as poor as the one that RDS gives."""

from __future__ import annotations

import os

import psycopg
import pytest

from devtools.postgres import Server


def test_the_master_makes_databases_and_roles_and_reads_everything(server: Server) -> None:
    name = f"of_master_{os.getpid()}"
    server.master.execute(f"CREATE DATABASE {name}")
    try:
        server.execute("CREATE TABLE of_the_superuser AS SELECT 1 AS id", name)
        assert server.master.value("SELECT count(*) FROM of_the_superuser", name) == 1
    finally:
        server.master.execute(f"DROP DATABASE {name}")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE ROLE too_much SUPERUSER",
        "CREATE ROLE too_much BYPASSRLS",
        "CREATE ROLE too_much REPLICATION",
        "SET ROLE postgres",
        "ALTER ROLE postgres SET work_mem = '8MB'",
    ],
)
def test_the_master_may_not_do_what_only_a_superuser_may(server: Server, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        server.master.execute(statement)
