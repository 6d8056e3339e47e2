"""Memberships that a restore takes for its time: given back however it ends, and nobody else's business."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devtools.postgres import Server
from tests.support.as_master import Ground, ground_on
from tests.support.command import Ended
from tests.support.faults import wait_for
from tests.support.halting import start_halting
from tests.support.restores import cli

SCHEMA = """
    SET ROLE app;
    CREATE TABLE item (id int PRIMARY KEY, name text);
    INSERT INTO item SELECT n, 'item ' || n FROM generate_series(1, 50) n;
    GRANT SELECT ON item TO grantor WITH GRANT OPTION;
    SET ROLE grantor; GRANT SELECT ON item TO reader; RESET ROLE;
    CREATE TABLE legacy (id int); ALTER TABLE legacy OWNER TO other
"""
CLUSTER = "dbbackup.adapters.postgres_cluster:PostgresCluster"
RESTORE = "dbbackup.operations.restore"
BEFORE_THE_COPY = f"{CLUSTER}.create:before::1"
FILLED = f"{RESTORE}:compare:before::1"
VERIFIED = f"{CLUSTER}.swap:before::1"
POINTS = {
    "there is no copy yet": BEFORE_THE_COPY,
    "the copy is filled": FILLED,
    "the copy waits for the exchange": VERIFIED,
    "exchanged": f"{RESTORE}:_check_and_drop_old:before::1",
    "all is done but that": "dbbackup.adapters.memberships:remove_acting_role:before::1",
}
OURS = "SELECT array_agg(rolname::text ORDER BY rolname) FROM pg_roles WHERE rolname ~ '^__dbbackup_'"
OWNER = "SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = '{}'"
RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^dbbackup'"


class Running:
    """A command that stands still."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def kill(self) -> None:
        """End it without a word; the server sees that a moment later."""
        self._process.kill()
        self._process.communicate()

    def go_on(self) -> Ended:
        """Let it come to its end."""
        self._process.send_signal(signal.SIGCONT)
        out, err = self._process.communicate(timeout=60)
        return Ended(self._process.returncode, out, err)


Halt = Callable[..., Running]


@pytest.fixture
def halt(ground: Ground) -> Iterator[Halt]:
    started: list[Running] = []

    def start(point: str, command: str = "restore", to: str | None = None) -> Running:
        words = _words(ground, command)
        started.append(Running(start_halting(point, *words, environment=ground.environment(to))))
        return started[-1]

    yield start
    for running in started:
        running.kill()


def _words(ground: Ground, command: str) -> tuple[str | Path, ...]:
    if command == "resume":
        return "restore", "--resume", "--directory", ground.folder
    if command == "drill":
        return "drill", "--directory", ground.folder
    script = ground.folder / "not_restored.sql"
    source = ("latest", "--directory", ground.folder, "--database", ground.name)
    return "restore", *source, "--yes", "--jobs", "1", "--script", script


def _run(ground: Ground, command: str, to: str | None = None) -> Ended:
    return cli(*_words(ground, command), environment=ground.environment(to))


def _killed(ground: Ground, *running: Running) -> None:
    before = ground.root.value(RUNNING)
    for each in running:
        each.kill()
    wait_for(lambda: ground.root.value(RUNNING) < before)


def _backed_up(ground: Ground) -> Ground:
    ground.execute(SCHEMA)
    ended = ground.backup()
    assert ended.status == 0, ended.err
    return ground


def _has_options(ground: Ground) -> bool:
    return int(ground.root.value("SHOW server_version_num")) >= 160000


ROLES = ("app", "other", "reader", "grantor")


