"""A command on the backup of an earlier step: the receipt must hold, and it holds once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbbackup.core.naming import receipt_key
from dbbackup.core.receipt import Status
from tests.guard.conftest import COMMIT, Place, environment_of, guard
from tests.support.command import Ended, dbbackup
from tests.support.databases import Database


@pytest.fixture
def backed_up(database: Database, place: Place) -> Place:
    """A place with a backup before a migration."""
    words = ("backup", "--tier", "pre-migration", "--commit", COMMIT, *place.options)
    done = dbbackup(*words, environment={**database.environment(), **place.environment}, folder=Path("/"))
    assert done.status == 0, done.err
    return place


def migrate(
    database: Database, place: Place, *words: str, receipt: str = "latest", commit: str = COMMIT, **more: str
) -> Ended:
    """Run a command on the backup that is there."""
    return guard(database, place, *words, options=("--receipt", receipt, "--commit", commit), **more)


def test_a_command_runs_once_on_a_backup_that_is_there(database: Database, backed_up: Place) -> None:
    done = migrate(database, backed_up, "echo", "migrated")
    assert (done.status, done.out) == (0, "migrated\n"), done.err
    (receipt,) = backed_up.receipts()
    assert (receipt.status, receipt.command is not None) == (Status.SUCCEEDED, True)
    again = migrate(database, backed_up, "echo", "migrated")
    assert (again.status, again.out) == (1, "")
    assert "echo has run on it already" in again.err
    assert "The command was not run." in again.err
    assert len(backed_up.receipts()) == 1, "no backup is taken"


def test_a_command_that_fails_leads_back_and_is_in_the_receipt(database: Database, backed_up: Place) -> None:
    done = migrate(database, backed_up, "sh", "-c", "exit 4")
    assert done.status == 4
    (receipt,) = backed_up.receipts()
    assert receipt.status is Status.FAILED
    assert f"dbbackup restore {receipt.backup.location} --to {database.name}" in done.err
    assert migrate(database, backed_up, "true").status == 1


def test_a_command_that_could_not_be_started_has_used_nothing(database: Database, backed_up: Place) -> None:
    assert migrate(database, backed_up, "/no/such/program").status == 127
    assert migrate(database, backed_up, "true").status == 0


def test_a_receipt_that_does_not_hold_keeps_the_command_from_running(database: Database, backed_up: Place) -> None:
    for done, said in (
        (migrate(database, backed_up, "echo", "x", commit="f" * 40), "is for the commit"),
        (migrate(database, backed_up, "echo", "x", receipt="another_backup_20250111_020000.dump"), "not the newest"),
        (guard(database, backed_up, "echo", "x", options=("--receipt", "latest", "--max-age", "1s")), "commit"),
    ):
        assert done.status in (1, 2)
        assert done.out == ""
        assert said in done.err
        assert "The command was not run." in done.err
    (receipt,) = backed_up.receipts()
    assert receipt.status is Status.BACKED_UP
    assert migrate(database, backed_up, "true", receipt=receipt_key(receipt.backup.key)).status == 0


def test_a_command_that_goes_elsewhere_is_not_run_on_a_receipt(database: Database, folder_place: Place) -> None:
    words = ("backup", "--tier", "pre-migration", "--commit", COMMIT, *folder_place.options)
    assert dbbackup(*words, environment=database.environment(), folder=Path("/")).status == 0
    done = migrate(database, folder_place, "echo", "x", DATABASE_URL="postgresql://u@127.0.0.1/ftry_live")
    assert (done.status, done.out) == (2, "")
    assert "'ftry_live'" in done.err


def test_a_function_and_a_receipt_are_not_both_asked(database: Database, folder_place: Place) -> None:
    options = ("--receipt", "latest", "--function", "f")
    done = dbbackup("guard", *options, "--", "true", environment=environment_of(database), folder=Path("/"))
    assert done.status == 2
    assert "no backup is taken" in done.err
