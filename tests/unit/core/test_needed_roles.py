from __future__ import annotations

import pytest
from hypothesis import given

from dbbackup.core.archive_toc import Entry
from dbbackup.core.needed_roles import Needs, is_of_database, needs_of, owner_of, owner_statement
from tests.unit.core.archive_entries import entry
from tests.unit.core.test_sql_tokens import NAMES, quoted


def _acl(definition: str) -> Needs:
    return needs_of([entry(1, "ACL", "TABLE item", definition=definition)])


@pytest.mark.parametrize(
    ("definition", "grantees"),
    [
        ("GRANT SELECT ON TABLE public.item TO reader;", "reader"),
        ("GRANT SELECT ON TABLE public.item TO reader WITH GRANT OPTION;", "reader"),
        ("GRANT SELECT ON TABLE public.item TO reader WITH GRANT OPTION GRANTED BY boss;", "reader"),
        ("GRANT SELECT(id),UPDATE(name) ON TABLE public.item TO reader;", "reader"),
        ('GRANT SELECT(id) ON TABLE public."TO" TO reader;', "reader"),
        ("GRANT ALL ON TABLE public.item TO GROUP staff;", "staff"),
        ("GRANT ALL ON FUNCTION public.f(a integer DEFAULT 1) TO reader;", "reader"),
        ("GRANT USAGE ON SCHEMA public TO PUBLIC;", ""),
        ("REVOKE ALL ON TABLE public.item FROM shop;", "shop"),
        ("REVOKE GRANT OPTION FOR ALL ON TABLE public.item FROM shop;", "shop"),
        ("REVOKE USAGE ON SCHEMA public FROM PUBLIC;", ""),
        ("GRANT ALL ON TABLE t TO a;\nGRANT ALL ON TABLE t TO b;", "a b"),
        ("GRANT ALL ON TABLE t TO CURRENT_USER;", ""),
        # Words that need no quotes where a role is called so.
        *((f"GRANT ALL ON TABLE t TO {word};", word) for word in ("server", "granted", "revoke", "set", "admin")),
        ("GRANT ALL ON TABLE revoke.server TO reader;", "reader"),
        ("COMMENT ON TABLE public.item IS 'GRANT SELECT TO nobody';", ""),
    ],
)
def test_grantees_are_found(definition: str, grantees: str) -> None:
    assert _acl(definition).grantees == set(grantees.split())


@pytest.mark.parametrize(
    "name", ["TO", "FROM", "PUBLIC", "current_user", "with grant option", 'say "hi"', "a\nb;", "'"]
)
def test_a_role_may_be_called_as_it_likes(name: str) -> None:
    for statement in ("GRANT ALL ON TABLE t TO {};", "REVOKE ALL ON TABLE t FROM {};"):
        assert _acl(statement.format(quoted(name))).grantees == {name}


@given(NAMES, NAMES)
def test_any_name_is_found_wherever_it_stands(first: str, second: str) -> None:
    one, other = quoted(first), quoted(second)
    needs = needs_of(
        [
            entry(1, "POLICY", definition=f"CREATE POLICY {one} ON t FOR SELECT TO {one}, {other} USING (true);"),
            entry(
                2, "ACL", definition=f"SET SESSION AUTHORIZATION {one};\nGRANT ALL ON TABLE {one}.{other} TO {other};"
            ),
            entry(
                3, "DEFAULT ACL", definition=f"ALTER DEFAULT PRIVILEGES FOR ROLE {other} GRANT ALL ON TABLES TO {one};"
            ),
        ]
    )
    assert needs.named == {first, second}
    assert needs.grantees == {first, second}
    assert needs.grantors == {first, second}


@pytest.mark.parametrize(
    ("definition", "grantor", "grantees"),
    [
        ("ALTER DEFAULT PRIVILEGES FOR ROLE maker GRANT SELECT ON TABLES TO reader;", "maker", {"reader"}),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA s REVOKE ALL ON TABLES FROM z;", "maker", {"z"}),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE revoke IN SCHEMA revoke GRANT ALL ON TABLES TO z;", "revoke", {"z"}),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE maker REVOKE ALL ON FUNCTIONS FROM PUBLIC;", "maker", set()),
        (
            'ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA s GRANT ALL ON TABLES TO "R 2" WITH GRANT OPTION;',
            "maker",
            {"R 2"},
        ),
    ],
)
def test_defaults_need_whose_they_are_and_whom_they_name(definition: str, grantor: str, grantees: set[str]) -> None:
    needs = needs_of([entry(1, "DEFAULT ACL", definition=definition)])
    assert needs.grantors == {grantor}
    assert needs.grantees == grantees


def test_a_grant_of_another_needs_that_one() -> None:
    definition = 'SET SESSION AUTHORIZATION "The Boss";\nGRANT ALL ON TABLE t TO reader;\nRESET SESSION AUTHORIZATION;'
    needs = _acl(definition)
    assert needs.grantors == {"The Boss"}
    assert needs.grantees == {"reader"}


