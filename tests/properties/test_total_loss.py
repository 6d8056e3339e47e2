"""A database made anew on another server: what ``pg_dump --create`` writes is the same, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest

from dbbackup.adapters.postgres_cluster import PostgresCluster, open_cluster
from dbbackup.adapters.postgres_session import PostgresDatabase
from dbbackup.core.database_properties import DatabaseProperties, Locale
from dbbackup.core.leftovers import Mark, State, new_name
from dbbackup.core.restore_plan import Skip
from devtools.postgres import Server
from tests.properties import scenes, whole_dump
from tests.properties.scenes import ICU, LOCALES, NAME, QUOTED
from tests.support.databases import Database


def _clean(server: Server) -> None:
    with server.superuser.connect() as session:
        for (name,) in session.execute("SELECT datname FROM pg_database WHERE datname LIKE 'it''s 100%'").fetchall():
            quoted = '"' + name.replace('"', '""') + '"'
            session.execute(f"ALTER DATABASE {quoted} IS_TEMPLATE false".encode())
            session.execute(f"DROP DATABASE {quoted} WITH (FORCE)".encode())
        for role in scenes.roles():
            with suppress(psycopg.errors.UndefinedObject):
                session.execute(role.replace("CREATE", "DROP").encode())


@contextmanager
def _made(server: Server, locale: str, *, superusers: bool) -> Iterator[Database]:
    """The database with its roles, made by the server's user."""
    _make_tablespace(server)
    try:
        _make_roles(server)
        with server.connect() as session:
            for statement in scenes.make(locale, superusers=superusers):
                session.execute(statement.encode())
        yield Database(server, NAME)
    finally:
        _clean(server)


def _make_tablespace(server: Server) -> None:
    with server.superuser.connect() as session, suppress(psycopg.errors.DuplicateObject):
        session.execute("SET allow_in_place_tablespaces = on")
        session.execute("CREATE TABLESPACE quick LOCATION ''")


def _make_roles(server: Server) -> None:
    with server.connect() as session:
        for role in scenes.roles():
            session.execute(role.encode())
            if server.user != server.superuser.user and session.info.server_version >= 160000:
                name = role.removeprefix("CREATE ROLE ")
                session.execute(f"GRANT {name} TO CURRENT_USER WITH SET TRUE, INHERIT TRUE".encode())


def _read(database: Database) -> DatabaseProperties:
    with PostgresDatabase(database.parameters).session("test") as session:
        properties = session.export_snapshot().facts.properties
    assert properties is not None
    return DatabaseProperties.model_validate_json(properties.model_dump_json())


def _restore(cluster: PostgresCluster, properties: DatabaseProperties) -> tuple[Skip, ...]:
    """What a restore does with the database itself; what was refused."""
    copy = new_name(NAME)
    mark = Mark(NAME, State.RESTORING, "backup")
    cluster.create(copy, mark, properties)
    refused = cluster.give_settings(copy, properties)
    old = f"{NAME}__dbbackup_old_20250111_023000" if NAME in cluster.names() else None
    refused += cluster.swap(copy, NAME, old, properties=properties, mark=Mark(NAME, State.REPLACED, "backup"))
    if old is not None:
        cluster.drop(old)
    assert cluster.answers(NAME)
    return tuple(refused)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_superuser_makes_it_as_it_was(server: Server, empty_server: Server, locale: str) -> None:
    with _made(server.superuser, LOCALES[locale], superusers=True) as source:
        before = whole_dump.created(source), whole_dump.roles(source)
        properties = _read(source)
        with _new(empty_server) as target, open_cluster(target.parameters) as cluster:
            state = cluster.state(NAME, properties)
            assert (state.creation_problem, state.property_problems) == (None, ())
            assert _restore(cluster, properties) == ()
            assert (whole_dump.created(target), whole_dump.roles(target)) == before


@contextmanager
def _new(server: Server) -> Iterator[Database]:
    """A database that does not exist, on a server that has the roles."""
    _make_tablespace(server)
    try:
        _make_roles(server)
        yield Database(server, NAME)
    finally:
        _clean(server)


@pytest.mark.parametrize("locale", ICU)
def test_a_database_that_sorts_as_icu_says_does_so_again(icu_server: Server, locale: str) -> None:
    with _made(icu_server, ICU[locale], superusers=True) as source:
        before, properties = whole_dump.created(source), _read(source)
        icu_server.execute(f"ALTER DATABASE {QUOTED} IS_TEMPLATE false")
        icu_server.execute(f"DROP DATABASE {QUOTED}")
        with open_cluster(source.parameters) as cluster:
            assert _restore(cluster, properties) == ()
        assert whole_dump.created(source) == before


@pytest.mark.parametrize("locale", ["builtin", "tablespace", "LATIN1"])
def test_over_an_existing_one_nothing_is_lost(server: Server, locale: str) -> None:
    with _made(server.superuser, LOCALES[locale], superusers=True) as target:
        before = whole_dump.created(target), whole_dump.roles(target)
        with open_cluster(target.parameters) as cluster:
            properties = cluster.state(NAME).properties
            assert properties is not None
            assert _restore(cluster, properties) == ()
        assert (whole_dump.created(target), whole_dump.roles(target)) == before


