"""A target that takes what a publisher sends, and one that others read from."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.databases import Database, DatabaseMaker
from tests.support.faults import wait_for
from tests.support.restores import Scene

SLOT = f"feed_{os.getpid()}"
# Slots and what feeds a subscription take REPLICATION, which the master cannot have.
ACTIVE = f"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{SLOT}' AND active"


def _connection(publisher: Database) -> str:
    server = publisher.server.superuser
    return (
        f"host={server.host} port={server.port} user={server.user} password={server.password} dbname={publisher.name}"
    )


@pytest.fixture
def publisher(scene: Scene, new_database: DatabaseMaker) -> Iterator[Database]:
    """A publisher whose subscriber the target is."""
    made = new_database()
    target = scene.target
    made.execute("CREATE TABLE feed (id int PRIMARY KEY); CREATE PUBLICATION feed FOR TABLE feed")
    made.superuser.execute(f"SELECT pg_create_logical_replication_slot('{SLOT}', 'pgoutput')")
    target.execute("CREATE TABLE feed (id int PRIMARY KEY)")
    target.execute(
        f"CREATE SUBSCRIPTION \"my % feed\" CONNECTION '{_connection(made)}' PUBLICATION feed "
        f"WITH (create_slot = false, copy_data = false, slot_name = '{SLOT}')"
    )
    wait_for(lambda: target.server.value(ACTIVE))
    yield made
    wait_for(lambda: not target.server.value(ACTIVE))
    made.superuser.execute(f"SELECT pg_drop_replication_slot('{SLOT}')")


def test_a_subscription_is_detached_and_the_statement_attaches_it_to_the_new_one(
    scene: Scene, publisher: Database
) -> None:
    planned = scene.restore("--plan")
    assert "the subscription 'my % feed' is detached from what is replaced" in planned.out
    assert scene.target.value("SELECT count(*) FROM pg_subscription WHERE subenabled") == 1
    ended = scene.restore("--json")
    assert ended.status == 0, ended.err
    assert scene.is_restored()
    assert scene.beside() == {}, "nothing undroppable is left"
    (found,) = ended.document["refused"]
    assert found["what"] == "subscription my % feed"
    for password in scene.target.server.passwords.values():
        assert password not in ended.out
    assert scene.target.server.value(f"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{SLOT}'") == 1
    assert "password=..." in found["statement"], "who is no superuser has to give one"
    scene.target.execute(found["statement"].replace("password=...", f"password={publisher.superuser.password}"))
    names = scene.target.value(f"SELECT array_agg(subname::text) FROM pg_subscription WHERE subslotname = '{SLOT}'")
    assert names == ["my % feed"]
    _detach(scene.target)


def _detach(target: Database) -> None:
    target.execute(
        'ALTER SUBSCRIPTION "my % feed" DISABLE; ALTER SUBSCRIPTION "my % feed" SET (slot_name = NONE);'
        'DROP SUBSCRIPTION "my % feed"'
    )


@pytest.mark.parametrize("consuming", [True, False])
def test_the_subscription_of_a_superuser_is_refused_before_anything_is_done(
    scene: Scene, publisher: Database, consuming: bool
) -> None:
    root = scene.target.superuser
    root.execute('ALTER SUBSCRIPTION "my % feed" OWNER TO CURRENT_USER')
    if not consuming:
        root.execute('ALTER SUBSCRIPTION "my % feed" DISABLE')
        wait_for(lambda: not root.value(ACTIVE))
    before = scene.databases()
    ended = scene.restore()
    assert ended.status == 2
    assert f"The user {scene.target.user} may not act as {root.user}, who owns a part" in ended.err
    assert ("may not disconnect logical replication apply worker" in ended.err) is consuming
    assert scene.databases() == before
    assert root.value("SELECT count(*) FROM pg_subscription") == 1
    _detach(root)
    wait_for(lambda: not root.value("SELECT count(*) FROM pg_stat_activity WHERE backend_type ~ 'apply'"))
    assert scene.restore().status == 0


def test_what_is_put_aside_and_kept_goes_on_taking_nothing(scene: Scene, publisher: Database) -> None:
    ended = scene.restore("--json", "--keep-old")
    assert ended.status == 0, ended.err
    (old,) = scene.beside()
    assert scene.target.server.value("SELECT count(*) FROM pg_subscription") == 0
    publisher.execute("INSERT INTO feed VALUES (1)")
    assert scene.target.server.value("SELECT count(*) FROM feed", old) == 0


def test_slots_of_the_target_are_named_before_and_do_not_hold_it(scene: Scene) -> None:
    slot = f"read_{os.getpid()}"
    scene.target.superuser.execute(f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')")
    assert f"the logical slot '{slot}' stays with what is replaced: its consumers lose their position" in (
        scene.restore("--plan").out
    )
    assert scene.restore().status == 0
    assert scene.is_restored()
    assert scene.beside() == {}
