from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dbbackup.core.entry_script import prepared, prepared_chunks, rows_of_copy, split_at

# What pg_dump may write in a row: never a line that is a backslash and a dot alone.
ROWS = st.lists(
    st.lists(st.sampled_from([b"\\", b"\\.", b".", b"a", b"\\N", b"\t", b"\r"]), max_size=5)
    .map(b"".join)
    .filter(lambda row: row != b"\\."),
    max_size=6,
)
CUTS = st.lists(st.integers(0, 60), max_size=8)


def _cut(stream: bytes, cuts: list[int]) -> tuple[bytes, ...]:
    ends = [0, *sorted(cuts), max([len(stream), *cuts])]
    return tuple(stream[start:end] for start, end in pairwise(ends))


@given(ROWS, CUTS)
@example([], [1, 2])
@example([b"x\\."], [])
@example([b"\\.x", b""], [1, 2, 3])
def test_however_the_data_comes_its_rows_are_the_same(rows: list[bytes], cuts: list[int]) -> None:
    data = b"".join(row + b"\n" for row in rows)
    beginning, *others = _cut(data + b"\\.\n\n\nSELECT 'more';\n\\.\n", cuts)
    rest = iter(others)
    assert b"".join(rows_of_copy(beginning, rest)) == data
    assert next(rest, None) is None  # what comes after the data is read too


@given(ROWS, CUTS)
def test_without_the_line_that_ends_them_no_byte_of_the_rows_is_lost(rows: list[bytes], cuts: list[int]) -> None:
    data = b"".join(row + b"\n" for row in rows)
    beginning, *others = _cut(data, cuts)
    assert b"".join(rows_of_copy(beginning, others)) == data


@given(ROWS, CUTS)
def test_a_script_is_cut_at_its_copy_statement(rows: list[bytes], cuts: list[int]) -> None:
    copy = b"COPY public.t (a) FROM stdin;\n"
    head, data = b"SET x = 1;\n\n", b"\n".join(rows)
    chunks = iter(_cut(head + copy + data, cuts))
    before, after = split_at(chunks, copy)
    assert before == head
    assert after + b"".join(chunks) == data


def test_a_script_without_the_statement_is_all_head() -> None:
    assert split_at(iter((b"SELECT", b" 1;")), b"COPY") == (b"SELECT 1;", b"")


# As pg_restore 18 writes it.
SCRIPT = rb"""--
-- PostgreSQL database dump
--

\restrict k3y

-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET transaction_timeout = 0;
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET row_security = off;

COMMENT ON TABLE public.t IS 'SET transaction_timeout = 0;
\restrict other
SELECT pg_catalog.set_config(''search_path'', '''', false);
SET transaction_timeout = 0;
';


--
-- PostgreSQL database dump complete
--

\unrestrict k3y

"""


def test_commands_of_psql_and_the_empty_search_path_are_taken_out_of_the_head_alone() -> None:
    made = prepared(SCRIPT, 18)
    assert b"k3y" not in made
    assert made.count(b"set_config") == 1
    assert made.count(b"SET transaction_timeout = 0;\n") == 3
    assert b"\n\\restrict other\n" in made


@pytest.mark.parametrize(("major", "count"), [(16, 2), (17, 3)])
def test_an_older_server_is_not_told_what_it_does_not_know(major: int, count: int) -> None:
    assert prepared(SCRIPT, major).count(b"SET transaction_timeout = 0;\n") == count


@given(CUTS)
def test_a_long_script_is_prepared_as_a_short_one(cuts: list[int]) -> None:
    beginning, end = SCRIPT.split(b"SET row_security")
    rows = b"1\tx\n" * 50
    chunks = _cut(b"SET row_security" + rows + end, cuts)
    made = b"".join(prepared_chunks(iter((beginning, *chunks)), 16))
    assert made == prepared(beginning + b"SET row_security" + rows + end, 16)
    assert b"restrict k3y" not in made


def test_nothing_comes_of_an_empty_script() -> None:
    assert b"".join(prepared_chunks(iter(()), 18)) == b""


def test_a_script_of_an_older_pg_restore_has_no_commands_of_psql() -> None:
    assert prepared(b"SET x = 1;\n\\restricted\n", 18) == b"SET x = 1;\n\\restricted\n"
