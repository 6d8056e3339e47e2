from __future__ import annotations

from hypothesis import given

from dbbackup.core.grants import as_their_grantors, has_other_grantors
from tests.unit.core.archive_entries import entry
from tests.unit.core.test_sql_tokens import NAMES, quoted

GRANTS = entry(
    1,
    "ACL",
    "TABLE item",
    definition="""\
GRANT SELECT ON TABLE public.item TO reader WITH GRANT OPTION;
SET SESSION AUTHORIZATION reader;
GRANT SELECT ON TABLE public.item TO friend;
GRANT SELECT(id) ON TABLE public.item TO stranger;
RESET SESSION AUTHORIZATION;
GRANT UPDATE ON TABLE public.item TO writer;
""",
)
LEFT_OUT = "SET SESSION AUTHORIZATION reader; GRANT SELECT{} ON TABLE public.item TO {}; RESET SESSION AUTHORIZATION;"


def test_grants_of_the_owner_alone_are_left_to_pg_restore() -> None:
    assert has_other_grantors(GRANTS)
    assert not has_other_grantors(entry(1, "ACL", definition="GRANT ALL ON TABLE t TO reader;"))
    assert not has_other_grantors(entry(1, "COMMENT", definition=GRANTS.definition))


def test_we_become_the_grantor_in_a_way_that_needs_no_superuser() -> None:
    said, left_out = as_their_grantors(GRANTS, frozenset({"reader"}))
    assert said.splitlines() == [
        "GRANT SELECT ON TABLE public.item TO reader WITH GRANT OPTION;",
        "SET ROLE reader;",
        "GRANT SELECT ON TABLE public.item TO friend;",
        "GRANT SELECT(id) ON TABLE public.item TO stranger;",
        "RESET ROLE;",
        "GRANT UPDATE ON TABLE public.item TO writer;",
    ]
    assert left_out == []


def test_grants_of_whom_we_cannot_be_are_left_out_one_by_one_and_a_script_of_them_goes_back_to_itself() -> None:
    said, left_out = as_their_grantors(GRANTS, frozenset())
    assert said.splitlines() == [
        "GRANT SELECT ON TABLE public.item TO reader WITH GRANT OPTION;",
        "GRANT UPDATE ON TABLE public.item TO writer;",
    ]
    assert left_out == [LEFT_OUT.format("", "friend"), LEFT_OUT.format("(id)", "stranger")]


@given(NAMES)
def test_a_grantor_may_be_called_as_it_likes(name: str) -> None:
    role = quoted(name)
    grant = f"GRANT ALL ON TABLE t TO {role};"
    each = entry(1, "ACL", definition=f"SET SESSION AUTHORIZATION {role};\n{grant}\nRESET SESSION AUTHORIZATION;\n")
    assert as_their_grantors(each, frozenset({name})) == (f"SET ROLE {role};\n{grant}\nRESET ROLE;", [])
    assert as_their_grantors(each, frozenset()) == (
        "",
        [f"SET SESSION AUTHORIZATION {role}; {grant} RESET SESSION AUTHORIZATION;"],
    )
