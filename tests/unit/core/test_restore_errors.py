from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dbbackup.core.restore_errors import RestoreErrors

ALONE = """\
pg_restore: connecting to database for restore
pg_restore: creating TABLE "public.item"
pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 219; 1259 16389 TABLE item shop
pg_restore: error: could not execute query: ERROR:  type "gone" does not exist
LINE 2:     id gone
               ^
Command was: CREATE TABLE public.item (
    id gone
);

pg_restore: error: could not execute query: ERROR:  relation "public.item" does not exist
Command was: ALTER TABLE public.item OWNER TO shop;

pg_restore: creating VIEW "public.v"
pg_restore: from TOC entry 220; 1259 16390 VIEW v shop
pg_restore: error: could not execute query: ERROR:  no
pg_restore: warning: errors ignored on restore: 3
"""


def _read(said: str, *numbers: int, major: int = 18, parallel: bool = False) -> RestoreErrors:
    errors = RestoreErrors(major, numbers, parallel=parallel)
    for line in said.splitlines():
        errors.line(line)
    return errors


def test_each_entry_that_failed_has_the_servers_words_and_not_the_statement() -> None:
    errors = _read(ALONE, 219, 220)
    assert errors.by_entry == {
        219: 'ERROR:  type "gone" does not exist LINE 2:     id gone ^ ERROR:  relation "public.item" does not exist',
        220: "ERROR:  no",
    }
    assert errors.others == []
    assert errors.gone_on


def test_a_run_that_says_nothing_of_errors_has_none() -> None:
    errors = _read('pg_restore: creating TABLE "public.item"\n', 219)
    assert (errors.by_entry, errors.others, errors.gone_on) == ({}, [], False)


def test_an_error_before_any_entry_belongs_to_none() -> None:
    errors = _read("pg_restore: while INITIALIZING:\npg_restore: error: could not execute query: ERROR:  no\nat all\n")
    assert errors.others == ["ERROR:  no at all"]


def test_an_error_after_all_entries_belongs_to_none() -> None:
    said = "pg_restore: from TOC entry 1; 0 0 TABLE t x\npg_restore: while FINALIZING:\npg_restore: error: lost\n"
    errors = _read(said, 1)
    assert (errors.by_entry, errors.others) == ({1: ""}, ["lost"])


UNKNOWN = 'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "{}"\n'


def test_what_an_older_server_does_not_know_at_the_start_is_no_error() -> None:
    said = "pg_restore: while INITIALIZING:\n" + UNKNOWN.format("transaction_timeout")
    assert _read(said, major=16).others == []
    assert len(_read(said, major=17).others) == 1
    assert len(_read(UNKNOWN.format("my_setting"), major=16).others) == 1


def test_but_it_is_one_in_an_entry_that_sets_it() -> None:
    said = "pg_restore: from TOC entry 5; 1255 1 FUNCTION f shop\n" + UNKNOWN.format("transaction_timeout")
    assert "transaction_timeout" in _read(said, 5, major=16).by_entry[5]


def test_words_in_somebodys_data_are_no_words_of_pg_restore() -> None:
    said = (
        "pg_restore: from TOC entry 1; 0 0 TABLE DATA log shop\n"
        'pg_restore: error: COPY failed for table "log": ERROR:  bad\n'
        'CONTEXT:  COPY log, line 1: "pg_restore: from TOC entry 2; 0 0 TABLE other x"\n'
        "pg_restore: warning: errors ignored on restore: 1\n"
        "pg_restore: error: could not read from input file: end of file\n"
    )
    errors = _read(said, 1, 2)
    assert set(errors.by_entry) == {1}
    assert not errors.gone_on  # it was not the last that was said


def test_entries_of_no_run_are_not_known() -> None:
    said = "pg_restore: from TOC entry 9; 0 0 TABLE t x\npg_restore: error: no\n"
    assert _read(said, 1, parallel=True).by_entry == {}


def test_what_is_said_of_one_entry_has_an_end() -> None:
    said = "pg_restore: from TOC entry 1; 0 0 TABLE t x\n" + "pg_restore: error: no\n" * 1000
    assert len(_read(said, 1).by_entry[1]) == 2000


def _writes(number: int) -> list[str]:
    return [
        "pg_restore: ",
        "while PROCESSING TOC:\n",
        "pg_restore: ",
        f"from TOC entry {number}; 1259 16{number} TABLE item shop\n",
        "pg_restore: ",
        "error: ",
        "could not execute query: ERROR:  no\nCommand was: SELECT 1;\n\n",
    ]


@given(st.data(), st.lists(st.integers(1, 50), min_size=1, max_size=4, unique=True))
def test_however_several_jobs_write_at_once_every_failed_entry_is_found(
    data: st.DataObject, numbers: list[int]
) -> None:
    waiting = {number: _writes(number) for number in numbers}
    written = ""
    while waiting:
        number = data.draw(st.sampled_from(sorted(waiting)))
        written += waiting[number].pop(0)
        if not waiting[number]:
            del waiting[number]
    errors = _read(written + "pg_restore: warning: errors ignored on restore: 9\n", *range(60), parallel=True)
    assert set(errors.by_entry) == set(numbers)
    assert errors.others == []
    assert errors.gone_on
