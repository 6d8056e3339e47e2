from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dbbackup.core.archive_toc import Entry
from dbbackup.core.reserved import is_on_extension, label_providers_of, reserved, says_nothing_new, settings_of
from dbbackup.core.restore_rights import Rights
from tests.unit.core.archive_entries import contents, entry

MASTER = Rights(superuser=False, languages=frozenset({"sql", "plpgsql"}), settings=frozenset({"search_path"}))
TYPE = entry(90, "TYPE", "mood")
HSTORE = entry(91, "EXTENSION", "hstore")


def _why(each: Entry, rights: Rights = MASTER, *others: Entry) -> str | None:
    return {found.dump_id: why for found, why in reserved(contents(each, *others), rights)}.get(each.dump_id)


def _function(rest: str, name: str = "public.f") -> Entry:
    definition = f"CREATE FUNCTION {name}(a integer DEFAULT 1) RETURNS integer\n    {rest};\n"
    return entry(1, "FUNCTION", "f(integer)", schema="public", definition=definition)


SQL = "LANGUAGE sql\n    AS $$ SELECT 1 $$"


@pytest.mark.parametrize(
    ("each", "reason"),
    [
        (entry(1, "ACCESS METHOD"), "access methods"),
        (entry(1, "FOREIGN DATA WRAPPER"), "foreign data wrappers"),
        (entry(1, "OPERATOR CLASS"), "operator classes"),
        (entry(1, "PROCEDURAL LANGUAGE"), "languages"),
        (entry(1, "SHELL TYPE"), "base types"),
        (entry(1, "TYPE", definition="CREATE TYPE s.t (\n INTERNALLENGTH = variable,\n INPUT = s.i\n);"), "base types"),
        (entry(1, "EVENT TRIGGER", definition="CREATE EVENT TRIGGER t ON ddl_command_end"), "event triggers"),
        (entry(1, "PUBLICATION", definition="CREATE PUBLICATION p FOR ALL TABLES WITH (x);"), "publishes all tables"),
        (entry(1, "COMMENT", "EXTENSION hstore"), "owner of an extension"),
        (entry(1, "ACL", "FUNCTION now()", schema="pg_catalog"), "object of the system"),
        (entry(1, "CAST", definition="CREATE CAST (a AS b) WITHOUT FUNCTION;"), "casts without a function"),
        (entry(1, "CAST", definition="CREATE CAST (integer AS text) WITH INOUT;"), "both belong to the system"),
        (
            entry(1, "CAST", definition="CREATE CAST (hstore AS int) WITH FUNCTION f(hstore);", dependencies=(91,)),
            "both",
        ),
        (entry(1, "TRANSFORM", "FOR integer LANGUAGE plpgsql", dependencies=(91,)), "belongs to a superuser"),
        (entry(1, "ACL", "FUNCTION akeys()", dependencies=(7,)), "that an extension made"),
        (entry(1, "TABLE DATA", "spatial_ref_sys", dependencies=(7,)), "that an extension made"),
    ],
    ids=lambda value: value.kind if isinstance(value, Entry) else "",
)
def test_what_only_a_superuser_makes_is_known_with_the_reason(each: Entry, reason: str) -> None:
    assert reason in (_why(each, MASTER, HSTORE) or "")
    assert _why(each, replace(MASTER, superuser=True), HSTORE) is None


@pytest.mark.parametrize(
    "each",
    [
        entry(1, "TABLE"),
        entry(1, "TYPE", definition="CREATE TYPE s.t AS (\n internallength integer\n);"),
        entry(1, "TYPE", definition="CREATE TYPE s.t AS ENUM ('a', 'b');"),
        entry(1, "TYPE", definition="CREATE TYPE s.t AS RANGE ( subtype = integer );"),
        entry(1, "PUBLICATION", definition="CREATE PUBLICATION \"FOR ALL TABLES\" WITH (publish = 'insert');"),
        entry(1, "COMMENT", "TABLE extension"),
        entry(1, "ACL", "TABLE t"),
        entry(1, "ACL", "SCHEMA public", dependencies=(7,)),
        entry(1, "ACL", "LARGE OBJECT 5", dependencies=(7,)),
        entry(1, "CAST", definition="CREATE CAST (s.mood AS text) WITH INOUT;", dependencies=(90,)),
        entry(1, "CAST", definition="CREATE CAST (public.hstore AS s.mood) WITH INOUT;", dependencies=(90, 91)),
        entry(1, "TRANSFORM", "FOR mood LANGUAGE plpgsql", dependencies=(90,)),
        entry(1, "TABLE DATA", dependencies=(90,)),
    ],
    ids=lambda each: f"{each.kind} {each.definition[:30]}{each.tag[:12]}",
)
def test_what_everybody_makes_is_not_reserved(each: Entry) -> None:
    assert _why(each, MASTER, TYPE, HSTORE) is None


def test_publications_of_whole_schemas_are_left_out_at_their_root() -> None:
    publication = entry(2, "PUBLICATION", "p", definition="CREATE PUBLICATION p WITH (publish = 'insert');")
    part = entry(3, "PUBLICATION TABLES IN SCHEMA", "p s", dependencies=(2, 4))
    assert "publishes whole schemas" in (_why(publication, MASTER, part, entry(4, "SCHEMA", "s")) or "")
    assert _why(publication, MASTER) is None


