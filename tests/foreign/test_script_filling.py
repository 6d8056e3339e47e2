"""Statements on their way to the server: one at a time, and read there as they were read here."""

from __future__ import annotations

import io

import pytest

from dbbackup.adapters.postgres_connection import connect
from dbbackup.adapters.script_filling import Filler
from dbbackup.core.deadline import NO_DEADLINE
from dbbackup.core.errors import RestoreFailedError
from dbbackup.core.restore_plan import RestoreOptions
from dbbackup.core.sql_script_reader import Part, Statement, read_script
from tests.support.databases import Database


def fill(database: Database, parts: list[Part]) -> dict[int, str]:
    """Carry parts of a script out; what the server refused."""
    with connect(database.parameters, "test", settings={"search_path": None}) as session:
        filler = Filler(
            session,
            numbers=range(1, 100),
            options=RestoreOptions(target=database.name),
            tablespaces=True,
            on_item=lambda: None,
            deadline=NO_DEADLINE,
        )
        filler.fill(iter(parts))
        return filler.refusals.words


def test_what_is_two_statements_to_the_server_ends_the_restore(database: Database) -> None:
    taken_for_one = Statement(b"CREATE TABLE a (id int); CREATE TABLE b (id int)", line=1)
    with pytest.raises(RestoreFailedError, match="two to the server"):
        fill(database, [taken_for_one])
    assert database.value("SELECT to_regclass('a') IS NULL AND to_regclass('b') IS NULL")


def test_a_backslash_stays_one_whatever_code_in_the_script_sets(database: Database) -> None:
    script = rb"""
        CREATE TABLE path (at text, "to" text);
        CREATE FUNCTION loosen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM set_config('standard_conforming_strings', 'off', false); RETURN NEW; END $$;
        CREATE TRIGGER loosen BEFORE INSERT ON path FOR EACH ROW EXECUTE FUNCTION loosen();
        INSERT INTO path VALUES ('C:\', 'D:\');
        INSERT INTO path VALUES ('C:\', 'D:\');
    """
    assert fill(database, list(read_script(io.BytesIO(script).read))) == {}
    assert database.value("""SELECT array_agg(at || "to") FROM path""") == ["C:\\D:\\"] * 2