class Everywhere:
    """What holds on every major."""

    @pytest.mark.parametrize("after", ["restore", "resume", "drill"])
    def test_a_killed_restore_s_are_given_back_by_whatever_comes_next(
        self, ground: Ground, halt: Halt, after: str
    ) -> None:
        before = ground.memberships()
        _killed(ground, halt(FILLED))
        assert ground.memberships() != before
        ended = _run(ground, after)
        assert ended.status == 0, ended.err + ended.out
        assert ground.memberships() == before
        assert ground.root.value(OURS) is None

    def test_of_two_at_once_each_keeps_its_own_to_its_end(self, ground: Ground, halt: Halt) -> None:
        before, dump = ground.memberships(), ground.dump()
        first, second = halt(BEFORE_THE_COPY, to="first"), halt(BEFORE_THE_COPY, to="second")
        for running in (first, second):
            ended = running.go_on()
            assert ended.status == 0, ended.err + ended.out
        assert ground.memberships() == before
        assert ground.dump("first") == ground.dump("second") == dump
        assert [ground.root.value(OWNER.format(name)) for name in ("first", "second")] == ["app", "app"]

    def test_what_an_administrator_grants_meanwhile_stays(self, ground: Ground, halt: Halt) -> None:
        before = ground.memberships()
        running = halt(FILLED, to="another")
        # From 16 on it is one more option of what he was given when he created the role.
        ground.execute(f"GRANT app TO master {'WITH SET TRUE' if _has_options(ground) else ''}")
        assert running.go_on().status == 0
        after = ground.memberships()
        (granted,) = [row for row in after if row not in before]
        assert granted[:3] == ("app", "master", "postgres")
        assert {row[:3] for row in before if row not in after} <= {granted[:3]}

    def test_a_role_of_such_a_name_that_somebody_else_made_is_not_ours_to_drop(self, ground: Ground) -> None:
        name = "__dbbackup_acting_1_1"
        ground.execute("CREATE ROLE stranger CREATEROLE; GRANT CREATE ON SCHEMA public TO stranger")
        ground.execute(f'SET ROLE stranger; CREATE ROLE "{name}"; GRANT "{name}" TO master WITH ADMIN OPTION')
        before = ground.memberships()
        assert _run(ground, "restore", to="another").status == 0
        assert ground.memberships() == before
        assert ground.root.value(OURS) == [name]


class TestOnTheLatest(Everywhere):
    @pytest.fixture
    def ground(self, server: Server, tmp_path: Path) -> Iterator[Ground]:
        with ground_on(server, tmp_path / "backups", *ROLES) as made:
            # By himself, as our own grants are, and not enough: it is neither changed nor taken away.
            made.server.execute("GRANT app TO master WITH INHERIT TRUE, SET FALSE")
            yield _backed_up(made)


class TestOnOlderOnes(Everywhere):
    @pytest.fixture
    def ground(self, older_server: Server, tmp_path: Path) -> Iterator[Ground]:
        with ground_on(older_server, tmp_path / "backups", *ROLES) as made:
            yield _backed_up(made)


@pytest.fixture
def ground(server: Server, tmp_path: Path) -> Iterator[Ground]:
    with ground_on(server, tmp_path / "backups", *ROLES) as made:
        made.server.execute("GRANT app TO master WITH INHERIT TRUE, SET FALSE")
        yield _backed_up(made)


@pytest.mark.parametrize("after", ["restore", "resume"])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_every_step(ground: Ground, halt: Halt, point: str, after: str) -> None:
    before, dump = ground.memberships(), ground.dump(None, "--create")
    _killed(ground, halt(POINTS[point]))
    assert ground.root.value(OURS), "it was taken"
    ended = _run(ground, after)
    assert ended.status == 0, ended.err + ended.out
    assert ground.memberships() == before
    assert ground.dump(None, "--create") == dump


def test_a_resumption_takes_what_it_needs_itself(ground: Ground, halt: Halt) -> None:
    before, dump = ground.memberships(), ground.dump(None, "--create")
    _killed(ground, halt(VERIFIED))
    assert _run(ground, "restore", to="another").status == 0
    assert ground.memberships() == before
    resumed = _run(ground, "resume")
    assert resumed.status == 0, resumed.err
    assert "is now the copy restored from" in resumed.out
    assert ground.dump(None, "--create") == dump
    assert ground.memberships() == before


def test_killed_while_it_takes_them_it_has_taken_none(ground: Ground, halt: Halt) -> None:
    before = ground.memberships()
    tried_in_the_plan = 2
    taking = halt(f"dbbackup.adapters.memberships:Memberships._give:after:'app':{tried_in_the_plan + 1}")
    assert len(list(ground.folder.glob("*.dump"))) == 2, "the safety backup is made, the plan is behind us"
    _killed(ground, taking)
    assert ground.memberships() == before


def test_a_killed_drill(ground: Ground, halt: Halt) -> None:
    before = ground.memberships()
    _killed(ground, halt(FILLED, "drill"))
    assert ground.memberships() != before
    ended = _run(ground, "drill")
    assert ended.status == 0, ended.err
    assert ground.memberships() == before
    assert not ground.beside()


def test_the_plan_says_what_the_next_run_gives_back_and_leaves_it(ground: Ground, halt: Halt) -> None:
    _killed(ground, halt(BEFORE_THE_COPY))
    (role,) = ground.root.value(OURS)
    planned = cli(*_words(ground, "restore"), "--plan", environment=ground.environment())
    assert f"will remove the role '{role}', which holds the memberships of a restore that was stopped" in planned.out
    assert ground.root.value(OURS) == [role]
    resumed = _run(ground, "resume")
    assert f"removed the role '{role}'" in resumed.out
    assert _run(ground, "resume").status == 1, "there is nothing left to resume"


