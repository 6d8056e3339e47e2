"""The moment the copy takes the target's name: others are connected, or in the way."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from dbbackup.adapters import exchange
from tests.support import comparison
from tests.support.command import start_dbbackup
from tests.support.databases import Database, DatabaseMaker
from tests.support.faults import wait_for
from tests.support.halting import start_halting
from tests.support.restores import Saved, Scene, cli

# The server's words to somebody who waited for the name while it changed hands; a missing database is not among them.
BRIEF = ("terminating connection", "server closed the connection", "just been dropped or renamed")


class Clients(threading.Thread):
    """Somebody who connects to the target again and again, and says what was met."""

    def __init__(self, target: Database, *, hold: bool) -> None:
        super().__init__(daemon=True)
        self.target, self.hold = target, hold
        self.seen: list[int] = []
        self.errors: list[str] = []
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                with self.target.connect() as connection:
                    row = connection.execute("SELECT count(*) FROM customer").fetchone()
                    self.seen.append(row[0] if row else -1)
                    if self.hold:
                        connection.execute("SELECT pg_sleep(100)")
            except psycopg.Error as error:
                self.errors.append(str(error))
            time.sleep(0.002)


@contextmanager
def _clients(target: Database, number: int, *, hold: bool) -> Iterator[list[Clients]]:
    clients = [Clients(target, hold=hold) for _ in range(number)]
    for each in clients:
        each.start()
    try:
        yield clients
    finally:
        for each in clients:
            each.stop.set()
        target.server.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{target.name}' "
            "AND query ~ 'pg_sleep'"
        )
        for each in clients:
            each.join()


@pytest.mark.parametrize("hold", [False, True], ids=["polling", "staying"])
def test_clients_that_come_back_at_once_never_miss_the_target(scene: Scene, hold: bool) -> None:
    with _clients(scene.target, 4, hold=hold) as clients:
        wait_for(lambda: all(each.seen for each in clients))
        ended = scene.restore()
        assert ended.status == 0, ended.err
        wait_for(lambda: all(each.seen[-1] == 40 for each in clients))
    for each in clients:
        assert set(each.seen) == {2, 40}, "the original's rows, then the backup's, and nothing else"
        assert each.seen == sorted(each.seen)
        assert [error for error in each.errors if not any(word in error for word in BRIEF)] == []
    assert scene.is_restored()


def test_somebody_who_holds_the_name_is_not_waited_for_for_ever(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "SECONDS", 0)
    monkeypatch.setattr(exchange, "LOCK_WAIT", "200ms")
    with scene.target.server.connect() as session, session.transaction():
        session.execute(f"COMMENT ON DATABASE \"{scene.target.name}\" IS 'not committed'".encode())
        ended = scene.restore("--json")
    assert ended.status == 1
    assert ended.document["error"] == "restore-failed"
    assert f"dbbackup restore --resume --to {scene.target.name}" in ended.document["action"]
    assert list(scene.beside().values()) == ["verified"]
    assert scene.is_as_it_was()
    resumed = cli("restore", "--resume", "--to", scene.target.name, environment=scene.environment)
    assert resumed.status == 0
    assert scene.is_restored()
    scene.remove_kept(resumed)


def test_told_to_stop_while_the_name_is_waited_for(scene: Scene) -> None:
    with scene.target.server.connect() as session, session.transaction():
        session.execute(f"COMMENT ON DATABASE \"{scene.target.name}\" IS 'not committed'".encode())
        command = start_dbbackup("restore", scene.saved.archive, "--yes", environment=scene.environment)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^ALTER DATABASE' AND wait_event_type = 'Lock'"
        wait_for(lambda: scene.target.server.value(waiting))
        command.send_signal(signal.SIGINT)
        _, err = command.communicate(timeout=60)
    assert command.returncode == 130, err
    assert "Stopped by SIGINT" in err
    assert scene.is_as_it_was()
    assert scene.beside() == {}


def test_told_to_stop_when_it_is_done(scene: Scene) -> None:
    point = "dbbackup.operations.restore:_check_and_drop_old:before::1"
    command = start_halting(point, "restore", scene.saved.archive, "--yes", environment=scene.environment)
    command.send_signal(signal.SIGINT)
    command.send_signal(signal.SIGCONT)
    _, err = command.communicate(timeout=60)
    assert command.returncode == 130
    assert f"The database '{scene.target.name}' is the restored copy already" in err
    assert scene.is_restored()
    assert scene.resume().status == 0
    assert scene.beside() == {}


def test_an_old_database_that_cannot_be_dropped_is_kept_for_good(scene: Scene) -> None:
    """An active replication slot is what does that in practice; a prepared transaction does, too."""
    point = "dbbackup.adapters.postgres_cluster:PostgresCluster.answers:after::1"
    command = start_halting(point, "restore", scene.saved.archive, "--yes", environment=scene.environment)
    (old,) = scene.beside()
    server = scene.target.server
    server.execute("BEGIN; CREATE TABLE held (); PREPARE TRANSACTION 'held'", old)
    command.send_signal(signal.SIGCONT)
    out, err = command.communicate(timeout=60)
    assert command.returncode == 0, err
    assert f"what it replaced is kept as '{old}'" in out
    assert scene.is_restored()
    again = scene.restore("--plan")
    assert f"'{old}' is what an earlier restore has replaced and kept; it stays" in again.out
    assert scene.restore().status == 0
    assert scene.beside() == {old: ""}, "what was said to be kept is kept"
    assert comparison.contents(Database(server, old)) == scene.present
    server.execute("ROLLBACK PREPARED 'held'", old)
    server.execute(f'DROP DATABASE "{old}"')


def test_a_prepared_transaction_is_named_before_anything_is_done(scene: Scene) -> None:
    scene.target.execute("BEGIN; INSERT INTO customer VALUES (3, 'undecided'); PREPARE TRANSACTION 'undecided'")
    before = scene.databases()
    ended = scene.restore()
    assert ended.status == 2
    assert f"Prepared transactions keep '{scene.target.name}' from being renamed: undecided." in ended.err
    assert scene.databases() == before
    scene.target.execute("ROLLBACK PREPARED 'undecided'")
    assert scene.restore().status == 0
    assert scene.is_restored()


def test_timeouts_of_the_role_do_not_end_a_restore(scene: Scene, creator: Database) -> None:
    for setting in ("statement_timeout = '30ms'", "idle_session_timeout = '100ms'", "lock_timeout = '10ms'"):
        scene.target.server.execute(f"ALTER ROLE {creator.user} SET {setting}")
    ended = scene.restore("--no-owner", POSTGRES_USER=creator.user, POSTGRES_PASSWORD=creator.password)
    assert ended.status == 0, ended.err
    assert scene.is_restored()


def test_the_database_postgres_can_be_a_target(saved: Saved, new_database: DatabaseMaker, target: Database) -> None:
    postgres = Database(target.server, "postgres")
    postgres.superuser.execute(f"ALTER DATABASE postgres OWNER TO {target.user}")  # as on RDS
    scene = Scene(postgres, saved, comparison.contents(postgres))
    try:
        ended = scene.restore()
        assert ended.status == 0, ended.err
        assert scene.is_restored()
    finally:
        postgres.execute(
            "DROP TABLE IF EXISTS purchase, customer CASCADE; DROP SCHEMA IF EXISTS archive CASCADE;"
            "DROP SEQUENCE IF EXISTS counter"
        )
        postgres.superuser.execute("ALTER DATABASE postgres OWNER TO CURRENT_USER")


def test_resuming_where_nothing_was_left(scene: Scene) -> None:
    ended = scene.resume("--json")
    assert ended.status == 1
    assert ended.document["error"] == "not-found"
    assert scene.is_as_it_was()


def test_resuming_can_keep_what_is_replaced(scene: Scene, new_database: DatabaseMaker) -> None:
    point = "dbbackup.adapters.postgres_cluster:PostgresCluster.swap:before::1"
    killed = start_halting(point, "restore", scene.saved.archive, "--yes", environment=scene.environment)
    killed.kill()
    killed.communicate()
    document = scene.resume("--json", "--keep-old").document
    new_database.made.append(document["old_database"])
    assert document["finished"] == str(scene.saved.archive)
    assert scene.is_restored()
    assert comparison.contents(Database(scene.target.server, document["old_database"])) == scene.present


def test_resuming_into_a_name_that_is_free(scene: Scene, new_database: DatabaseMaker) -> None:
    free = f"{scene.target.name} free"
    new_database.made.append(free)
    point = "dbbackup.adapters.postgres_cluster:PostgresCluster.swap:before::1"
    killed = start_halting(point, "restore", scene.saved.archive, "--to", free, environment=scene.environment)
    killed.kill()
    killed.communicate()
    assert free not in scene.databases()
    ended = cli("restore", "--resume", "--to", free, environment=scene.environment)
    assert ended.status == 0, ended.err
    assert comparison.contents(Database(scene.target.server, free)) == scene.saved.content
    assert scene.is_as_it_was()
    assert not [name for name in scene.databases() if name.startswith(f"{free}__")]


def test_leftovers_of_other_targets_are_left_alone(scene: Scene, new_database: DatabaseMaker) -> None:
    other = Scene(new_database(f"{scene.target.name}_2"), scene.saved, {})
    point = "dbbackup.adapters.postgres_cluster:PostgresCluster.swap:before::1"
    killed = start_halting(point, "restore", scene.saved.archive, "--yes", environment=other.environment)
    killed.kill()
    killed.communicate()
    left = other.beside()
    assert scene.restore().status == 0
    assert scene.resume().status == 1
    assert other.beside() == left
    assert other.resume().status == 0