@pytest.mark.parametrize(
    ("kind", "definition", "named"),
    [
        ("POLICY", "CREATE POLICY own ON public.item TO reader USING ((id > 0));", {"reader"}),
        ("POLICY", "CREATE POLICY own ON t FOR SELECT TO reader, \"R 2\" USING ((a = ' TO x;'));", {"reader", "R 2"}),
        (
            "POLICY",
            'CREATE POLICY own ON t AS RESTRICTIVE FOR ALL TO server, "TO" WITH CHECK (true);',
            {"server", "TO"},
        ),
        ("POLICY", 'CREATE POLICY "TO x" ON public."TO" TO reader USING (true);', {"reader"}),
        ("POLICY", "CREATE POLICY own ON t TO reader USING ((EXISTS ( SELECT (1)\n FROM other)));", {"reader"}),
        ("POLICY", "CREATE POLICY own ON public.item USING (true);", set()),
        ("POLICY", "CREATE POLICY own ON public.item TO PUBLIC USING (true);", set()),
        ("USER MAPPING", "CREATE USER MAPPING FOR reader SERVER away OPTIONS (\n \"user\" 'x'\n);", {"reader"}),
        ("USER MAPPING", "CREATE USER MAPPING FOR server SERVER away;", {"server"}),
        ("USER MAPPING", "CREATE USER MAPPING FOR public SERVER away;", set()),
        ("TABLE", "CREATE TABLE t (a text DEFAULT 'CREATE POLICY p ON t TO x');", set()),
    ],
)
def test_policies_and_user_mappings_name_roles(kind: str, definition: str, named: set[str]) -> None:
    assert needs_of([entry(1, kind, definition=definition)]).named == named


@pytest.mark.parametrize(
    ("each", "owner"),
    [
        (entry(1, "TABLE", owner="shop", drop="DROP TABLE t;"), "shop"),
        (entry(1, "FUNCTION", owner="Shop 1", drop="DROP FUNCTION f();"), "Shop 1"),
        (entry(1, "BLOB METADATA", owner="shop"), "shop"),
        (entry(1, "INDEX", owner="shop", drop="DROP INDEX i;"), ""),
        (entry(1, "TABLE DATA", owner="shop"), ""),
        (entry(1, "SCHEMA", "public", owner="shop"), ""),
    ],
)
def test_what_has_an_owner_of_its_own(each: Entry, owner: str) -> None:
    assert owner_of(each) == owner


@pytest.mark.parametrize(
    ("each", "is_one"),
    [
        (entry(1, "DATABASE", "shop"), True),
        (entry(1, "DATABASE PROPERTIES", "shop"), True),
        (entry(1, "ACL", "DATABASE shop"), True),
        (entry(1, "COMMENT", "DATABASE shop"), True),
        (entry(1, "ACL", "TABLE DATABASE"), False),
        (entry(1, "TABLE", "DATABASE x"), False),
    ],
)
def test_what_is_of_the_database_is_known_and_needs_nobody(each: Entry, is_one: bool) -> None:
    assert is_of_database(each) is is_one
    if is_one:
        assert needs_of([entry(1, each.kind, each.tag, definition="GRANT ALL ON DATABASE x TO reader;")]) == Needs()


def test_tablespaces_are_found() -> None:
    needs = needs_of(
        [entry(1, "TABLE", tablespace="fast"), entry(2, "INDEX", tablespace="Very Fast"), entry(3, "TABLE")]
    )
    assert needs.tablespaces == {"fast", "Very Fast"}


def test_the_owner_of_public_is_not_among_the_owners() -> None:
    needs = needs_of([entry(1, "SCHEMA", "public", owner="boss", drop="DROP SCHEMA public;")])
    assert (needs.owners, needs.public_owner) == (frozenset(), "boss")
    assert needs.acting(owner=True, privileges=True) == {"boss"}
    assert needs.acting(owner=False, privileges=True) == frozenset()


def test_what_is_left_out_needs_nobody() -> None:
    owner, grantee, named, grantor = (frozenset({name}) for name in ("owner", "grantee", "named", "grantor"))
    needs = Needs(owners=owner, grantees=grantee, named=named, grantors=grantor)
    assert needs.roles(owner=True, privileges=True) == {"owner", "grantee", "named", "grantor"}
    assert needs.roles(owner=False, privileges=True) == {"grantee", "named", "grantor"}
    assert needs.roles(owner=True, privileges=False) == {"owner", "named"}
    assert needs.roles(owner=False, privileges=False) == {"named"}
    assert needs.acting(owner=True, privileges=True) == {"owner", "grantor"}
    assert needs.acting(owner=False, privileges=False) == frozenset()


@pytest.mark.parametrize(
    ("each", "statement"),
    [
        (entry(1, "VIEW", owner="a", drop="DROP VIEW public.v;\n"), 'ALTER VIEW public.v OWNER TO "a";'),
        (entry(1, "TYPE", owner='a"b', drop="DROP TYPE s.t CASCADE;\n"), 'ALTER TYPE s.t OWNER TO "a""b";'),
        (
            entry(1, "AGGREGATE", owner="a", drop='DROP AGGREGATE s."x CASCADE"(int);\n'),
            'ALTER AGGREGATE s."x CASCADE"(int) OWNER TO "a";',
        ),
        (
            entry(1, "SCHEMA", "public", owner="a", drop="-- *not* dropping schema\n"),
            'ALTER SCHEMA "public" OWNER TO "a";',
        ),
        (entry(1, "INDEX", owner="a", drop="DROP INDEX s.i;\n"), ""),
        (entry(1, "COMMENT", owner="a"), ""),
    ],
    ids=lambda value: value.kind if isinstance(value, Entry) else "",
)
def test_what_gives_an_object_to_its_owner(each: Entry, statement: str) -> None:
    assert owner_statement(each) == statement
