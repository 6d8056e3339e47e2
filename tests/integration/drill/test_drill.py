"""Rehearsals on a real server: what they check, what they leave, what they record."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dbbackup.assembly import TEXTFILE_VARIABLE
from tests.support.backups import take
from tests.support.buckets import Bucket
from tests.support.command import clean_environment, dbbackup
from tests.support.databases import Database
from tests.support.halting import start_halting

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "test-restore.sh"


def _environment(database: Database, bucket: Bucket | None = None) -> dict[str, str]:
    return {**database.server.environment(database.name), **(bucket.aws.environment() if bucket else {})}


def _databases(database: Database) -> set[str]:
    with database.server.connect() as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}


def _drill(database: Database, folder: Path, *options: str) -> tuple[int, dict[str, Any]]:
    done = dbbackup("drill", "--directory", folder, "--json", *options, environment=_environment(database))
    assert done.out, done.err
    return done.status, done.document


@pytest.fixture
def folder(database: Database, tmp_path: Path) -> Path:
    """A folder with one backup of the small database."""
    done = dbbackup("backup", "--directory", tmp_path, environment=_environment(database))
    assert done.status == 0, done.err
    return tmp_path


def test_a_rehearsal_restores_compares_and_removes_its_scratch_database(database: Database, folder: Path) -> None:
    before = _databases(database)
    database.execute("DELETE FROM item")  # the backup is rehearsed, not the database as it is now

    status, evidence = _drill(database, folder)

    assert status == 0
    assert evidence["passed"] is True
    [plane] = evidence["planes"]
    assert (plane["kind"], plane["tables"], plane["rows"], plane["removed"]) == ("dump", 1, 3, True)
    assert plane["restored_into"] != database.name
    assert plane["recovery_point_age_seconds"] > 0
    assert _databases(database) == before
    assert database.server.value("SELECT count(*) FROM item", database.name) == 0


def test_a_rehearsal_that_is_stopped_has_shown_nothing(database: Database, folder: Path) -> None:
    before = _databases(database)
    environment = {**_environment(database), TEXTFILE_VARIABLE: str(folder)}
    point = "dbbackup.operations.drill:_counts:before::1"
    command = start_halting(point, "drill", "--directory", folder, environment=environment)
    command.send_signal(signal.SIGINT)
    command.send_signal(signal.SIGCONT)
    _, err = command.communicate(timeout=30)

    assert command.returncode == 130, err
    assert _databases(database) == before
    assert not (folder / "evidence").exists()
    assert not list(folder.glob("*.prom"))


@pytest.mark.parametrize(
    ("question", "passes"),
    [
        ("SELECT count(*) FROM item", True),
        ("SELECT max(id) = 3 FROM item", True),
        ("SELECT count(*) FROM item WHERE id > 3", False),
        ("SELECT max(id) = 4 FROM item", False),
        ("SELECT name FROM item WHERE id > 3", False),
        ("SELECT nonsense", False),
        ("DELETE FROM item RETURNING 1", False),
    ],
)
def test_further_questions_decide(database: Database, folder: Path, question: str, passes: bool) -> None:
    status, evidence = _drill(database, folder, "--check", question)

    assert (status == 0) is passes
    assert evidence["passed"] is passes
    assert evidence["planes"][0]["checks"][-1]["name"] == question


def test_a_damaged_backup_fails_the_rehearsal_and_that_is_evidence_too(database: Database, folder: Path) -> None:
    archive = next(folder.glob("*.dump"))
    archive.write_bytes(archive.read_bytes()[:-20])
    before = _databases(database)

    status, evidence = _drill(database, folder)

    assert status == 1
    assert evidence["passed"] is False
    assert "verification-failed" in evidence["failure"]
    assert _databases(database) == before


def test_evidence_is_chained_listed_and_verified(database: Database, folder: Path) -> None:
    keys = [_drill(database, folder)[1]["key"] for _ in range(3)]
    listed = dbbackup("evidence", "list", "--directory", folder, "--json").document

    assert [each["key"] for each in listed] == keys[::-1]
    assert [each["previous_key"] for each in listed] == [keys[1], keys[0], None]
    assert dbbackup("evidence", "verify", "--directory", folder).status == 0

    (folder / keys[1]).chmod(0o600)
    altered = json.loads((folder / keys[1]).read_text())
    altered["planes"][0]["rows"] += 1
    (folder / keys[1]).write_text(json.dumps(altered))
    done = dbbackup("evidence", "verify", "--directory", folder)
    assert done.status == 1
    assert f"{keys[1]} was altered" in done.err

    (folder / keys[1]).unlink()
    done = dbbackup("evidence", "verify", "--directory", folder)
    assert done.status == 1
    assert f"{keys[1]}, the one before {keys[2]}, is missing" in done.err


def test_what_a_killed_rehearsal_has_left_is_removed_by_the_next(database: Database, folder: Path) -> None:
    left = f"{database.name}__dbbackup_drill"
    unfinished = f"{left}__dbbackup_new_0123abcd"
    somebody_elses = f"{database.name}__dbbackup_drill_of_mine"
    for name in (left, unfinished, somebody_elses):
        database.server.execute(f'CREATE DATABASE "{name}"')
    try:
        status, _ = _drill(database, folder)
        found = _databases(database)
    finally:
        database.server.execute(f'DROP DATABASE "{somebody_elses}"')

    assert status == 0
    assert not {left, unfinished} & found
    assert somebody_elses in found


def test_evidence_in_a_bucket_is_locked_for_a_year(database: Database, bucket: Bucket) -> None:
    take(database, bucket.store())
    done = dbbackup("drill", "--bucket", bucket.name, "--json", environment=_environment(database, bucket))
    assert done.status == 0, done.err

    head = bucket.s3.head_object(Bucket=bucket.name, Key=done.document["key"])

    assert head["ObjectLockMode"] == "COMPLIANCE"
    assert 364 <= (head["ObjectLockRetainUntilDate"] - datetime.now(UTC)).days <= 365


def test_an_archive_without_a_manifest_is_not_rehearsed(database: Database, folder: Path) -> None:
    next(folder.glob("*.manifest.json")).unlink()
    done = dbbackup("drill", str(next(folder.glob("*.dump"))), environment=_environment(database))

    assert done.status == 1
    assert "has no manifest" in done.err


def _script(folder: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (SCRIPT, *arguments),
        cwd=folder,
        env={**clean_environment(environment), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_script_of_the_monthly_test_answers_with_its_exit_status(database: Database, folder: Path) -> None:
    environment = _environment(database)
    good = _script(folder, environment, "--directory", ".", "--check", "SELECT count(*) FROM item")
    bad = _script(folder, environment, "--directory", ".", "--check", "SELECT count(*) FROM item WHERE id = 9")

    assert good.returncode == 0, good.stderr
    assert "restored and compared" in good.stdout
    assert bad.returncode == 1
