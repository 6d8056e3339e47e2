from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.core.leftovers import MAX_NAME_BYTES, Mark, State, is_unmarked_copy, new_name, old_name, parse_mark

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=63)
MOMENT = datetime(2025, 1, 11, 2, 30, tzinfo=UTC)


@given(target=NAMES, state=st.sampled_from(State), backup=st.text(), comment=st.none() | st.text())
def test_a_mark_survives_being_a_comment(target: str, state: State, backup: str, comment: str | None) -> None:
    mark = Mark(target, state, backup, comment)
    assert parse_mark(mark.to_comment()) == mark


@pytest.mark.parametrize(
    "comment",
    [
        None,
        "",
        "the shop's database",
        "{}",
        "[]",
        '"dbbackup"',
        "null",
        "12",
        '{"tool": "another", "target": "a", "state": "restoring", "backup": "b"}',
        '{"tool": "dbbackup", "target": "a", "state": "unheard of", "backup": "b"}',
        '{"tool": "dbbackup", "state": "restoring", "backup": "b"}',
    ],
)
def test_what_others_say_of_a_database_is_no_mark(comment: str | None) -> None:
    assert parse_mark(comment) is None


@given(NAMES)
def test_names_beside_a_target_fit_and_are_never_its_own(target: str) -> None:
    for name in (new_name(target), old_name(target, MOMENT)):
        assert 0 < len(name.encode()) <= MAX_NAME_BYTES
        assert name != target
        assert name.encode().decode() == name


@given(NAMES)
def test_a_copy_that_was_not_marked_is_recognized_by_its_name(target: str) -> None:
    assert is_unmarked_copy(new_name(target), target)
    assert not is_unmarked_copy(old_name(target, MOMENT), target)


def test_long_names_are_cut_between_characters() -> None:
    assert old_name("ä" * 31, MOMENT) == "ä" * 16 + "__dbbackup_old_20250111_023000"
    assert len(old_name("ä" * 31, MOMENT).encode()) == 62
    assert new_name("x" * 63).startswith("x" * 40 + "__dbbackup_new_")


def test_a_short_name_stays_whole() -> None:
    assert old_name("shop", MOMENT) == "shop__dbbackup_old_20250111_023000"


@pytest.mark.parametrize(
    "name",
    [
        "shop",
        "shop2__dbbackup_new_0123abcd",
        "my_shop__dbbackup_new_0123abcd",
        "shop__dbbackup_new_0123abc",
        "shop__dbbackup_new_0123ABCD",
        "shop__dbbackup_new_0123abcdx",
        "shop__dbbackup_old_20250111_023000",
        "shop_dbbackup_new_0123abcd",
    ],
)
def test_only_names_made_for_this_target_are_taken_for_its_copies(name: str) -> None:
    assert not is_unmarked_copy(name, "shop")


def test_copies_have_names_of_their_own() -> None:
    assert len({new_name("shop") for _ in range(20)}) == 20
