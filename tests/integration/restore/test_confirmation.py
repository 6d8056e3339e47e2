"""Nothing is replaced that nobody has agreed to."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Callable

import pytest

from tests.support.command import PROGRAM, clean_environment
from tests.support.faults import wait_for
from tests.support.halting import start_halting
from tests.support.restores import Scene, cli


def _on_a_terminal(scene: Scene, answer: str, *options: str) -> tuple[int, str]:
    """Run the command on a pseudo terminal, and answer its question."""
    leader, follower = pty.openpty()
    command = subprocess.Popen(
        (PROGRAM, "restore", scene.saved.archive, *options),
        env=clean_environment({**scene.environment, "TERM": "xterm", "COLUMNS": "200"}),
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    said = b""
    answered = False
    try:
        while True:
            try:
                chunk = os.read(leader, 65536)
            except OSError:  # the other side is closed
                break
            if not chunk:
                break
            said += chunk
            if not answered and b"to go on: " in said:
                answered = True
                os.write(leader, answer.encode())
        return command.wait(60), said.decode(errors="replace")
    finally:
        os.close(leader)
        command.kill()
        command.wait()


def test_the_word_yes_goes_on(scene: Scene) -> None:
    status, said = _on_a_terminal(scene, "yes\n")
    assert status == 0, said
    assert scene.is_restored()
    assert f"ALL CURRENT DATA OF '{scene.target.name}' WILL BE REPLACED" in said
    assert "1 tables" in said
    assert "last backup here: none" in said


def test_the_question_is_no_part_of_a_json_document(scene: Scene) -> None:
    leader, follower = pty.openpty()
    os.write(leader, b"yes\n")
    done = subprocess.run(
        (PROGRAM, "restore", scene.saved.archive, "--json"),
        env=clean_environment(scene.environment),
        stdin=follower,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(follower)
    os.close(leader)
    assert done.returncode == 0, done.stderr
    assert "to go on: " in done.stderr
    assert json.loads(done.stdout)["status"] == "restored"


@pytest.mark.parametrize("answer", ["y\n", "YES\n", "no\n", "\n", "yes please\n", "\x04"])
def test_anything_else_changes_nothing(scene: Scene, answer: str) -> None:
    before = scene.databases()
    status, said = _on_a_terminal(scene, answer)
    assert status == 2, said
    assert "Not confirmed." in said
    assert scene.is_as_it_was()
    assert scene.databases() == before
    assert len(list(scene.saved.folder.iterdir())) == 3, "no safety backup either"


def test_without_a_terminal_nobody_can_agree(scene: Scene) -> None:
    before = scene.databases()
    ended = cli("restore", scene.saved.archive, "--json", environment=scene.environment)
    assert ended.status == 2
    assert ended.document["error"] == "refused"
    assert "Give --yes" in ended.err
    assert scene.is_as_it_was()
    assert scene.databases() == before


def test_a_plan_changes_nothing(scene: Scene) -> None:
    before = scene.databases()
    with scene.target.connect() as session:
        session.execute("SET application_name = 'the shop'")
        ended = scene.restore("--plan")
    assert ended.status == 0, ended.err
    assert "3 tables, 347 rows" in ended.out
    assert f"connected, will be disconnected: the shop of {scene.target.user}" in ended.out
    assert scene.is_as_it_was()
    assert scene.databases() == before
    assert len(list(scene.saved.folder.iterdir())) == 3


def test_a_plan_that_cannot_be_carried_out(scene: Scene) -> None:
    ended = scene.restore("--plan", "--table", "purchase")
    assert ended.status == 2
    assert "❌ Only a part is to be restored" in ended.out


def test_a_plan_removes_no_leftover(scene: Scene) -> None:
    point = "dbbackup.adapters.postgres_cluster:PostgresCluster.swap:before::1"
    killed = start_halting(point, "restore", scene.saved.archive, "--yes", environment=scene.environment)
    killed.kill()
    killed.communicate()
    left = scene.beside()
    assert list(left.values()) == ["verified"]
    assert scene.restore("--plan").status == 0
    assert scene.beside() == left
    refused = cli("restore", scene.saved.archive, environment=scene.environment)
    assert refused.status == 2
    assert scene.beside() == left


def _nothing_named(scene: Scene) -> tuple[str, ...]:
    return ("restore",)


def _no_such_file(scene: Scene) -> tuple[str, ...]:
    return ("restore", "none.dump", "--directory", str(scene.saved.folder), "--yes")


def _two_places(scene: Scene) -> tuple[str, ...]:
    return ("restore", "latest", "--directory", str(scene.saved.folder), "--bucket", "b")


@pytest.mark.parametrize(("arguments", "status"), [(_nothing_named, 2), (_no_such_file, 1), (_two_places, 2)])
def test_what_cannot_be_understood(scene: Scene, arguments: Callable[[Scene], tuple[str, ...]], status: int) -> None:
    assert cli(*arguments(scene), environment=scene.environment).status == status
    assert scene.is_as_it_was()


def test_the_second_of_two_restores_into_one_target_is_refused(scene: Scene) -> None:
    point = "dbbackup.operations.restore:compare:before::1"
    first = start_halting(point, "restore", scene.saved.archive, "--yes", environment=scene.environment)
    try:
        second = scene.restore("--json")
        assert second.status == 75
        assert second.document["error"] == "restore-in-progress"
        assert scene.resume().status == 75
        assert list(scene.beside().values()) == ["restoring"]
    finally:
        first.send_signal(18)  # SIGCONT
        out, err = first.communicate(timeout=60)
    assert first.returncode == 0, out + err
    wait_for(lambda: scene.beside() == {})
    assert scene.is_restored()