@pytest.mark.parametrize("locale", ["libc", "builtin", "SQL_ASCII"])
def test_a_master_without_superuser_makes_it_as_it_was(server: Server, empty_server: Server, locale: str) -> None:
    with _made(server.master, LOCALES[locale], superusers=False) as source:
        before, properties = whole_dump.created(source), _read(source)
        with _new(empty_server.master) as target, open_cluster(target.parameters) as cluster:
            state = cluster.state(NAME, properties)
            assert (state.creation_problem, state.property_problems) == (None, ())
            assert _restore(cluster, properties) == ()
            assert whole_dump.created(target) == before


def test_what_a_master_cannot_give_is_said_before_and_is_what_is_refused(server: Server, empty_server: Server) -> None:
    with _made(server.superuser, LOCALES["tablespace"], superusers=True) as source:
        with server.connect() as session:
            session.execute("SET allow_system_table_mods = on")
            label = "SELECT oid, 'pg_database'::regclass, 'strict', 'secret' FROM pg_database WHERE datname = %s"
            session.execute(f"INSERT INTO pg_shseclabel {label}".encode(), (NAME,))
        before, properties = whole_dump.created(source), _read(source)
        with _new(empty_server) as target, open_cluster(Database(empty_server.master, NAME).parameters) as cluster:
            said = {skip.what: skip for skip in cluster.state(NAME, properties).property_problems}
            assert set(said) == {
                "tablespace quick of the database",
                "setting log_statement of the database",
                "setting session_preload_libraries of the database",
                "setting app.tenant of the database",
                "setting temp_tablespaces of the database",
                'setting lock_timeout of the role it\'s "b" in the database',
                'setting search_path of the role it\'s "b" in the database',
                "setting application_name of the role reader in the database",
                "security label of strict on the database",
                "grantor of the right CONNECT on the database for reader",
                "owner of the database",
            }
            refused = _restore(cluster, properties)
            assert {skip.what.removeprefix("grantor of the ") for skip in refused} <= {
                what.removeprefix("grantor of the ") for what in said
            }
            with empty_server.connect() as superuser:
                assert superuser.execute("SELECT 1").fetchone()
                for skip in said.values():
                    if "security label" not in skip.what:
                        for statement in skip.statement.split("; "):
                            superuser.execute(statement.encode())
            ours = set(whole_dump.created(target))
            lost = [line for line in before if line not in ours and "SECURITY LABEL" not in line]
            assert lost == [], "each statement that the plan shows brings what was skipped"


def test_roles_that_are_not_there_cost_only_what_names_them(server: Server, empty_server: Server) -> None:
    with _made(server.master, LOCALES["libc"], superusers=False) as source:
        properties = _read(source)
    target = Database(empty_server.master, NAME)
    try:
        with open_cluster(target.parameters) as cluster:
            refused = _restore(cluster, properties)
        assert {skip.why for skip in refused} == {f'role "{name}" does not exist' for name in scenes.ROLES}
        settings = empty_server.value("SELECT setconfig::text FROM pg_db_role_setting WHERE setrole = 0")
        assert "DateStyle" in settings
    finally:
        _clean(empty_server)


@pytest.mark.parametrize(
    ("locale", "why"),
    [
        (Locale(provider="icu", collate="C", ctype="C", name="de"), "ICU is not supported in this build"),
        (Locale(provider="libc", collate="de_AT.utf8", ctype="C"), 'invalid LC_COLLATE locale name: "de_AT.utf8"'),
        (Locale(provider="builtin", collate="C", ctype="C", name="x"), 'invalid locale name "x" for builtin provider'),
    ],
    ids=["icu", "libc", "builtin"],
)
def test_a_locale_that_the_server_lacks_is_found_without_making_anything(
    server: Server, locale: Locale, why: str
) -> None:
    with open_cluster(Database(server.master, NAME).parameters) as cluster:
        before = cluster.names()
        state = cluster.state(NAME, DatabaseProperties(encoding="UTF8", locale=locale))
        assert state.creation_problem == why
        assert cluster.names() == before


@pytest.mark.parametrize("locale", ["libc", "LATIN1", "SQL_ASCII"])
def test_a_comment_beyond_ascii_is_the_same_in_every_encoding(server: Server, locale: str) -> None:
    with _made(server.master, LOCALES[locale], superusers=False) as target:
        with target.connect() as session:
            session.execute("SET default_transaction_read_only = off; SET client_encoding = 'UTF8'")
            session.execute(f"COMMENT ON DATABASE {QUOTED} IS 'café'".encode())
        before = whole_dump.created(target, encoding="UTF8")
        assert any("café" in line for line in before)
        with open_cluster(target.parameters) as cluster:
            properties = cluster.state(NAME).properties
            assert properties is not None
            assert _restore(cluster, properties) == ()
        assert whole_dump.created(target, encoding="UTF8") == before


def test_text_in_no_declared_encoding_is_named_and_stops_nothing(server: Server) -> None:
    with _made(server.master, LOCALES["SQL_ASCII"], superusers=False) as source:
        with source.connect() as session:
            session.execute("SET client_encoding = 'SQL_ASCII'; SET default_transaction_read_only = off")
            session.execute(b"COMMENT ON DATABASE " + QUOTED.encode() + b" IS 'caf\xe9'")
        properties = _read(source)
        assert properties.comment is None
        assert properties.unreadable == ("the comment",)
