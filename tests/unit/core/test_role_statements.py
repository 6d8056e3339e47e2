from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.core.role_statements import RoleStatement, role_statements, roles_of, to_create
from tests.unit.core.test_sql_tokens import NAMES, quoted

# As pg_dumpall 18 writes it.
DUMP = r'''--
-- PostgreSQL database cluster dump
--

\restrict abcDEF123

SET default_transaction_read_only = off;
SET client_encoding = 'UTF8';

CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS;
CREATE ROLE shop;
ALTER ROLE shop WITH NOSUPERUSER CREATEDB LOGIN NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 120 VALID UNTIL '2030';
COMMENT ON ROLE shop IS 'owns it;
\restrict nothing
all';
SECURITY LABEL FOR anon ON ROLE shop IS 'MASKED';
CREATE ROLE shop2;
ALTER ROLE shop2 WITH NOSUPERUSER NOLOGIN CONNECTION LIMIT -1;
CREATE ROLE "Shop ""One""";
ALTER ROLE "Shop ""One""" WITH NOLOGIN;

--
-- User Configurations
--

ALTER ROLE shop SET search_path TO 'shop', 'public';
ALTER ROLE shop SET "my.setting" TO 'IN DATABASE x; WITH';
ALTER ROLE shop IN DATABASE other SET work_mem TO '1GB';

GRANT staff TO shop WITH INHERIT TRUE GRANTED BY postgres;
GRANT staff TO "Shop ""One""" WITH ADMIN OPTION, INHERIT FALSE, SET FALSE GRANTED BY former;
GRANT gone TO shop WITH INHERIT TRUE GRANTED BY postgres;
GRANT SET ON PARAMETER session_replication_role TO shop;

CREATE TABLESPACE fast OWNER shop LOCATION '/fast';
GRANT ALL ON TABLESPACE fast TO shop;

\unrestrict abcDEF123

'''
EXISTING = frozenset({"postgres", "staff"})


def _said(*missing: str, dump: str = DUMP, superuser: bool = False, major: int = 18) -> list[str]:
    said = role_statements(dump, missing, EXISTING | {"master"}, user="master", superuser=superuser, major=major)
    return [each.sql for each in said]


def test_a_superuser_says_what_the_dump_says_of_the_role() -> None:
    assert _said("shop", superuser=True) == [
        "CREATE ROLE shop;",
        "ALTER ROLE shop WITH NOSUPERUSER CREATEDB LOGIN NOREPLICATION NOBYPASSRLS"
        " CONNECTION LIMIT 120 VALID UNTIL '2030';",
        "COMMENT ON ROLE shop IS 'owns it;\n\\restrict nothing\nall';",
        "SECURITY LABEL FOR anon ON ROLE shop IS 'MASKED';",
        "ALTER ROLE shop SET search_path TO 'shop', 'public';",
        "ALTER ROLE shop SET \"my.setting\" TO 'IN DATABASE x; WITH';",
        "GRANT staff TO shop WITH INHERIT TRUE GRANTED BY postgres;",
        "GRANT SET ON PARAMETER session_replication_role TO shop;",
    ]


def test_another_says_of_the_attributes_what_it_may_and_each_power_by_itself() -> None:
    said = _said("shop", "shop2")
    assert [sql for sql in said if sql.startswith("ALTER ROLE") and "WITH" in sql.split()] == [
        "ALTER ROLE shop WITH LOGIN CONNECTION LIMIT 120 VALID UNTIL '2030';",
        "ALTER ROLE shop WITH CREATEDB;",
        "ALTER ROLE shop2 WITH NOLOGIN CONNECTION LIMIT -1;",
    ]
    assert said[0] == "CREATE ROLE shop;"


def test_a_role_that_the_dump_does_not_have_gets_nothing() -> None:
    assert _said("unheard_of") == []


