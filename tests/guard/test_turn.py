"""One guarded command at a time, and a word about the one before."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dbbackup.adapters.migration_turn import migration_turn
from dbbackup.core.errors import ConnectionFailedError
from dbbackup.core.receipt import Status
from dbbackup.core.receipt_errors import MigrationInProgressError
from tests.guard.conftest import Place, environment_of, guard
from tests.guard.lambda_service import lambda_service
from tests.support.command import dbbackup, start_dbbackup
from tests.support.databases import Database, DatabaseMaker
from tests.support.faults import wait_for
from tests.support.function import Function


@pytest.fixture
def running(database: Database, folder_place: Place, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A guard whose command works until it is told to end."""
    words = ("guard", *folder_place.options, "--", "sh", "-c", 'touch "$0/began"; exec sleep 600', str(tmp_path))
    command = start_dbbackup(*words, environment=environment_of(database))
    wait_for((tmp_path / "began").exists)
    yield command
    for child in psutil.Process(command.pid).children() if command.poll() is None else ():
        child.kill()
    command.kill()
    command.communicate()


def test_while_a_guarded_command_runs_another_does_not(
    running: subprocess.Popen[str], database: Database, folder_place: Place, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    done = guard(database, folder_place, "touch", str(ran), options=("--wait", "0"))
    assert done.status == 75
    assert "Another guarded command works on the database" in done.err
    assert "server process" in done.err
    assert "The command was not run." in done.err
    assert not ran.exists()
    assert len(folder_place.receipts()) == 1, "no backup was taken"
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=30)
    assert guard(database, folder_place, "touch", str(ran), options=("--wait", "0")).status == 0


def test_a_function_is_not_asked_while_a_guarded_command_runs(
    running: subprocess.Popen[str], database: Database, function: Function
) -> None:
    with lambda_service(function.invoke) as service:
        environment = {
            **environment_of(database),
            **function.bucket.aws.environment(),
            "AWS_ENDPOINT_URL_LAMBDA": service.endpoint,
        }
        words = ("guard", "--function", "ftry-test-backup", "--wait", "0", "--", "true")
        done = dbbackup(*words, environment=environment, folder=Path("/"))
        assert done.status == 75
        assert service.events == []


def test_after_a_guard_that_was_killed_the_next_one_says_so(
    running: subprocess.Popen[str], database: Database, folder_place: Place
) -> None:
    (command,) = psutil.Process(running.pid).children()
    running.kill()
    running.wait()
    command.kill()
    done = guard(database, folder_place, "true", options=("--wait", "30"))
    assert done.status == 0
    assert "THE MIGRATION BEFORE THIS ONE DID NOT END WELL: sh was started at" in done.err
    first, _ = folder_place.receipts()
    assert first.status is Status.RUNNING
    assert first.backup.key.replace(".dump", ".receipt.json") in done.err


def test_after_a_command_that_failed_the_next_guard_says_so_until_one_succeeds(
    database: Database, folder_place: Place
) -> None:
    assert guard(database, folder_place, "sh", "-c", "exit 3").status == 3
    second = guard(database, folder_place, "true")
    assert second.status == 0
    assert "DID NOT END WELL: sh failed with exit status 3" in second.err
    assert "DID NOT END WELL" not in guard(database, folder_place, "true").err


def test_the_turn_is_of_one_database_and_does_not_keep_it_from_being_dropped(new_database: DatabaseMaker) -> None:
    one, other = new_database(), new_database()
    with migration_turn(one.parameters, 0), migration_turn(other.parameters, 0):
        with pytest.raises(MigrationInProgressError), migration_turn(one.parameters, 0):
            pass
        with one.server.connect() as session:
            session.execute(f'DROP DATABASE "{one.name}"'.encode())


def test_where_the_maintenance_database_lets_nobody_in_the_turn_is_in_the_database(database: Database) -> None:
    user = database.user_without_rights()
    with database.server.superuser.connect() as session:
        session.execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
        try:
            maintenance = Database(user.server, "postgres", user.user, user.password)
            with pytest.raises(ConnectionFailedError), migration_turn(maintenance.parameters, 0):
                pass
            with migration_turn(user.parameters, 0):
                held = database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        finally:
            session.execute("GRANT CONNECT ON DATABASE postgres TO PUBLIC")
    assert held >= 1
