"""The script for a developer's machine, as the handbook of its users tells them to call it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.command import clean_environment
from tests.support.databases import Database, DatabaseMaker
from tests.support.restores import Saved, names, save

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "restore-database.sh"


def _run(folder: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (SCRIPT, *arguments),
        cwd=folder,
        env=clean_environment(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def saved(database: Database, tmp_path: Path) -> Saved:
    """A backup where the other script leaves it."""
    return save(database, tmp_path / "backups")


def test_postgres_db_selects_the_target(
    database: Database, saved: Saved, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    other = new_database()
    (tmp_path / ".env").write_text("".join(f"{key}={value}\n" for key, value in database.environment().items()))
    file = f"backups/{saved.archive.name}"
    database.execute("DELETE FROM item")

    done = _run(tmp_path, {"POSTGRES_DB": other.name}, file, "--yes")

    assert done.returncode == 0, done.stderr
    assert f"✅ Database '{other.name}' restored (1 tables, 3 rows, as in the manifest)" in done.stdout
    assert other.value("SELECT count(*) FROM item") == 3
    assert database.value("SELECT count(*) FROM item") == 0


def test_nothing_is_replaced_that_nobody_agreed_to(database: Database, saved: Saved, tmp_path: Path) -> None:
    before = names(database)
    done = _run(tmp_path, database.environment(), str(saved.archive))
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert names(database) == before


def test_staging_is_made_without_a_question(
    database: Database, saved: Saved, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    new_database.made.append("script_staging")
    done = _run(tmp_path, database.environment(), "latest", "--to", "script_staging")
    assert done.returncode == 0, done.stderr
    assert Database(database.server, "script_staging").value("SELECT count(*) FROM item") == 3


def test_a_file_that_is_not_there_fails_the_script(database: Database, tmp_path: Path) -> None:
    done = _run(tmp_path, database.environment(), "backups/none.dump", "--yes")
    assert done.returncode == 1
    assert "There is no " in done.stderr
    assert "✅" not in done.stdout
