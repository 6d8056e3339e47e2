"""A script taken apart as psql would take it."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.sql_script_reader import (
    Comment,
    CutShort,
    EndOfRows,
    Part,
    PsqlCommand,
    Rows,
    Statement,
    read_script,
)

SCRIPT = b"""--
-- PostgreSQL database dump
--
\\restrict abc
SET standard_conforming_strings = on;
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 ELSE 2 END; SELECT 2; END;
CREATE OR REPLACE PROCEDURE public.begin() LANGUAGE plpgsql AS $_$ BEGIN; \\! ls; END $_$;
COPY public.t (a, "b (") FROM stdin;
1\t2
\\.x
2\t;
\\.


COPY empty FROM STDIN WITH (FORMAT text);
\\.
INSERT INTO t VALUES (E'a\\';b', 'c\\', ';--', U&'\\0041', $1, x$y$z);
CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2);
/* a /* b */ ; */ SELECT "x;" /* ; */ -- ;
;;
SELECT 1 \\gexec
"""
TEXTS = [
    b"SET standard_conforming_strings = on",
    b"CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 ELSE 2 END; SELECT 2; END",
    b"CREATE OR REPLACE PROCEDURE public.begin() LANGUAGE plpgsql AS $_$ BEGIN; \\! ls; END $_$",
    b'COPY public.t (a, "b (") FROM stdin',
    b"COPY empty FROM STDIN WITH (FORMAT text)",
    b"INSERT INTO t VALUES (E'a\\';b', 'c\\', ';--', U&'\\0041', $1, x$y$z)",
    b"CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)",
    b'SELECT "x;" /* ; */ -- ;',
]


def parts_of(script: bytes, *, piece: int = 1 << 20) -> list[Part]:
    """The parts, with rows that came in several pieces put together."""
    stream = io.BytesIO(script)
    found: list[Part] = []
    for part in read_script(lambda size: stream.read(min(size, piece))):
        if isinstance(part, Rows) and found and isinstance(found[-1], Rows):
            found[-1] = Rows(found[-1].data + part.data)
        else:
            found.append(part)
    return found


def test_statements_end_where_the_server_would_end_them() -> None:
    parts = parts_of(SCRIPT)
    assert [part.text for part in parts if isinstance(part, Statement)] == TEXTS
    assert [part.text for part in parts if isinstance(part, PsqlCommand)] == [b"\\restrict abc", b"\\gexec"]
    assert [part.text for part in parts if isinstance(part, Comment)][1] == b"-- PostgreSQL database dump"
    copies = [part for part in parts if isinstance(part, Statement) and part.copies]
    assert [part.line for part in copies] == [8, 15]
    assert [part.data for part in parts if isinstance(part, Rows)] == [b"1\t2\n\\.x\n2\t;\n"]
    assert sum(isinstance(part, EndOfRows) for part in parts) == 2


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 7, 64])
def test_it_does_not_matter_in_which_pieces_the_bytes_come(piece: int) -> None:
    assert parts_of(SCRIPT, piece=piece) == parts_of(SCRIPT)
    windows = SCRIPT.replace(b"\n", b"\r\n")
    assert parts_of(windows, piece=piece) == parts_of(windows)


@pytest.mark.parametrize(
    ("script", "within"),
    [
        (b"COPY t FROM stdin;\n1\n2\n", "rows"),
        (b"COPY t FROM stdin;\n1\n\\", "rows"),
        (b"COPY t FROM stdin;", "rows"),
        (b"CREATE TABLE t (a int", "a statement"),
        (b"SELECT 1", "a statement"),
        (b"SELECT 'abc", "a quoted text"),
        (b"SELECT $a$ $b$;", "a quoted text"),
        (b"SELECT 1 /* ;", "a comment"),
        (b"/* ;", "a comment"),
        (b"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;", "a statement"),
    ],
)
def test_a_script_that_is_cut_says_within_what(script: bytes, within: str) -> None:
    last = parts_of(script)[-1]
    assert isinstance(last, CutShort)
    assert within in last.within


@pytest.mark.parametrize("script", [b"SELECT 1\0;", b"COPY t FROM stdin; SELECT 1;\n"])
def test_what_is_no_script_is_refused(script: bytes) -> None:
    with pytest.raises(VerificationFailedError, match="line 1"):
        parts_of(script)


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            [
                *(b"'", b'"', b"$", b"$a$", b"\\", b"\\.", b"\n", b";", b"(", b")", b"/*", b"*/", b"--", b" ", b"E'"),
                *(b"COPY t FROM stdin;\n", b"BEGIN ATOMIC", b"CREATE FUNCTION", b"END", b"case", b"\xc3\xa4", b"\r\n"),
            ]
        ),
        max_size=25,
    ),
    st.integers(1, 9),
)
def test_any_text_is_read_to_its_end_and_alike_in_any_pieces(words: list[bytes], piece: int) -> None:
    script = b"".join(words)
    assert parts_of(script, piece=piece) == parts_of(script)


def test_rows_and_statements_far_longer_than_what_is_read_at_once() -> None:
    chance = random.Random(1)
    rows = b"".join(b"%d\t%s\n" % (number, chance.randbytes(40).hex().encode()) for number in range(40_000))
    text = chance.randbytes(1_500_000).hex().encode()
    parts = parts_of(b"COPY t FROM stdin;\n" + rows + b"\\.\nSELECT '" + text + b"';\n", piece=100_000)
    assert parts[1] == Rows(rows)
    assert isinstance(parts[-1], Statement)
    assert parts[-1].text == b"SELECT '" + text + b"'"
