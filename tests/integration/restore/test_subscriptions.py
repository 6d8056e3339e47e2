"""A target that takes what a publisher sends, and one that others read from."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.databases import Database, DatabaseMaker
from tests.support.faults import wait_for
from tests.support.restores import Scene

SLOT = f"feed_{os.getpid()}"
ACTIVE = f"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{SLOT}' AND active"


@pytest.fixture
def publisher(scene: Scene, new_database: DatabaseMaker) -> Iterator[Database]:
    """A publisher whose subscriber the target is."""
    made = new_database()
    target = scene.target
    made.execute("CREATE TABLE feed (id int PRIMARY KEY); CREATE PUBLICATION feed FOR TABLE feed")
    made.execute(f"SELECT pg_create_logical_replication_slot('{SLOT}', 'pgoutput')")
    target.execute("CREATE TABLE feed (id int PRIMARY KEY)")
    where = f"host={target.server.host} port={target.server.port} user={target.user} password={target.password}"
    target.execute(
        f"CREATE SUBSCRIPTION \"my % feed\" CONNECTION '{where} dbname={made.name}' PUBLICATION feed "
        f"WITH (create_slot = false, copy_data = false, slot_name = '{SLOT}')"
    )
    wait_for(lambda: target.server.value(ACTIVE))
    yield made
    wait_for(lambda: not target.server.value(ACTIVE))
    made.execute(f"SELECT pg_drop_replication_slot('{SLOT}')")


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
    assert scene.target.password not in ended.out
    assert scene.target.server.value(f"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{SLOT}'") == 1
    scene.target.execute(found["statement"])
    names = scene.target.value(f"SELECT array_agg(subname::text) FROM pg_subscription WHERE subslotname = '{SLOT}'")
    assert names == ["my % feed"]
    scene.target.execute('ALTER SUBSCRIPTION "my % feed" SET (slot_name = NONE); DROP SUBSCRIPTION "my % feed"')


def test_what_is_put_aside_and_kept_goes_on_taking_nothing(scene: Scene, publisher: Database) -> None:
    ended = scene.restore("--json", "--keep-old")
    assert ended.status == 0, ended.err
    (old,) = scene.beside()
    assert scene.target.server.value("SELECT count(*) FROM pg_subscription") == 0
    publisher.execute("INSERT INTO feed VALUES (1)")
    assert scene.target.server.value("SELECT count(*) FROM feed", old) == 0


def test_slots_of_the_target_are_named_before_and_do_not_hold_it(scene: Scene) -> None:
    slot = f"read_{os.getpid()}"
    scene.target.execute(f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')")
    assert f"the logical slot '{slot}' stays with what is replaced: its consumers lose their position" in (
        scene.restore("--plan").out
    )
    assert scene.restore().status == 0
    assert scene.is_restored()
    assert scene.beside() == {}
