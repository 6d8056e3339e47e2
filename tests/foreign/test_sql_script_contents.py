"""What a script holds, what of it is never carried out, and what makes it refused."""

from __future__ import annotations

import io

import pytest

from dbbackup.core.archive_toc import Entry
from dbbackup.core.errors import RefusedError, VerificationFailedError
from dbbackup.core.needed_roles import needs_of
from dbbackup.core.sql_script_contents import Survey, survey

HEADER = (
    "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 14.2\n-- Dumped by pg_dump version 15.1\n\n"
)
TRAILER = "\n--\n-- PostgreSQL database dump complete\n--\n\n"


def surveyed(script: str) -> Survey:
    return survey(io.BytesIO(script.encode()).read, "x.sql")


def entries(script: str) -> dict[str, Entry]:
    return {entry.description: entry for entry in surveyed(script).contents.items}


def test_each_statement_is_the_entry_that_it_would_be_in_an_archive() -> None:
    found = entries(
        """
        SET default_tablespace = fast;
        CREATE SCHEMA shop AUTHORIZATION app;
        CREATE TABLE shop."a b" (id int);
        ALTER TABLE shop."a b" OWNER TO "App x";
        CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public;
        COMMENT ON EXTENSION hstore IS 'x';
        ALTER TABLE ONLY shop."a b" ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES shop.u(id);
        ALTER TABLE ONLY shop."a b" ADD CONSTRAINT p PRIMARY KEY (id);
        CREATE TRIGGER tr BEFORE INSERT ON shop."a b" FOR EACH ROW EXECUTE FUNCTION f();
        GRANT SELECT ON TABLE shop."a b" TO reader WITH GRANT OPTION;
        ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA shop GRANT SELECT ON TABLES TO reader;
        SELECT pg_catalog.setval('shop.s', 4, true);
        CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f();
        CREATE PUBLICATION p FOR ALL TABLES;
        """
    )
    assert [*found] == [
        *("SETTING default_tablespace", "SCHEMA shop", "TABLE shop.a b", "EXTENSION hstore"),
        *("COMMENT EXTENSION hstore", "FK CONSTRAINT shop.a b k", "CONSTRAINT shop.a b p", "TRIGGER shop.a b tr"),
        *("ACL shop.TABLE a b", "DEFAULT ACL DEFAULT PRIVILEGES", "SEQUENCE SET shop.s"),
        *("EVENT TRIGGER e", "PUBLICATION p"),
    ]
    assert found["COMMENT EXTENSION hstore"].dependencies == (found["EXTENSION hstore"].dump_id,)
    assert found["SCHEMA shop"].owner == "app"
    assert found["TABLE shop.a b"].owner == "App x"
    assert found["DEFAULT ACL DEFAULT PRIVILEGES"].owner == "app"


def test_the_roles_that_it_needs_are_those_of_its_statements_and_not_of_its_texts() -> None:
    needs = needs_of(
        surveyed(
            """CREATE TABLE t (id int);
ALTER TABLE t OWNER TO app;
CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$
ALTER TABLE t OWNER TO nobody_here;
GRANT ALL ON t TO nobody_there;
$$;
COPY t FROM stdin;
ALTER TABLE t OWNER TO a_row;
\\.
GRANT SELECT ON TABLE t TO reader, "Other one";
CREATE POLICY p ON t FOR SELECT TO watcher USING (true);
"""
        ).contents.items
    )
    assert needs.owners == {"app"}
    assert needs.grantees == {"reader", "Other one"}
    assert needs.named == {"watcher"}


def test_rows_are_counted_and_inserts_of_one_table_are_one_entry() -> None:
    found = surveyed(
        "COPY a FROM stdin;\n1\n2\n\\.\nCOPY b FROM stdin;\n\\.\n" + "INSERT INTO c VALUES (1);\n" * 5 + "SELECT 1;"
    )
    assert [entry.description for entry in found.contents.table_data] == [
        "TABLE DATA a",
        "TABLE DATA b",
        "TABLE DATA c",
    ]
    assert [found.rows.get(entry.dump_id) for entry in found.contents.table_data] == [2, 0, None]
    assert found.inserts == 5


