from __future__ import annotations

from dbbackup.core.restore_failure import Failure, listed, to_repeat
from tests.unit.core.archive_entries import contents, entry

ARCHIVE = contents(
    entry(30, "FUNCTION", "f()"),
    entry(10, "TABLE", "item", dependencies=(30,)),
    entry(20, "TABLE", "other"),
    entry(11, "TABLE DATA", "item", dependencies=(10,)),
    entry(21, "TABLE DATA", "other", dependencies=(20,)),
    entry(12, "INDEX", "item_name", dependencies=(10,)),
)
NOTHING = frozenset[int]()


def test_what_failed_is_tried_again_in_the_archives_order() -> None:
    assert to_repeat(ARCHIVE, [12, 30], NOTHING) == [30, 12]


def test_with_a_table_its_data_is_tried_again_which_pg_restore_says_nothing_of() -> None:
    assert to_repeat(ARCHIVE, [10], NOTHING) == [10, 11]


def test_nothing_is_tried_again_that_is_left_out() -> None:
    assert to_repeat(ARCHIVE, [10, 12], frozenset({11, 12})) == [10]
    assert to_repeat(ARCHIVE, [], NOTHING) == []


def test_the_first_failures_are_named_and_the_others_counted() -> None:
    failures = [Failure(f"INDEX i{n}", "no") for n in range(7)]
    assert listed(failures[:2]) == "INDEX i0 (no); INDEX i1 (no)"
    assert listed(failures).endswith("; INDEX i4 (no); and 2 more")


def test_a_failure_is_a_document() -> None:
    document = Failure("INDEX i", "no", "CREATE INDEX i;", 12).as_dict()
    assert document == {"what": "INDEX i", "error": "no", "statement": "CREATE INDEX i;"}
