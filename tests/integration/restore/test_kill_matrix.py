"""A restore that is ended at every step: the target is what it was or complete, and the next run tidies up."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from devtools.postgres import Server
from tests.support import comparison
from tests.support.command import start_dbbackup
from tests.support.databases import AsUser, Database, DatabaseMaker, drop_all
from tests.support.faults import wait_for
from tests.support.halting import start_halting
from tests.support.restores import Saved, Scene, save

CLUSTER = "dbbackup.adapters.postgres_cluster:PostgresCluster"
EXCHANGE = "dbbackup.adapters.exchange"
RESTORE = "dbbackup.operations.restore"
POINTS = {
    "reading the archive": "dbbackup.operations.archive_source:ArchiveSource._compare:before::1",
    "before the safety backup": "dbbackup.cli.restore:_safety_backup:before::1",
    "in the safety backup": "dbbackup.operations.backup:verify_archive:before::1",
    "created, not marked": f"{CLUSTER}.mark:before::1",
    "marked, empty": "dbbackup.adapters.restore_tools:RestoreTools.restore:before::1",
    "comparing": f"{RESTORE}:compare:before::1",
    "compared, not marked so": f"{CLUSTER}.mark:before:VERIFIED:1",
    "verified, before the exchange": f"{CLUSTER}.swap:before::1",
    "in the exchange, one name changed": f"{EXCHANGE}:rename:after::1",
    "in the exchange, both names changed": f"{EXCHANGE}:rename:after::2",
    "exchanged, old one not removed": f"{RESTORE}:_check_and_drop_old:before::1",
    "old one removed": f"{RESTORE}:_check_and_drop_old:after::1",
}
RESTORED = {"exchanged, old one not removed", "old one removed"}
NOTHING_LEFT = {"reading the archive", "before the safety backup", "in the safety backup", "old one removed"}
FINISHED_BY_RESUME = {"verified, before the exchange"} | {point for point in POINTS if point.startswith("in the exch")}
"""A rename that was not committed never was."""
OF_OURS = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = '{}'"


@dataclass(frozen=True)
class Halted:
    """A restore that stands still."""

    scene: Scene
    command: subprocess.Popen[str]

    def family(self) -> list[psutil.Process]:
        """The command and its children."""
        own = psutil.Process(self.command.pid)
        return [own, *own.children(recursive=True)]

    def end(self) -> tuple[int, str]:
        """Let it go on to its end."""
        self.command.send_signal(signal.SIGCONT)
        out, err = self.command.communicate(timeout=60)
        return self.command.returncode, out + err


Halt = Callable[[str], Halted]


@pytest.fixture
def halt(scene: Scene) -> Iterator[Halt]:
    started: list[subprocess.Popen[str]] = []

    def start(point: str) -> Halted:
        arguments = ("restore", scene.saved.archive, "--yes", "--jobs", "1")
        started.append(start_halting(POINTS[point], *arguments, environment=scene.environment))
        return Halted(scene, started[-1])

    yield start
    for command in started:
        command.kill()
        command.communicate()


def _assert_nothing_runs(family: list[psutil.Process]) -> None:
    wait_for(lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in family))


@pytest.mark.parametrize("point", POINTS)
def test_killed(halt: Halt, scene: Scene, point: str) -> None:
    halted = halt(point)
    family = halted.family()
    halted.command.kill()
    halted.command.communicate()

    assert scene.is_restored() if point in RESTORED else scene.is_as_it_was()

    resumed = scene.resume()
    if point in NOTHING_LEFT:
        assert resumed.status == 1
        assert "has left anything to resume" in resumed.err
    else:
        assert resumed.status == 0, resumed.err
    assert scene.is_restored() if point in RESTORED | FINISHED_BY_RESUME else scene.is_as_it_was()
    if point in FINISHED_BY_RESUME:
        scene.remove_kept(resumed)
    assert scene.beside() == {}
    _assert_nothing_runs(family)


def test_what_was_written_after_the_kill_is_not_lost_by_a_resumption(halt: Halt, scene: Scene) -> None:
    halted = halt("verified, before the exchange")
    halted.command.kill()
    halted.command.communicate()
    scene.target.execute("CREATE TABLE written_later (id int); INSERT INTO written_later VALUES (7)")

    resumed = scene.resume()

    assert resumed.status == 0
    assert scene.is_restored()
    (kept,) = scene.beside()
    assert Database(scene.target.server, kept).server.value("SELECT id FROM written_later", kept) == 7
    scene.target.server.execute(f'DROP DATABASE "{kept}"')


@pytest.mark.parametrize("point", ["in the safety backup", "created, not marked", "verified, before the exchange"])
def test_killed_and_started_anew(halt: Halt, scene: Scene, point: str) -> None:
    halt(point).command.kill()
    again = scene.restore()
    assert again.status == 0, again.err
    assert scene.is_restored()
    assert scene.beside() == {}


@pytest.mark.parametrize("point", [point for point in POINTS if point not in NOTHING_LEFT])
def test_our_session_is_ended_by_the_server(halt: Halt, scene: Scene, point: str) -> None:
    halted = halt(point)
    scene.target.server.execute(OF_OURS.format("dbbackup restore"))
    status, said = halted.end()

    if point in RESTORED:
        assert scene.is_restored()
    else:
        assert status == 1, said
        assert scene.is_as_it_was()
        assert "Traceback" not in said
    if scene.beside():
        resumed = scene.resume()
        assert resumed.status == 0
        if point in FINISHED_BY_RESUME:
            scene.remove_kept(resumed)
    assert scene.is_restored() if point in RESTORED | FINISHED_BY_RESUME else scene.is_as_it_was()
    assert scene.beside() == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "point", ["reading the archive", "marked, empty", "comparing", "in the exchange, both names changed"]
)
def test_told_to_stop(halt: Halt, scene: Scene, point: str, number: signal.Signals) -> None:
    halted = halt(point)
    halted.command.send_signal(number)
    status, said = halted.end()
    assert status == 130, said
    assert f"Stopped by {number.name}" in said
    assert scene.is_as_it_was()
    assert scene.beside() == {}


HOLD = """
    CREATE FUNCTION hold(phase text, n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN
        WHILE current_database() ~ '__dbbackup_new_'
            AND EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE application_name = phase)
        LOOP
            PERFORM pg_catalog.pg_sleep(0.02), pg_catalog.pg_stat_clear_snapshot();
        END LOOP;
        RETURN n;
    END $$;
    CREATE TABLE held (id int CHECK (hold('hold_data', id) = id));
    INSERT INTO held SELECT generate_series(1, 50);
    CREATE INDEX ON held (hold('hold_index', id));