@pytest.mark.parametrize(
    "statement",
    [
        *(
            "CREATE DATABASE x",
            "DROP DATABASE IF EXISTS x",
            "ALTER DATABASE x SET a = 1",
            "ALTER DATABASE x OWNER TO y",
        ),
        *("COMMENT ON DATABASE x IS 'y'", "GRANT ALL ON DATABASE x TO y", "SECURITY LABEL ON DATABASE x IS 'y'"),
        *("CREATE ROLE x", "ALTER ROLE x SUPERUSER", "DROP ROLE x", "CREATE USER x", "ALTER USER x PASSWORD 'y'"),
        *("CREATE GROUP x", "GRANT x TO y", "REVOKE x FROM y", "COMMENT ON ROLE x IS 'y'", "SET ROLE x", "RESET ROLE"),
        *("DROP OWNED BY x", "REASSIGN OWNED BY x TO y", "ALTER SYSTEM SET a = 1", "CREATE TABLESPACE x LOCATION '/y'"),
        *("ALTER TABLESPACE x RENAME TO y", "GRANT CREATE ON TABLESPACE x TO y", "SET SESSION AUTHORIZATION 'x'"),
        *("GRANT SET ON PARAMETER a TO y", "COPY t FROM '/etc/passwd'", "COPY t FROM PROGRAM 'ls'", "COPY t TO stdout"),
        *("COPY (SELECT 1) TO PROGRAM 'ls'", "DO $$BEGIN END$$", "CALL f()", "SELECT evil()", "SELECT 1", "LOAD 'x'"),
        *(
            "SELECT pg_terminate_backend(1)",
            "EXECUTE x",
            "PREPARE x AS SELECT 1",
            "IMPORT FOREIGN SCHEMA a FROM SERVER b",
        ),
        *("SELECT set_config('role', 'x', false)", "EXPLAIN ANALYZE SELECT f()", "WITH a AS (SELECT f()) SELECT 1"),
        *("/* CREATE TABLE */ DROP /* */ DATABASE x", "drop\ndatabase x", '"select" 1', "CHECKPOINT", "LISTEN x"),
        *("SELECT pg_catalog.set_config('search_path', (SELECT f()), false)", "VALUES (f())", "TABLE x", "SHOW x"),
    ],
)
def test_what_reaches_beyond_the_database_is_never_carried_out_and_that_is_said(statement: str) -> None:
    contents = surveyed(f"CREATE TABLE t (id int);\n{statement};").contents
    assert [entry.description for entry in contents.items] == ["TABLE t"]
    (left_out,) = contents.left_out
    assert f"{statement};".endswith(left_out.statement)
    assert "(line 2)" in left_out.what
    assert left_out.why


def test_what_would_be_removed_from_a_new_database_is_left_out_until_something_is_made() -> None:
    contents = surveyed("DROP TABLE a;\nALTER TABLE b DROP CONSTRAINT c;\nCREATE TABLE a ();\nDROP TABLE a;").contents
    assert [entry.description for entry in contents.items] == ["TABLE a", "DROP TABLE a"]
    assert [left_out.what for left_out in contents.left_out] == ["DROP TABLE a (line 1)"]


@pytest.mark.parametrize("command", ["\\! ls", "\\copy t from x", "\\i other.sql", "\\gexec", "\\if"])
def test_a_command_for_psql_that_could_do_anything_makes_it_refused(command: str) -> None:
    with pytest.raises(RefusedError, match=r"line 2") as error:
        surveyed(f"CREATE TABLE t (id int);\n{command}\n")
    assert "psql" in error.value.action


def test_commands_of_psql_that_nothing_is_lost_by_are_passed_over() -> None:
    surveyed("\\restrict abc\n\\set ON_ERROR_STOP on\n\\echo hello\nCREATE TABLE t ();\n\\unrestrict abc\n")


def test_a_script_of_one_database_says_where_it_would_have_gone_and_one_of_several_is_refused() -> None:
    contents = surveyed("CREATE DATABASE a;\n\\connect a\nCREATE TABLE t ();\n\\connect a\n").contents
    assert contents.database == "a"
    assert [left_out.what for left_out in contents.left_out] == ["\\connect a (line 2)", "CREATE DATABASE a (line 1)"]
    with pytest.raises(RefusedError, match="several databases"):
        surveyed("\\connect a\nCREATE TABLE t ();\n\\c b\nCREATE TABLE t ();\n")


def test_a_dump_of_pg_dump_says_its_versions_and_its_end() -> None:
    found = surveyed(HEADER + "CREATE TABLE t ();\n" + TRAILER)
    assert (found.contents.server_major, found.contents.dump_version, found.says_its_end) == (14, "15.1", True)
    with pytest.raises(VerificationFailedError, match="cut short"):
        surveyed(HEADER + "CREATE TABLE t ();\n")
    with pytest.raises(VerificationFailedError, match="cut short"):
        surveyed(HEADER + TRAILER + HEADER)
    assert not surveyed("CREATE TABLE t ();").says_its_end


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("SET standard_conforming_strings = off", "standard_conforming_strings"),
        ("SET standard_conforming_strings TO 'off'", "standard_conforming_strings"),
        ("SET client_encoding = 'SJIS'", "encoding SJIS"),
    ],
)
def test_what_would_change_how_it_is_read_is_refused(setting: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        surveyed(f"{setting};")


def test_names_are_read_in_the_encoding_of_the_script() -> None:
    script = "SET client_encoding = 'LATIN1';\nCREATE TABLE größe ();".encode("latin1")
    assert survey(io.BytesIO(script).read, "x").contents.items[-1].tag == "größe"
