from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dbbackup.core.database_properties import DatabaseProperties, Grant, Locale, Setting

_NAMES = st.sampled_from(["app", "web", "master"])
_GRANTS = st.builds(
    Grant,
    grantee=st.none() | _NAMES,
    grantor=_NAMES,
    privilege=st.sampled_from(["CONNECT", "CREATE"]),
    grantable=st.booleans(),
)
_SETTINGS = st.builds(
    Setting, role=st.none() | _NAMES, name=st.sampled_from(["search_path", "work_mem"]), value=st.sampled_from("ab")
)
PROPERTIES = st.builds(
    DatabaseProperties,
    encoding=st.sampled_from(["UTF8", "LATIN1"]),
    locale=st.just(Locale(provider="libc", collate="C", ctype="C")),
    owner=_NAMES,
    connection_limit=st.sampled_from([-1, 5, 7]),
    comment=st.none() | st.sampled_from(["this", "that"]),
    settings=st.lists(_SETTINGS, unique_by=lambda each: (each.role, each.name)).map(tuple),
    grants=st.none() | st.lists(_GRANTS).map(tuple),
)


@given(PROPERTIES, PROPERTIES, st.booleans())
def test_what_was_chosen_for_an_empty_database_stays_and_the_rest_is_as_recorded(
    chosen: DatabaseProperties, recorded: DatabaseProperties, by_chance: bool
) -> None:
    made = chosen.completed(recorded, owned_by_chance=by_chance)
    assert (made.encoding, made.tablespace) == (chosen.encoding, chosen.tablespace)
    assert made.owner == (recorded.owner if by_chance else chosen.owner)
    assert made.comment == (recorded.comment if chosen.comment is None else chosen.comment)
    assert made.connection_limit in {chosen.connection_limit, recorded.connection_limit}
    assert set(chosen.settings) <= set(made.settings)
    places = [(each.role, each.name) for each in made.settings]
    assert len(places) == len(set(places))
    assert set(places) >= {(each.role, each.name) for each in recorded.settings}
    assert (made.grants is None) == (chosen.grants is None and recorded.grants is None)
    assert made.completed(recorded, owned_by_chance=by_chance) == made


@given(PROPERTIES)
def test_one_that_nobody_recorded_anything_of_is_what_it_is(chosen: DatabaseProperties) -> None:
    assert chosen.completed(None, owned_by_chance=True) == chosen
