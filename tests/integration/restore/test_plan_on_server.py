"""The plan, held against real servers: roles, extensions, tablespaces, rights and versions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.core.compression import Method
from devtools.postgres import Server
from tests.support import comparison
from tests.support.backups import take
from tests.support.bindirs import previous_programs
from tests.support.databases import Database, DatabaseMaker, drop_all
from tests.support.restores import PRESENT, Saved, Scene, save

previous = pytest.mark.xdist_group("previous")
OWNER, READER, GROUP = "former owner", "former_reader", "former_group"


@pytest.fixture
def foreign(scene: Scene, new_database: DatabaseMaker, tmp_path: Path) -> Iterator[Scene]:
    """A backup that refers to roles which the server does not have."""
    source = new_database()
    source.execute(f"""
        CREATE ROLE "{OWNER}" LOGIN PASSWORD 'secret'; CREATE ROLE {READER}; CREATE ROLE {GROUP};
        GRANT {GROUP} TO {READER}; GRANT {READER} TO "{OWNER}";
        CREATE TABLE item (id int); INSERT INTO item VALUES (1), (2); GRANT SELECT ON item TO {READER}
    """)
    source.give("TABLE item", OWNER)
    saved = save(source, tmp_path / "foreign")
    source.execute(f'DROP TABLE item; DROP ROLE "{OWNER}", {READER}, {GROUP}')
    yield Scene(scene.target, saved, scene.present)
    drop_all(DatabaseMaker(source.server, [scene.target.name]))
    source.execute(f'DROP ROLE IF EXISTS "{OWNER}", {READER}, {GROUP}')


def _owner(scene: Scene) -> object:
    return scene.target.value("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'item'")


def test_missing_roles_are_found_before_anything_is_done(foreign: Scene) -> None:
    before = foreign.databases()
    ended = foreign.restore("--json")
    assert ended.status == 2
    assert f"does not have: {OWNER}, {READER}." in ended.document["what"]
    assert foreign.is_as_it_was()
    assert foreign.databases() == before
    assert foreign.restore("--no-owner").status == 2


def test_ownership_and_grants_can_be_left_out(foreign: Scene) -> None:
    ended = foreign.restore("--no-owner", "--no-acl")
    assert ended.status == 0, ended.err
    assert foreign.is_restored()
    assert _owner(foreign) == foreign.target.user


def test_missing_roles_can_be_created_without_passwords(foreign: Scene) -> None:
    ended = foreign.restore("--create-roles")
    assert ended.status == 0, ended.err
    assert f"will create the role '{OWNER}', without a password" in ended.out
    assert foreign.is_restored()
    assert _owner(foreign) == OWNER
    value = foreign.target.server.superuser.value  # nobody else reads pg_authid
    assert value(f"SELECT rolcanlogin AND rolpassword IS NULL FROM pg_authid WHERE rolname = '{OWNER}'")
    assert value(f"SELECT pg_has_role('{OWNER}', '{READER}', 'MEMBER')")
    assert value(f"SELECT pg_has_role('{READER}', '{GROUP}', 'MEMBER')"), "what the reader may do through the group"


@pytest.mark.parametrize("how", ["gone", "altered"])
def test_a_role_dump_that_is_not_what_was_backed_up_is_not_executed(foreign: Scene, how: str) -> None:
    before = foreign.databases()
    if how == "gone":
        foreign.saved.roles_file.unlink()
    else:
        with foreign.saved.roles_file.open("a") as file:
            file.write(f"ALTER ROLE {READER} SUPERUSER;\n")
    ended = foreign.restore("--create-roles")
    assert ended.status == 1
    assert ("There is no " if how == "gone" else "is not what was backed up") in ended.err
    assert foreign.is_as_it_was()
    assert foreign.databases() == before
    assert not foreign.target.server.value(f"SELECT count(*) FROM pg_roles WHERE rolname = '{READER}'")


def test_a_tablespace_that_the_server_does_not_have(scene: Scene, new_database: DatabaseMaker, tmp_path: Path) -> None:
    source = new_database()
    data = Path(source.value("SHOW data_directory"))
    folder = data.parent / "fast"
    folder.mkdir()
    folder.chmod(0o777)
    os.chown(folder, data.stat().st_uid, data.stat().st_gid)
    source.superuser.execute(f"CREATE TABLESPACE fast LOCATION '{folder}'")
    source.superuser.execute(f"GRANT CREATE ON TABLESPACE fast TO {source.user}")
    source.execute("CREATE TABLE item (id int) TABLESPACE fast; INSERT INTO item VALUES (1)")
    saved = save(source, tmp_path / "fast")
    source.execute("DROP TABLE item")
    source.superuser.execute("DROP TABLESPACE fast")
    moved = Scene(scene.target, saved, scene.present)
    ended = moved.restore()
    assert ended.status == 0, ended.err
    assert ended.out.count("TABLESPACE fast: not on this server") == 2, "before and after"
    assert moved.is_restored()


def test_an_application_that_may_create_databases(
    scene: Scene, creator: Database, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    source = new_database()
    source.execute("CREATE EXTENSION hstore; CREATE TABLE item (id int, h hstore); INSERT INTO item VALUES (1, 'a=>1')")
    own = Scene(creator, save(source, tmp_path / "own"), scene.present)
    ended = own.restore("--no-owner", "--no-privileges")
    assert ended.status == 0, ended.err
    assert "COMMENT EXTENSION" not in ended.out, "it says what CREATE EXTENSION says by itself"
    assert own.is_restored()
    assert scene.target.value("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'item'") == creator.user


def test_a_user_who_may_not_create_databases(scene: Scene) -> None:
    user = scene.target.user_without_rights()
    before = scene.databases()
    ended = scene.restore(POSTGRES_USER=user.user, POSTGRES_PASSWORD=user.password)
    assert ended.status == 2
    assert f"ALTER ROLE {user.user} CREATEDB" in ended.err
    assert scene.is_as_it_was()
    assert scene.databases() == before


def test_somebody_elses_database_is_not_replaced(scene: Scene) -> None:
    user = scene.target.user_without_rights("CREATEDB")
    scene.target.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user.user}")
    before = scene.databases()
    ended = scene.restore("--no-owner", "--no-acl", POSTGRES_USER=user.user, POSTGRES_PASSWORD=user.password)
    assert ended.status == 2
    assert f"The user {user.user} may not act as {scene.target.user}, who owns a part" in ended.err
    assert scene.is_as_it_was()
    assert scene.databases() == before


@pytest.fixture
def older(new_previous_database: DatabaseMaker, saved: Saved) -> Iterator[Scene]:
    """A target on PostgreSQL 17."""
    target = new_previous_database()
    target.execute(PRESENT)
    scene = Scene(target, saved, comparison.contents(target))
    yield scene
    drop_all(DatabaseMaker(target.server, list(scene.beside())))


@previous
def test_an_older_server_takes_what_it_understands(older: Scene, server: Server) -> None:
    ended = older.restore(PG_BINDIR=str(server.bindir))
    assert ended.status == 0, ended.err
    assert "note: the archive is of PostgreSQL 18" in ended.out
    assert older.is_restored()


@previous
def test_an_older_server_that_does_not_understand_keeps_its_target(
    older: Scene, new_database: DatabaseMaker, server: Server, tmp_path: Path
) -> None:
    source = new_database()
    source.execute("CREATE TABLE item (id int, twice int GENERATED ALWAYS AS (id * 2) VIRTUAL)")
    newer = Scene(older.target, save(source, tmp_path / "newer"), older.present)
    before = older.databases()
    ended = newer.restore(PG_BINDIR=str(server.bindir))
    assert ended.status == 3
    assert "TABLE public.item (syntax error" in ended.err
    assert newer.is_as_it_was()
    assert older.databases() == before


@previous
def test_an_extension_that_the_server_does_not_have(
    older: Scene, new_database: DatabaseMaker, server: Server, tmp_path: Path
) -> None:
    source = new_database()
    source.superuser.execute("CREATE EXTENSION vector")  # which does not trust others
    source.execute("CREATE TABLE item (v vector(2)); INSERT INTO item VALUES ('[1,2]')")
    vectors = Scene(older.target, save(source, tmp_path / "vectors"), older.present)
    before = older.databases()
    ended = vectors.restore(PG_BINDIR=str(server.bindir))
    assert ended.status == 2
    assert "The extension vector is not available on this server" in ended.err
    assert vectors.is_as_it_was()
    assert older.databases() == before


@previous
def test_a_newer_server_and_an_older_client(scene: Scene, new_previous_database: DatabaseMaker, tmp_path: Path) -> None:
    source = new_previous_database()
    source.execute(PRESENT)
    programs = previous_programs(tmp_path)
    manifest = take(source, DirectoryStore(tmp_path / "old"), bindir=programs, compression=Method.GZIP).manifest
    old = Scene(scene.target, Saved(tmp_path / "old", manifest, comparison.contents(source)), scene.present)
    new = old.restore()
    assert new.status == 0, new.err
    assert old.is_restored()
    (tmp_path / "zstd").mkdir()
    squeezed = take(source, DirectoryStore(tmp_path / "zstd"), bindir=programs, compression=Method.ZSTD).manifest
    before = old.databases()
    unable = Scene(scene.target, Saved(tmp_path / "zstd", squeezed, {}), scene.present).restore()
    assert unable.status == 1
    assert "cannot decompress the archive" in unable.err
    assert old.databases() == before
    plan = old.restore("--plan", PG_BINDIR=str(programs))
    assert "pg_restore of 17 is older" in plan.out
    refused = old.restore(PG_BINDIR=str(programs))
    assert refused.status == 1
    assert "a client cannot dump a newer server" in refused.err, "so there is no safety backup, and no restore"
    assert old.is_restored()
