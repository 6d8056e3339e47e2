"""Which role of a restore is left over: the one whose session has ended."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from dbbackup.core.acting_role import PATTERN, acting_role, is_acting_role, left_over
from dbbackup.core.leftovers import MAX_NAME_BYTES
from dbbackup.core.role_statements import role_statements, roles_of, to_create

SESSIONS = st.tuples(st.integers(1, 2**31 - 1), st.integers(10**15, 10**16))


@given(alive=st.sets(SESSIONS, max_size=5), gone=st.sets(SESSIONS, max_size=5))
def test_exactly_those_of_sessions_that_have_ended(alive: set[tuple[int, int]], gone: set[tuple[int, int]]) -> None:
    sessions = dict(alive)  # one process serves one session at a time
    names = {each: acting_role(*each) for each in alive | gone}
    ended = [name for (process, started), name in names.items() if sessions.get(process) != started]
    assert left_over(names.values(), sessions) == tuple(sorted(ended))


@given(session=SESSIONS)
def test_a_session_whose_beginning_we_may_not_see_may_be_any(session: tuple[int, int]) -> None:
    assert left_over([acting_role(*session)], {session[0]: None}) == ()


@given(session=SESSIONS)
def test_the_server_and_we_know_the_names(session: tuple[int, int]) -> None:
    name = acting_role(*session)
    assert is_acting_role(name)
    assert re.fullmatch(PATTERN, name)
    assert len(name) <= MAX_NAME_BYTES
    for other in (f"{name}_", f"x{name}", name.upper(), "__dbbackup_acting_1_", "app"):
        assert not is_acting_role(other)
        assert left_over([other], {}) == ()


def test_one_in_a_role_dump_does_not_come_back() -> None:
    name = acting_role(7, 8)
    dump = f"""
        CREATE ROLE {name};
        ALTER ROLE {name} WITH NOSUPERUSER INHERIT;
        COMMENT ON ROLE {name} IS 'Holds';
        CREATE ROLE app;
        ALTER ROLE app WITH LOGIN;
        GRANT app TO {name} WITH INHERIT TRUE GRANTED BY master;
        GRANT {name} TO master WITH INHERIT TRUE GRANTED BY master;
    """
    assert roles_of(dump) == {"app": set()}
    existing = frozenset({"master", name})
    assert to_create(dump, {"app"}, existing, everything=True) == ("app",)
    said = role_statements(dump, ["app"], existing, user="master", superuser=False, major=18)
    assert [each.sql for each in said] == ["CREATE ROLE app;", "ALTER ROLE app WITH LOGIN;"]
