"""What a database's comment claims: it steers nobody who did not write it."""

from __future__ import annotations

import pytest

from dbbackup.adapters.session_ending import SessionEnding
from dbbackup.core.leftovers import Mark, State, new_name, old_name
from tests.support.databases import Database, DatabaseMaker
from tests.support.halting import start_halting
from tests.support.restores import Scene

BEFORE_THE_SWAP = "dbbackup.adapters.postgres_cluster:PostgresCluster.swap:before::1"


@pytest.fixture
def stranger(scene: Scene) -> Database:
    """Somebody who may create databases, and may connect to the target."""
    return scene.target.user_without_rights("CREATEDB")


@pytest.mark.parametrize("state", State)
def test_the_mark_of_somebody_else_is_named_and_left_alone(
    scene: Scene, stranger: Database, new_database: DatabaseMaker, state: State
) -> None:
    name = new_name(scene.target.name)
    if state is State.REPLACED:
        name = old_name(scene.target.name, scene.saved.manifest.snapshot_at)
    new_database.made.append(name)
    mark = Mark(scene.target.name, state, str(scene.saved.archive), manifest_sha256=scene.saved.manifest.digest)
    with scene.target.server.connect(user=stranger.user, password=stranger.password) as session:
        session.execute(f'CREATE DATABASE "{name}"'.encode())
        session.execute(f"COMMENT ON DATABASE \"{name}\" IS '{mark.to_comment()}'".encode())
    resumed = scene.resume()
    assert resumed.status == 1
    assert f"'{name}' looks like a restore's and belongs to {stranger.user}; it is left alone" in resumed.err
    assert scene.is_as_it_was()
    restored = scene.restore()
    assert restored.status == 0, restored.err
    assert f"'{name}' looks like a restore's" in restored.out
    assert name in scene.databases()


def test_a_copy_is_compared_with_its_manifest_again_before_it_is_put_in_place(scene: Scene) -> None:
    killed = start_halting(BEFORE_THE_SWAP, "restore", scene.saved.archive, "--yes", environment=scene.environment)
    killed.kill()
    killed.communicate()
    (copy,) = scene.beside()
    manifest = scene.saved.manifest_file.read_bytes()

    scene.saved.manifest_file.unlink()
    refused = scene.resume()
    assert refused.status == 1
    assert "the manifest of its backup" in refused.err
    assert "cannot be found" in refused.err

    scene.saved.rewrite(software_version="another")
    assert "is not the one that the copy was compared with" in scene.resume().err
    scene.saved.manifest_file.write_bytes(manifest)

    scene.target.server.execute("INSERT INTO customer VALUES (1000, 'written into the copy')", copy)
    assert "41 rows instead of 40" in scene.resume().err
    assert scene.is_as_it_was()
    assert list(scene.beside()) == [copy]

    scene.target.server.execute("DELETE FROM customer WHERE id = 1000", copy)
    resumed = scene.resume()
    assert resumed.status == 0, resumed.err
    scene.remove_kept(resumed)


def test_what_was_kept_outlives_every_later_restore_also_renamed(scene: Scene, new_database: DatabaseMaker) -> None:
    assert scene.restore("--keep-old").status == 0
    (old,) = scene.beside()
    renamed = f"{scene.target.name} of last week"
    assert scene.restore().status == 0
    scene.target.server.execute(f'ALTER DATABASE "{old}" RENAME TO "{renamed}"')
    new_database.made.append(renamed)
    assert scene.restore().status == 0
    assert renamed in scene.databases()


def test_a_comment_of_brackets_ends_no_restore(scene: Scene, new_database: DatabaseMaker) -> None:
    other = new_database()
    scene.target.server.execute(f"COMMENT ON DATABASE {other.name} IS '{'[' * 200_000}'")
    assert scene.restore().status == 0
    assert scene.is_restored()


def test_a_session_that_may_not_be_ended_is_named_before_anything_is_done(scene: Scene) -> None:
    before = scene.databases()
    with scene.target.superuser.connect() as session:
        session.execute("SET application_name = 'a superuser''s'")
        said = f"a superuser's of postgres, process {session.info.backend_pid}"
        refused = scene.restore()
        assert refused.status == 2
        assert f"The user {scene.target.user} may not disconnect {said} from '{scene.target.name}'" in refused.err
        assert f"connected, may not be disconnected: {said}" in scene.restore("--plan").out
        assert scene.databases() == before
        assert session.execute("SELECT 1").fetchone() == (1,)
    assert scene.restore().status == 0


def test_a_session_that_is_there_for_a_moment_keeps_nobody_from_a_restore(scene: Scene) -> None:
    with scene.target.superuser.connect() as session:
        # As a provider's check of its instances: it ends by itself while the plan is made.
        session.execute("SET idle_session_timeout = '1500ms'")
        ended = scene.restore()
    assert ended.status == 0, ended.err


def test_a_session_that_may_not_be_ended_does_not_save_the_others(scene: Scene) -> None:
    server = scene.target.server
    app = scene.target.user_without_rights()
    with (
        server.superuser.connect(scene.target.name, application_name="a superuser's") as ours,
        server.connect(scene.target.name, user=app.user, password=app.password) as theirs,
        server.connect() as master,
    ):
        ending = SessionEnding()
        ending.one_round(master, (scene.target.name,))
        assert ending.stubborn() == [f"a superuser's of postgres, process {ours.info.backend_pid}"]
        gone = f"SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = {theirs.info.backend_pid}"
        for _ in range(100):
            if server.value(gone):
                break
        assert server.value(gone)
        assert ours.execute("SELECT 1").fetchone() == (1,)
