from __future__ import annotations

import pytest

from dbbackup.core.restore_script import Needs, read_needs, statements_for


def _roles(line: str, *, owner: bool = True, privileges: bool = True) -> set[str]:
    return set(read_needs(line.split("\n")).roles(owner=owner, privileges=privileges))


@pytest.mark.parametrize(
    ("line", "roles"),
    [
        ("ALTER TABLE public.item OWNER TO shop;", {"shop"}),
        ('ALTER TABLE public.item OWNER TO "Shop Owner";', {"Shop Owner"}),
        ('ALTER TABLE public.item OWNER TO "say ""hi""";', {'say "hi"'}),
        ("ALTER FUNCTION public.f(a integer) OWNER TO shop;", {"shop"}),
        ("GRANT SELECT ON TABLE public.item TO reader;", {"reader"}),
        ("GRANT SELECT ON TABLE public.item TO reader WITH GRANT OPTION;", {"reader"}),
        ("GRANT USAGE ON SCHEMA public TO PUBLIC;", set()),
        ("REVOKE ALL ON TABLE public.item FROM shop;", {"shop"}),
        ("REVOKE USAGE ON SCHEMA public FROM PUBLIC;", set()),
        ("SET SESSION AUTHORIZATION grantor;", {"grantor"}),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE maker GRANT SELECT ON TABLES TO reader;", {"maker", "reader"}),
        (
            'ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA s GRANT ALL ON TABLES TO "R 2" WITH GRANT OPTION;',
            {"maker", "R 2"},
        ),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE maker REVOKE ALL ON FUNCTIONS FROM PUBLIC;", {"maker"}),
        ("CREATE POLICY own ON public.item TO reader USING ((id > 0));", {"reader"}),
        ("CREATE POLICY own ON t FOR SELECT TO reader, \"R 2\" USING ((name = ' TO x;'));", {"reader", "R 2"}),
        ("CREATE POLICY own ON public.item FOR INSERT TO reader WITH CHECK (true);", {"reader"}),
        ("CREATE POLICY own ON public.item TO reader USING ((EXISTS ( SELECT 1\n   FROM other)));", {"reader"}),
        ("CREATE POLICY own ON public.item USING (true);", set()),
        ("CREATE USER MAPPING FOR reader SERVER elsewhere OPTIONS (\n    \"user\" 'x'\n);", {"reader"}),
        ("CREATE USER MAPPING FOR public SERVER elsewhere;", set()),
        ("CREATE TABLE public.item (", set()),
        ("-- Name: item; Type: TABLE; Schema: public; Owner: shop", set()),
        ("COMMENT ON TABLE public.item IS 'GRANT SELECT TO nobody';", set()),
    ],
)
def test_roles_are_found(line: str, roles: set[str]) -> None:
    assert _roles(line) == roles


def test_without_ownership_and_grants_only_policies_and_mappings_need_roles() -> None:
    script = (
        "ALTER TABLE t OWNER TO owner;\nGRANT ALL ON TABLE t TO grantee;\nCREATE POLICY p ON t TO named USING (true);"
    )
    assert _roles(script) == {"owner", "grantee", "named"}
    assert _roles(script, owner=False) == {"grantee", "named"}
    assert _roles(script, privileges=False) == {"owner", "named"}
    assert _roles(script, owner=False, privileges=False) == {"named"}


def test_tablespaces_are_found() -> None:
    script = ["SET default_tablespace = '';", "SET default_tablespace = fast;", 'SET default_tablespace = "Very Fast";']
    assert read_needs(script).tablespaces == {"fast", "Very Fast"}


def test_an_empty_script_needs_nothing() -> None:
    nothing: frozenset[str] = frozenset()
    assert read_needs([]) == Needs(nothing, nothing, nothing, nothing)


DUMP = '''\
-- Roles
SET default_transaction_read_only = off;
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER LOGIN;
CREATE ROLE shop;
ALTER ROLE shop WITH NOSUPERUSER LOGIN;
ALTER ROLE shop SET search_path TO 'shop', 'public';
CREATE ROLE shop2;
CREATE ROLE "Shop ""One""";
ALTER ROLE "Shop ""One""" WITH NOLOGIN;
GRANT staff TO shop WITH INHERIT TRUE GRANTED BY postgres;
GRANT gone TO shop WITH INHERIT TRUE GRANTED BY postgres;
GRANT staff TO "Shop ""One""" WITH ADMIN OPTION GRANTED BY former;
GRANT shop TO staff GRANTED BY postgres;
CREATE TABLESPACE fast OWNER shop LOCATION '/fast';
'''
EXISTING = frozenset({"postgres", "staff"})


def test_only_the_missing_roles_statements_are_taken() -> None:
    assert statements_for(DUMP, ["shop"], existing=EXISTING) == [
        "CREATE ROLE shop;",
        "ALTER ROLE shop WITH NOSUPERUSER LOGIN;",
        "ALTER ROLE shop SET search_path TO 'shop', 'public';",
        "GRANT staff TO shop WITH INHERIT TRUE GRANTED BY postgres;",
    ]


def test_a_grantor_who_is_not_there_is_not_named() -> None:
    assert statements_for(DUMP, ['Shop "One"'], existing=EXISTING) == [
        'CREATE ROLE "Shop ""One""";',
        'ALTER ROLE "Shop ""One""" WITH NOLOGIN;',
        'GRANT staff TO "Shop ""One""" WITH ADMIN OPTION;',
    ]


def test_roles_that_are_created_together_keep_their_memberships() -> None:
    chosen = statements_for(DUMP + "CREATE ROLE gone;\n", ["shop", "gone"], existing=EXISTING)
    assert "GRANT gone TO shop WITH INHERIT TRUE GRANTED BY postgres;" in chosen


def test_a_role_that_the_dump_does_not_have_gets_nothing() -> None:
    assert statements_for(DUMP, ["unheard_of"], existing=EXISTING) == []
