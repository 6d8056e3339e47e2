"""Several majors of the client programs are installed: the one that suits the server is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbbackup.adapters import tool_location
from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.core.errors import ServerTooNewError
from devtools.postgres import LATEST, package_bindir
from tests.support.backups import MOMENT, take
from tests.support.bindirs import previous_programs, with_program
from tests.support.databases import Database, DatabaseMaker
from tests.support.restores import cli


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Real programs of 17 and 18 where Debian puts them, under a root of our own, and no development package."""
    root = tmp_path / "root"
    for major, programs in (("17", previous_programs(tmp_path)), ("18", package_bindir(LATEST))):
        (folder := root / f"usr/lib/postgresql/{major}").mkdir(parents=True)
        (folder / "bin").symlink_to(programs)
    monkeypatch.setattr(tool_location, "_ROOT", root)
    monkeypatch.setattr(tool_location, "_DEVELOPMENT_PACKAGE", "not_installed_anywhere")
    return root / "usr/lib/postgresql"


def _environment(database: Database, path: Path | str = "/nonexistent", **changes: str) -> dict[str, str]:
    environment = {**database.environment(), "PATH": f"{path}:/usr/bin:/bin", **changes}
    return {name: value for name, value in environment.items() if name != "PG_BINDIR" or name in changes}


def test_a_later_client_is_found_where_path_has_an_older_one(
    database: Database, installed: Path, tmp_path: Path
) -> None:
    environment = _environment(database, installed / "17/bin")
    made = cli("backup", "--json", "--directory", tmp_path / "b", environment=environment)
    assert made.status == 0, made.err
    assert made.document["manifest"]["client_version"].startswith("18.")
    assert made.document["client"].endswith("(from Debian's packages, of major 18, as the server)")
    assert cli("verify", "latest", "--directory", tmp_path / "b", environment=environment).status == 0
    checks = cli("doctor", "--json", "--directory", tmp_path / "b", environment=environment).document["checks"]
    (found,) = (check["found"] for check in checks if check["name"] == "client programs")
    assert str(installed / "18/bin") in found
    assert "of major 18, as the server" in found
    (versions,) = (check["status"] for check in checks if check["name"] == "versions")
    assert versions == "ok"


@pytest.mark.xdist_group("previous")
def test_an_older_server_gets_the_client_of_its_major(
    new_previous_database: DatabaseMaker, installed: Path, tmp_path: Path
) -> None:
    environment = _environment(new_previous_database(), installed / "18/bin")
    made = cli("backup", "--json", "--directory", tmp_path / "b", environment=environment)
    assert made.status == 0, made.err
    assert made.document["manifest"]["client_version"].startswith("17.")
    assert "of major 17" in made.document["client"]


def test_pg_bindir_leaves_no_choice(database: Database, installed: Path, tmp_path: Path) -> None:
    environment = _environment(database, installed / "18/bin", PG_BINDIR=str(installed / "17/bin"))
    made = cli("backup", "--json", "--directory", tmp_path / "b", environment=environment)
    assert made.status != 0
    assert made.document["error"] == ServerTooNewError.code
    assert str(installed / "17/bin") in made.document["what"]


def test_a_client_that_does_not_run_is_no_choice(database: Database, installed: Path, tmp_path: Path) -> None:
    (broken := tmp_path / "root/usr/pgsql-18/bin").mkdir(parents=True)
    for program in tool_location.PROGRAMS:
        (broken / program).write_text("#!/bin/sh\nexit 127\n")
        (broken / program).chmod(0o755)
    made = cli(
        "backup", "--json", "--directory", tmp_path / "b", environment=_environment(database, installed / "17/bin")
    )
    assert made.status == 0, made.err


OLDER_MINOR = 'case "$*" in --version) echo "pg_dump (PostgreSQL) 18.1";; *) exec "$REAL" "$@";; esac'


def test_an_older_minor_release_is_told_of_by_backup_and_doctor(database: Database, tmp_path: Path) -> None:
    environment = {**database.environment(), "PG_BINDIR": str(with_program(tmp_path, "pg_dump", OLDER_MINOR))}
    made = cli("backup", "--directory", tmp_path / "b", environment=environment)
    assert made.status == 0
    assert "the client programs 18.1 are older than the server 18." in made.err
    noted = cli("backup", "--json", "--directory", tmp_path / "b", environment=environment).document["notes"]
    assert "18.1" in noted[0]
    checks = cli("doctor", "--json", "--directory", tmp_path / "b", environment=environment).document["checks"]
    (versions,) = (check for check in checks if check["name"] == "versions")
    assert versions["status"] == "warning"
    assert "18.1 are older than the server" in versions["found"]


def test_a_client_of_the_servers_minor_is_not_noted(database: Database, tmp_path: Path) -> None:
    assert take(database, DirectoryStore(tmp_path), scheduled_time=MOMENT).notes == ()
