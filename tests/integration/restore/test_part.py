"""A part of an archive, into a database of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import comparison
from tests.support.command import Ended
from tests.support.databases import Database, DatabaseMaker
from tests.support.restores import SAVED, Saved, Scene, cli, save

COUNTS = """
    SELECT ARRAY[(SELECT count(*) FROM customer), (SELECT count(*) FROM purchase), (SELECT count(*) FROM archive.event)]
"""


@pytest.fixture
def rescue(target: Database, new_database: DatabaseMaker) -> Database:
    """A name that is free."""
    new_database.made.append(f"{target.name}_rescue")
    return Database(target.server, new_database.made[-1])


def _restore(saved: Saved, rescue: Database, *options: str) -> Ended:
    return cli("restore", saved.archive, *options, environment=rescue.environment())


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        (["--table", "purchase"], [0, 300, 0]),
        (["--table", "public.customer", "--table", "archive.event"], [40, 0, 7]),
        (["--schema", "archive"], [0, 0, 7]),
        (["--schema", "archive", "--table", "customer", "--jobs", "3"], [40, 0, 7]),
    ],
)
def test_only_the_data_that_was_asked_for(
    saved: Saved, rescue: Database, options: list[str], counts: list[int]
) -> None:
    ended = _restore(saved, rescue, *options)
    assert ended.status == 0, ended.err
    assert rescue.value(COUNTS) == counts
    assert ended.out.count("purchase_customer_id_fkey: it would") == 2, "skipped, before and after"
    assert "it would point at rows that are not restored" in ended.out
    assert "other objects: not asked for" in ended.out
    assert rescue.value("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == 0
    assert rescue.value("SELECT count(*) FROM pg_indexes WHERE tablename = 'purchase'") == 2
    assert rescue.value("SELECT count(*) FROM pg_views WHERE viewname = 'big'") == 1


@pytest.mark.parametrize(
    ("option", "name"), [("--table", "unheard"), ("--table", "archive.customer"), ("--schema", "unheard")]
)
def test_what_the_backup_does_not_have(scene: Scene, rescue: Database, option: str, name: str) -> None:
    before = scene.databases()
    ended = _restore(scene.saved, rescue, option, name)
    assert ended.status == 2
    assert "The backup has no data of " in ended.err
    assert scene.databases() == before


def test_never_over_a_database(scene: Scene) -> None:
    before = scene.databases()
    ended = scene.restore("--table", "purchase")
    assert ended.status == 2
    assert "the rest of it would be lost" in ended.err
    assert scene.is_as_it_was()
    assert scene.databases() == before


def test_without_a_manifest_a_part_cannot_be_chosen(scene: Scene, rescue: Database) -> None:
    before = scene.databases()
    scene.saved.manifest_file.unlink()
    ended = _restore(scene.saved, rescue, "--table", "purchase")
    assert ended.status == 2
    assert "by its manifest only" in ended.err
    assert scene.databases() == before


def test_odd_names_and_what_hangs_on_data_that_is_left_out(
    new_database: DatabaseMaker, rescue: Database, tmp_path: Path
) -> None:
    source = new_database()
    source.execute(f"""
        {SAVED}; SELECT lo_from_bytea(4711, 'body'); COMMENT ON LARGE OBJECT 4711 IS 'a picture';
        GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC;
        CREATE TABLE "Odd. Name" (id int); INSERT INTO "Odd. Name" VALUES (1);
        CREATE MATERIALIZED VIEW total AS SELECT count(*) FROM purchase; CREATE UNIQUE INDEX ON total (count);
        COMMENT ON CONSTRAINT purchase_customer_id_fkey ON purchase IS 'who bought it';
        ALTER TABLE "Odd. Name" ADD CONSTRAINT "odd key" FOREIGN KEY (id) REFERENCES customer;
        COMMENT ON CONSTRAINT "odd key" ON "Odd. Name" IS 'spaces'""")
    ended = _restore(save(source, tmp_path), rescue, "--table", "public.Odd. Name")
    assert ended.status == 0, ended.err
    assert comparison.contents(rescue)["public", "Odd. Name"][0] == 1
    assert comparison.large_objects(rescue) == []
