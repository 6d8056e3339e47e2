from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.core.leftovers import (
    MAX_MARK,
    MAX_NAME_BYTES,
    Beside,
    Found,
    Leftover,
    Mark,
    State,
    is_new_name,
    is_old_name,
    new_name,
    old_name,
    parse_mark,
    sort_out,
)

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
    assert is_new_name(new_name(target), target)
    assert not is_new_name(old_name(target, MOMENT), target)


@given(NAMES, st.sets(st.integers(0, 3)))
def test_what_is_kept_takes_a_name_that_is_free(target: str, seconds: set[int]) -> None:
    taken = [old_name(target, MOMENT + timedelta(seconds=each)) for each in seconds]
    name = old_name(target, MOMENT, taken)
    assert name not in taken
    assert is_old_name(name, target)


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
    assert not is_new_name(name, "shop")


def test_copies_have_names_of_their_own() -> None:
    assert len({new_name("shop") for _ in range(20)}) == 20


NEW = "shop__dbbackup_new_0123abcd"
OLD = "shop__dbbackup_old_20250111_023000"


def _mark(state: State, target: str = "shop") -> str:
    return Mark(target, state, "s3://backups/shop.dump").to_comment()


@pytest.mark.parametrize(
    "comment",
    ["[" * 200_000, '{"a":' * 100_000, "[" * 40_000, "{}" + " " * MAX_MARK, '{"tool": "dbbackup"'],
    ids=["lists", "objects", "short enough", "long", "cut off"],
)
def test_a_comment_of_any_length_and_depth_is_read_to_an_end(comment: str) -> None:
    assert parse_mark(comment) is None


@pytest.mark.parametrize("field", ["target", "backup", "comment", "manifest_sha256", "owner", "skipped"])
@pytest.mark.parametrize("value", [7.5, ["x", 1], {"a": "b"}, [[]]], ids=["number", "list", "object", "nested"])
def test_a_mark_with_fields_of_another_kind_is_none(field: str, value: object) -> None:
    document = {**json.loads(_mark(State.VERIFIED)), field: value}
    assert parse_mark(json.dumps(document)) is None


def test_a_long_original_comment_does_not_make_the_mark_unreadable() -> None:
    comment = Mark("shop", State.REPLACED, "b", "\N{GRINNING FACE}" * 100_000).to_comment()
    assert len(comment) < MAX_MARK
    assert parse_mark(comment) is not None


@pytest.mark.parametrize(
    ("name", "comment"),
    [(NEW, _mark(State.VERIFIED)), (NEW, _mark(State.RESTORING)), (NEW, None), (OLD, _mark(State.REPLACED))],
    ids=["verified", "restoring", "not marked yet", "replaced"],
)
def test_a_database_of_ours_under_a_name_of_ours_is_a_leftover(name: str, comment: str | None) -> None:
    mark = parse_mark(comment) or Mark("shop", State.RESTORING, "")
    assert sort_out("shop", [Found(name, "us", True, comment)]) == Beside((Leftover(name, mark),))


@pytest.mark.parametrize(
    "found",
    [
        Found(NEW, "app", False, _mark(State.VERIFIED)),
        Found(NEW, "app", False, None),
        Found(OLD, "app", False, _mark(State.REPLACED)),
        Found(OLD, "us", True, None),
        Found(OLD, "us", True, "the shop of 2024"),
        Found(OLD, "us", True, _mark(State.VERIFIED)),
        Found(NEW, "us", True, _mark(State.REPLACED)),
        Found("shop_keep_this", "us", True, _mark(State.REPLACED)),
        Found("shop_staging", "app", False, _mark(State.VERIFIED)),
    ],
    ids=[
        "copy of another",
        "unmarked copy of another",
        "old one of another",
        "kept",
        "kept with its comment",
        "a copy's mark in an old one",
        "an old one's mark in a copy",
        "renamed",
        "made up",
    ],
)
def test_what_is_not_ours_or_was_kept_or_renamed_is_left_alone_and_named(found: Found) -> None:
    beside = sort_out("shop", [found])
    assert beside.leftovers == ()
    assert len(beside.left_alone) == 1
    assert repr(found.name) in beside.left_alone[0]


@pytest.mark.parametrize(
    "found",
    [
        Found("shop", "us", True, _mark(State.VERIFIED)),
        Found("other", "us", True, None),
        Found(NEW, "us", True, _mark(State.VERIFIED, target="shop2")),
        Found("other", "us", True, "[" * 200_000),
    ],
    ids=["target", "another", "of another target", "long comment"],
)
def test_everything_else_is_of_no_concern(found: Found) -> None:
    assert sort_out("shop", [found]) == Beside()


@given(
    target=NAMES,
    name=NAMES,
    comment=st.none() | st.text() | st.builds(lambda s, t: Mark(t, s, "b").to_comment(), st.sampled_from(State), NAMES),
)
def test_what_belongs_to_others_is_never_a_leftover(target: str, name: str, comment: str | None) -> None:
    for candidate in (name, new_name(target), old_name(target, MOMENT)):
        assert sort_out(target, [Found(candidate, "another", False, comment)]).leftovers == ()


@given(NAMES)
def test_names_of_copies_and_of_what_was_replaced_are_told_apart(target: str) -> None:
    new, old = new_name(target), old_name(target, MOMENT)
    assert (is_new_name(new, target), is_old_name(new, target)) == (True, False)
    assert (is_new_name(old, target), is_old_name(old, target)) == (False, True)
