"""Backups by the client of 18 of servers of 14 to 16, restored there and on others, by a master like that of RDS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.postgres import Server
from tests.support.as_master import Ground, ground_on, whole_dump
from tests.support.restores import cli

SCHEMA = """
    SET ROLE app;
    CREATE TABLE item (id int PRIMARY KEY, name text);
    INSERT INTO item SELECT n, 'n' || n FROM generate_series(1, 99) n;
    CREATE TABLE part (id int PRIMARY KEY, item int REFERENCES item); INSERT INTO part VALUES (1, 1), (2, 99);
    CREATE VIEW names AS SELECT name FROM item; GRANT SELECT ON names TO reader;
    CREATE SCHEMA private; CREATE TABLE private.note (id int GENERATED ALWAYS AS IDENTITY, body text);
    RESET ROLE; CREATE TABLE legacy (id int); ALTER TABLE legacy OWNER TO other;
"""


@pytest.fixture
def old_ground(older_server: Server, tmp_path: Path) -> Iterator[Ground]:
    with ground_on(older_server, tmp_path / "backups", "app", "other", "reader") as made:
        made.execute(SCHEMA)
        yield made


def test_a_backup_goes_back_to_the_server_it_is_of(old_ground: Ground) -> None:
    assert old_ground.backup().status == 0
    before, memberships = old_ground.dump(), old_ground.memberships()
    old_ground.execute("DROP TABLE part")
    for jobs in ("1", "3"):
        ended = old_ground.restore("--jobs", jobs)
        assert ended.status == 0, ended.err + ended.out
        assert old_ground.dump() == before
        assert old_ground.memberships() == memberships
    drill = cli("drill", "--directory", old_ground.folder, environment=old_ground.environment())
    assert drill.status == 0, drill.err + drill.out


def test_a_backup_goes_to_a_newer_server_with_its_roles(old_ground: Ground, server: Server, tmp_path: Path) -> None:
    assert old_ground.backup().status == 0
    before = old_ground.dump()
    with ground_on(server, tmp_path) as other:
        arguments = ("restore", "latest", "--directory", old_ground.folder, "--database", old_ground.name)
        ended = cli(*arguments, "--create-roles", environment=other.environment("moved"))
        assert ended.status == 0, ended.err + ended.out
        assert _body(whole_dump(other.root, "moved")) == _body(before)


def _body(dump: str) -> list[str]:
    """Without what belongs to the server: its version, and the superuser who owns the schema public until 15."""
    dump = re.sub(r"--\n-- Name: public; Type: SCHEMA.*?(?=--\n-- Name: )", "", dump, flags=re.DOTALL)
    dump = dump.replace("Schema: -; Owner: pg_database_owner", "Schema: -; Owner: postgres")
    lines = (line.replace("item.name", "name") for line in dump.splitlines() if line)
    return sorted(line for line in lines if not line.startswith(("-- Dumped from", "SET default_")))