def test_only_those_of_runs_that_are_gone_are_given_back(ground: Ground, halt: Halt) -> None:
    before = ground.memberships()
    gone = halt(FILLED, to="first")
    goes_on = halt(FILLED, to="second")
    rehearsal = halt(FILLED, "drill")
    all_three = ground.root.value(OURS)
    _killed(ground, gone)
    assert _run(ground, "restore", to="third").status == 0
    assert len(all_three) == 3
    assert len(ground.root.value(OURS)) == 2
    assert goes_on.go_on().status == 0
    assert rehearsal.go_on().status == 0
    assert ground.memberships() == before


def test_when_its_session_was_ended_the_next_run_gives_back(ground: Ground, halt: Halt) -> None:
    before = ground.memberships()
    running = halt(FILLED)
    ground.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name ~ '^dbbackup'")
    assert running.go_on().status == 1
    assert ground.memberships() != before
    assert _run(ground, "resume").status == 0
    assert ground.memberships() == before


def test_a_role_dropped_meanwhile_is_no_obstacle(ground: Ground, halt: Halt) -> None:
    before = ground.memberships()
    running = halt(BEFORE_THE_COPY, to="another")
    ground.execute("REASSIGN OWNED BY other TO postgres; DROP OWNED BY other; DROP ROLE other")
    ended = running.go_on()
    assert ended.status == 1
    assert 'role "other" does not exist' in ended.err
    assert ground.memberships() == [row for row in before if "other" not in row]


def test_what_the_server_refuses_to_take_back_is_said_and_tried_again(ground: Ground, halt: Halt) -> None:
    before = ground.memberships()
    running = halt(FILLED, to="another")
    (role,) = ground.root.value(OURS)
    ground.execute(f'GRANT SELECT ON item TO "{role}"')
    ended = running.go_on()
    assert ended.status == 0
    assert f"removal of the role '{role}', which holds memberships for a restore: role" in ended.out
    assert f'later: DROP ROLE "{role}";' in ended.out
    assert "removal of the role" in _run(ground, "restore", to="third").out
    ground.execute(f'REVOKE SELECT ON item FROM "{role}"')
    assert _run(ground, "restore", to="fourth").status == 0
    assert ground.memberships() == before


def test_into_an_empty_database_that_an_administrator_made(ground: Ground, halt: Halt) -> None:
    """Nothing is created beside it that could tell of it."""
    ground.execute(
        "CREATE ROLE operator LOGIN CREATEROLE PASSWORD 'its own'; GRANT pg_read_all_data TO operator;"
        "GRANT app, other, grantor TO operator WITH ADMIN OPTION, INHERIT FALSE, SET FALSE"
    )
    ground.root.execute("CREATE DATABASE empty OWNER operator")
    before = ground.memberships()
    as_operator = {**ground.environment("empty"), "POSTGRES_USER": "operator", "POSTGRES_PASSWORD": "its own"}
    halted = Running(start_halting(FILLED, *_words(ground, "restore"), environment=as_operator))
    assert ground.memberships() != before
    _killed(ground, halted)
    resumed = cli(*_words(ground, "resume"), environment=as_operator)
    assert resumed.status == 0, resumed.err
    assert "No copy of a restore into 'empty' waits to be finished" in resumed.out
    assert ground.memberships() == before


def test_who_may_administer_and_create_no_role_is_told_what_to_say(ground: Ground) -> None:
    ground.execute(
        "CREATE ROLE operator LOGIN CREATEDB PASSWORD 'its own'; GRANT pg_read_all_data TO operator;"
        "GRANT app, other, grantor TO operator WITH ADMIN OPTION, INHERIT FALSE, SET FALSE"
    )
    as_operator = {**ground.environment("another"), "POSTGRES_USER": "operator", "POSTGRES_PASSWORD": "its own"}
    refused = cli(*_words(ground, "restore"), environment=as_operator)
    assert refused.status == 2
    statement = 'GRANT "app", "other" TO "operator" WITH INHERIT TRUE, SET TRUE'
    assert f"say: {statement}" in refused.out
    with ground.server.connect(user="operator", password="its own") as session:
        session.execute(f"{statement}; GRANT grantor TO operator".encode())
    ended = cli(*_words(ground, "restore"), environment=as_operator)
    assert ended.status == 0, ended.err + ended.out
