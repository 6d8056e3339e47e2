"""Fewer connections than we need, and large objects without rights: what is said is what mends it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.command import dbbackup
from tests.support.databases import Database


def _mend(database: Database, said: str, begin: str, end: str = ";") -> None:
    """Run the statement that was printed."""
    statement = re.search(f"{re.escape(begin)}.*?{re.escape(end)}", said, re.DOTALL)
    assert statement is not None, said
    database.execute(statement[0])


@pytest.mark.parametrize("limited", ["role", "database"])
def test_a_limit_of_one_connection_is_named_with_what_we_need_and_mended_by_what_is_said(
    database: Database, tmp_path: Path, limited: str
) -> None:
    user = database.user_without_rights()
    database.superuser.execute(f"GRANT pg_read_all_data TO {user.user}")
    name = user.user if limited == "role" else f'"{database.name}"'
    begin = f"ALTER {limited.upper()} "
    database.execute(f"{begin}{name} CONNECTION LIMIT 1")

    ended = dbbackup("doctor", "--json", "--directory", tmp_path / "backups", environment=user.environment())
    (check,) = [check for check in ended.document["checks"] if check["name"] == "connections"]
    assert check["status"] == "failed"
    assert "may have 1 connections at once" in check["found"]
    assert "needs 2 connections" in check["action"]

    ended = dbbackup("backup", "--directory", tmp_path / "backups", environment=user.environment())
    assert ended.status == 1
    assert f"too many connections for {limited}" in ended.err
    assert "A backup needs 2 connections at once" in ended.err

    _mend(database, ended.err, begin)
    ended = dbbackup("backup", "--directory", tmp_path / "backups", environment=user.environment())
    assert ended.status == 0, ended.err


def test_connections_that_are_free_are_nothing_to_mend(database: Database, tmp_path: Path) -> None:
    ended = dbbackup("doctor", "--json", "--directory", tmp_path, environment=database.environment())
    (check,) = [check for check in ended.document["checks"] if check["name"] == "connections"]
    assert check["status"] == "ok"


def test_large_objects_without_rights_are_mended_by_what_is_said(database: Database, tmp_path: Path) -> None:
    user = database.user_without_rights()
    database.superuser.execute(f"GRANT pg_read_all_data TO {user.user}")
    database.execute("SELECT lo_from_bytea(0, 'abc'), lo_from_bytea(0, 'def')")
    ended = dbbackup("backup", "--directory", tmp_path, environment=user.environment())
    assert ended.status == 1
    assert "permission denied for large object" in ended.err
    _mend(database, ended.err, "DO $$", "$$;")
    ended = dbbackup("backup", "--directory", tmp_path, environment=user.environment())
    assert ended.status == 0, ended.err