def test_a_statement_knows_its_role_and_whether_it_makes_it() -> None:
    first, second = role_statements(DUMP, ['Shop "One"'], frozenset(), user="master", superuser=False, major=18)
    assert (first.role, first.creates) == ('Shop "One"', True)
    assert second == RoleStatement('Shop "One"', 'ALTER ROLE "Shop ""One""" WITH NOLOGIN;')
    assert not second.creates


# What pg_dumpall of these majors writes: dumpRoleMembership in PostgreSQL's src/bin/pg_dump/pg_dumpall.c.
@pytest.mark.parametrize(
    ("written", "on_18", "on_15"),
    [
        ("GRANT staff TO shop;", "GRANT staff TO shop;", "GRANT staff TO shop;"),
        ("GRANT staff TO shop GRANTED BY postgres;", "GRANT staff TO shop;", "GRANT staff TO shop;"),
        (
            "GRANT staff TO shop WITH ADMIN OPTION GRANTED BY postgres;",
            "GRANT staff TO shop WITH ADMIN OPTION;",
            "GRANT staff TO shop WITH ADMIN OPTION;",
        ),
        (
            "GRANT staff TO shop WITH ADMIN OPTION, INHERIT FALSE, SET FALSE GRANTED BY postgres;",
            "GRANT staff TO shop WITH ADMIN OPTION, INHERIT FALSE, SET FALSE;",
            "GRANT staff TO shop WITH ADMIN OPTION;",
        ),
        (
            "GRANT staff TO shop WITH INHERIT FALSE GRANTED BY postgres;",
            "GRANT staff TO shop WITH INHERIT FALSE;",
            "GRANT staff TO shop;",
        ),
        (
            "GRANT staff TO shop WITH ADMIN TRUE, INHERIT TRUE GRANTED BY former;",
            "GRANT staff TO shop WITH ADMIN TRUE, INHERIT TRUE;",
            "GRANT staff TO shop WITH ADMIN OPTION;",
        ),
    ],
    ids=[
        "12 to 15, grantor gone",
        "12 to 15",
        "12 to 15, admin",
        "16, all options",
        "16, one option",
        "in other words",
    ],
)
def test_memberships_of_all_majors_are_said_as_each_server_knows_them(written: str, on_18: str, on_15: str) -> None:
    dump = f"CREATE ROLE shop;\n{written}\n"
    assert _said("shop", dump=dump, major=18)[1:] == [on_18]
    assert _said("shop", dump=dump, major=15)[1:] == [on_15]


def test_a_superuser_names_the_grantor_who_is_there() -> None:
    dump = "GRANT staff TO shop GRANTED BY postgres;\nGRANT staff TO shop WITH ADMIN OPTION GRANTED BY former;"
    assert _said("shop", dump=dump, superuser=True) == [
        "GRANT staff TO shop GRANTED BY postgres;",
        "GRANT staff TO shop WITH ADMIN OPTION;",
    ]


def test_memberships_in_roles_that_are_not_there_are_left_out_until_they_are_made_too() -> None:
    dump = DUMP + "CREATE ROLE gone;\n"
    assert not [sql for sql in _said("shop", dump=dump) if "gone" in sql]
    assert "GRANT gone TO shop WITH INHERIT TRUE;" in _said("shop", "gone", dump=dump)


ATTRIBUTES = st.lists(
    st.sampled_from(["SUPERUSER", "REPLICATION", "BYPASSRLS", "CREATEDB", "CREATEROLE", "INHERIT", "LOGIN"]).flatmap(
        lambda name: st.sampled_from([name, f"NO{name}"])
    )
    | st.integers(-1, 100_000).map(lambda limit: f"CONNECTION LIMIT {limit}"),
    min_size=1,
    unique=True,
)
OPTIONS = st.lists(
    st.sampled_from(["ADMIN OPTION", "INHERIT TRUE", "INHERIT FALSE", "SET FALSE"]), max_size=3, unique=True
)