def test_the_platform_gives_its_master_some_more() -> None:
    trigger = entry(1, "EVENT TRIGGER")
    assert _why(trigger, replace(MASTER, managed=True)) is None
    data = entry(1, "TABLE DATA", "spatial_ref_sys", dependencies=(7,))
    assert _why(data, replace(MASTER, writes_all=True)) is None


class TestRoutines:
    @pytest.mark.parametrize(
        ("rest", "reason"),
        [
            ("LANGUAGE c STRICT\n AS '$libdir/x', 'f'", "in the language c"),
            ("LANGUAGE sql LEAKPROOF\n AS $$ SELECT 1 $$", "leakproof"),
            ("LANGUAGE sql SUPPORT public.helper\n AS $$ SELECT 1 $$", "support function"),
            (
                "LANGUAGE sql\n    SET session_replication_role TO 'replica'\n    AS $$ SELECT 1 $$",
                "may set session_repl",
            ),
            (
                "LANGUAGE sql\n    SET \"my.own\" TO 'x'\n    SET search_path TO ''\n    AS $$ SELECT 1 $$",
                "may set my.own",
            ),
        ],
        ids=["language", "leakproof", "support", "setting", "setting of one's own"],
    )
    def test_what_only_a_superuser_says_of_one(self, rest: str, reason: str) -> None:
        assert reason in (_why(_function(rest)) or "")

    @pytest.mark.parametrize(
        "rest",
        [
            SQL,
            "LANGUAGE sql\n    SET search_path TO 'a', 'b'\n    AS $$ SELECT 1 $$",
            "LANGUAGE plpgsql AS $_$ BEGIN SET x TO 1; LANGUAGE c LEAKPROOF SUPPORT END $_$",
            "LANGUAGE sql\n    BEGIN ATOMIC\n SELECT support, leakproof FROM s.t;\n UPDATE s.t SET language = 1;\nEND",
            "LANGUAGE sql\n    RETURN (SELECT support FROM s.t)",
            "LANGUAGE sql COST 10 ROWS 100 /* SUPPORT x */ AS $$ SELECT 1 $$",
        ],
        ids=["plain", "lists", "dollars", "atomic", "return", "comment"],
    )
    def test_the_same_words_elsewhere_mean_nothing(self, rest: str) -> None:
        assert _why(_function(rest)) is None

    @pytest.mark.parametrize("name", ["public.support", "support.f", "public.language", "set.set", 'public."SUPPORT"'])
    def test_nor_do_they_as_names(self, name: str) -> None:
        assert _why(_function(SQL, name)) is None
        assert "language c" in (_why(_function("LANGUAGE c\n AS 'x'", name)) or "")

    @pytest.mark.parametrize("name", ["public.return", "begin.f"])
    def test_names_do_not_end_the_head(self, name: str) -> None:
        assert "may set x" in (_why(_function("LANGUAGE sql\n    SET x TO '1'\n    AS $$ $$", name)) or "")

    @pytest.mark.parametrize(("state", "is_reserved"), [("internal", True), ("public.internal", False), ("int", False)])
    def test_an_aggregate_with_an_internal_state(self, state: str, is_reserved: bool) -> None:
        definition = f"CREATE AGGREGATE public.total(integer) (\n    SFUNC = public.add,\n    STYPE = {state}\n);"
        assert (_why(entry(1, "AGGREGATE", definition=definition)) is not None) is is_reserved


def test_the_settings_that_functions_fix_are_found() -> None:
    rest = (
        "LANGUAGE sql\n    SET search_path TO 'a', 'b'\n    SET \"my.own\" TO ' SET work_mem TO 1'\n    AS $$ SET x $$"
    )
    table = entry(2, "TABLE", definition="CREATE TABLE t ( SET integer );")
    assert settings_of(contents(_function(rest), table)) == {"search_path", "my.own"}


class TestLabels:
    LABEL = entry(1, "SECURITY LABEL", "TABLE t", definition="SECURITY LABEL FOR \"Anon\" ON TABLE s.t IS 'FOR x';")

    def test_the_providers_are_found(self) -> None:
        assert label_providers_of(contents(self.LABEL)) == {"Anon"}

    def test_nobody_sets_a_label_whose_provider_is_not_loaded(self) -> None:
        for superuser in (True, False):
            assert "has not loaded" in (_why(self.LABEL, replace(MASTER, superuser=superuser)) or "")

    def test_with_the_provider_everybody_may(self) -> None:
        assert _why(self.LABEL, replace(MASTER, label_providers=frozenset({"Anon"}))) is None


class TestCommentsOfExtensions:
    def _comment(self, tag: str, text: str) -> Entry:
        return entry(1, "COMMENT", tag, definition=f"COMMENT ON {tag} IS '{text}';")

    @pytest.mark.parametrize(
        ("tag", "text", "nothing_new"),
        [
            ("EXTENSION hstore", "it''s a map", True),
            ("EXTENSION hstore", "ours", False),
            ('EXTENSION "uuid-ossp"', "ids", True),
            ("EXTENSION unknown", "x", False),
        ],
    )
    def test_one_that_the_server_gives_anyway_says_nothing_new(self, tag: str, text: str, nothing_new: bool) -> None:
        rights: Any = replace(MASTER, extensions={"hstore": "it's a map", "uuid-ossp": "ids"})
        comment = self._comment(tag, text)
        assert is_on_extension(comment)
        assert says_nothing_new(comment, rights) is nothing_new