"""
ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE datname ~ '__dbbackup_new_' AND wait_event = 'PgSleep'"


@pytest.fixture(scope="session")
def _held(server: Server, as_user: AsUser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    maker = DatabaseMaker(as_user(server))
    source = maker()
    source.execute(HOLD)
    yield save(source, tmp_path_factory.mktemp("held"))
    drop_all(maker)


@pytest.fixture(params=["data", "index"])
def held(request: pytest.FixtureRequest, _held: Saved, target: Database, tmp_path: Path) -> Iterator[Halted]:
    """A restore whose pg_restore is in the middle of the data, or of an index."""
    scene = Scene(target, _held.copy_to(tmp_path / "backups"), comparison.contents(target))
    gate = target.server.connect(application_name=f"hold_{request.param}")
    arguments = ("restore", scene.saved.archive, "--yes", "--jobs", "2")
    command = start_dbbackup(*arguments, environment=scene.environment)
    wait_for(lambda: target.server.value(ASLEEP))
    yield Halted(scene, command)
    gate.close()
    command.kill()
    command.communicate()
    for name in scene.beside():
        drop_all(DatabaseMaker(target.server, [name]))


def _pg_restores(held: Halted) -> list[psutil.Process]:
    return [each for each in held.family() if each.name() == "pg_restore"]


def _kill_us(held: Halted) -> None:
    held.command.kill()


def _kill_pg_restore(held: Halted) -> None:
    _pg_restores(held)[0].kill()


def _kill_a_worker_of_pg_restore(held: Halted) -> None:
    os.kill(max(_pg_restores(held), key=lambda each: len(each.parents())).pid, signal.SIGKILL)


def _end_its_sessions(held: Halted) -> None:
    held.scene.target.server.execute(OF_OURS.format("dbbackup pg_restore"))


def _interrupt(held: Halted) -> None:
    held.command.send_signal(signal.SIGINT)


@pytest.mark.parametrize(
    "attack", [_kill_us, _kill_pg_restore, _kill_a_worker_of_pg_restore, _end_its_sessions, _interrupt]
)
def test_in_the_middle_of_pg_restore(held: Halted, attack: Callable[[Halted], None]) -> None:
    scene = held.scene
    family = held.family()
    assert len(_pg_restores(held)) >= 2
    attack(held)
    out, err = held.command.communicate(timeout=60)

    assert scene.is_as_it_was()
    if attack is _kill_us:
        assert list(scene.beside().values()) == ["restoring"]
        resumed = scene.resume()
        assert resumed.status == 0, resumed.err
    else:
        assert held.command.returncode == (130 if attack is _interrupt else 1), out + err
    assert scene.is_as_it_was()
    assert scene.beside() == {}
    _assert_nothing_runs(family)
