"""What the doctor says about policies can be done by RDS's master, and the backup is whole then."""

from __future__ import annotations

import os
import re
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.core.errors import DbBackupError
from tests.support.backups import take
from tests.support.databases import Database, DatabaseMaker
from tests.support.restores import cli

_numbers = count(1)
POLICY = "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON guarded USING (id = 1);"
FORCED = f"{POLICY} ALTER TABLE guarded FORCE ROW LEVEL SECURITY;"


def _of_app(database: Database, policy: str) -> str:
    """A table of two rows with a policy, which a role that the master has created owns."""
    app = f"app {os.getpid()} {next(_numbers)}"
    database.execute(f'CREATE ROLE "{app}"; GRANT "{app}" TO master')
    database.execute(
        f'GRANT ALL ON SCHEMA public TO "{app}"; CREATE TABLE guarded AS SELECT generate_series(1, 2) AS id;'
        f'ALTER TABLE guarded OWNER TO "{app}"; SET ROLE "{app}"; {policy} RESET ROLE; REVOKE "{app}" FROM master'
    )
    return app


@pytest.fixture
def made(new_database: DatabaseMaker) -> Database:
    return new_database()


@pytest.fixture
def made_on_older(new_older_database: DatabaseMaker) -> Database:
    return new_older_database()


def _finding(database: Database, folder: Path) -> dict[str, Any]:
    ended = cli("doctor", "--json", "--directory", folder, environment=database.environment())
    (found,) = (check for check in ended.document["checks"] if check["name"] == "row-level security")
    return dict(found)


def _follow_as_master(database: Database, folder: Path) -> None:
    found = _finding(database, folder)
    assert found["status"] == "failed"
    with pytest.raises(DbBackupError, match="row-level security policy for table"):
        take(database, DirectoryStore(folder))
    statements = re.findall(r"(?:GRANT|ALTER TABLE) [^;]*;", found["action"])
    database.execute(" ".join(statements))
    assert _finding(database, folder)["status"] == "ok"
    assert take(database, DirectoryStore(folder)).manifest.total_rows == 2


@pytest.mark.parametrize("policy", [POLICY, FORCED], ids=["policy", "forced policy"])
def test_the_master_does_what_it_says_and_the_backup_is_whole(made: Database, tmp_path: Path, policy: str) -> None:
    _of_app(made, policy)
    _follow_as_master(made, tmp_path)


@pytest.mark.parametrize("policy", [POLICY, FORCED], ids=["policy", "forced policy"])
def test_on_older_servers_too(made_on_older: Database, tmp_path: Path, policy: str) -> None:
    _of_app(made_on_older, policy)
    _follow_as_master(made_on_older, tmp_path)


def test_an_owner_whom_policies_are_forced_on_is_told_how_to_end_it(made: Database, tmp_path: Path) -> None:
    made.execute(f"CREATE TABLE guarded AS SELECT generate_series(1, 2) AS id; {FORCED}")
    with pytest.raises(DbBackupError) as failure:
        take(made, DirectoryStore(tmp_path))
    assert "NO FORCE ROW LEVEL SECURITY" in failure.value.action
    _follow_as_master(made, tmp_path)


def test_where_nobody_may_grant_the_owner_the_backup_is_the_owners(made: Database, tmp_path: Path) -> None:
    made.execute(f"CREATE TABLE guarded AS SELECT generate_series(1, 2) AS id; {POLICY}")
    reader = made.superuser.user_without_rights("IN ROLE pg_read_all_data")
    found = _finding(reader, tmp_path)
    assert 'back up as their owner "master"' in found["action"]
    assert _finding(made, tmp_path)["status"] == "ok"
    made.superuser.execute(re.findall(r"ALTER ROLE [^;]*;", found["action"])[0])
    assert take(reader, DirectoryStore(tmp_path)).manifest.total_rows == 2