@given(NAMES, NAMES, NAMES, ATTRIBUTES, OPTIONS)
def test_who_is_no_superuser_never_says_what_only_a_superuser_may(
    name: str, group: str, grantor: str, attributes: list[str], options: list[str]
) -> None:
    member = quoted(name)
    suffix = (" WITH " + ", ".join(options)) if options else ""
    dump = (
        f"CREATE ROLE {member};\nALTER ROLE {member} WITH {' '.join(attributes)};\n"
        f"GRANT {quoted(group)} TO {member}{suffix} GRANTED BY {quoted(grantor)};\n"
    )
    for major in (18, 16, 15):
        said = role_statements(dump, [name], frozenset({group, grantor}), user="master", superuser=False, major=major)
        create, *alters, grant = [each.sql for each in said]
        assert create == f"CREATE ROLE {member};"
        heads = [sql.removeprefix(f"ALTER ROLE {member} WITH ").removesuffix(";") for sql in alters]
        assert sorted(" ".join(heads).split()) == sorted(
            word
            for attribute in attributes
            if not re.match("NO(SUPERUSER|REPLICATION|BYPASSRLS|CREATEDB|CREATEROLE)", attribute)
            for word in attribute.split()
        )
        kept = suffix if major >= 16 else " WITH ADMIN OPTION" if "ADMIN OPTION" in options else ""
        assert grant == f"GRANT {quoted(group)} TO {member}{kept};"


class TestWhichAreCreated:
    DUMP = """
        CREATE ROLE owner; CREATE ROLE "group"; CREATE ROLE login; CREATE ROLE master; CREATE ROLE other;
        CREATE ROLE stranger; CREATE ROLE friend;
        GRANT "group" TO login; GRANT owner TO "group"; GRANT stranger TO friend;
        GRANT owner TO master WITH ADMIN OPTION, INHERIT FALSE, SET FALSE GRANTED BY rdsadmin;
        GRANT other TO master WITH ADMIN OPTION, INHERIT FALSE, SET FALSE GRANTED BY rdsadmin;
    """

    def _created(self, *needed: str, existing: str = "", everything: bool = False) -> list[str]:
        return list(to_create(self.DUMP, needed, frozenset(existing.split()), everything=everything))

    def test_those_needed_and_all_that_memberships_connect_them_with(self) -> None:
        assert self._created("owner") == ["group", "login", "owner"]
        assert self._created("stranger") == ["friend", "stranger"]

    def test_who_may_only_administer_a_role_connects_it_with_nothing(self) -> None:
        assert self._created("other") == ["other"]

    def test_not_what_is_connected_through_a_role_that_is_there_already(self) -> None:
        assert self._created("owner", existing="group") == ["owner"]

    def test_all_where_that_is_asked_for(self) -> None:
        every = ["friend", "group", "login", "master", "other", "owner", "stranger"]
        assert self._created(everything=True) == every
        assert self._created(everything=True, existing="master owner friend stranger") == ["group", "login", "other"]

    def test_not_those_that_the_dump_has_not(self) -> None:
        assert self._created("unheard_of") == []

    def test_the_dump_tells_who_belongs_together(self) -> None:
        assert roles_of(self.DUMP)["group"] == {"owner", "login"}
        assert roles_of(self.DUMP)["master"] == set()


def test_who_creates_a_role_may_administer_it_and_does_not_say_so() -> None:
    administers = "GRANT shop TO {} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE GRANTED BY postgres;\n"
    dump = "CREATE ROLE shop;\n" + administers.format("master") + administers.format("postgres")
    assert _said("shop", dump=dump) == [
        "CREATE ROLE shop;",
        "GRANT shop TO postgres WITH ADMIN OPTION, INHERIT FALSE, SET FALSE;",
    ]
    acts = "CREATE ROLE shop;\nGRANT shop TO master WITH INHERIT TRUE GRANTED BY master;\n"
    assert _said("shop", dump=acts)[1:] == ["GRANT shop TO master WITH INHERIT TRUE;"]
