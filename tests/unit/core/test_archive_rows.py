"""Rows are counted in the script of an archive's data, wherever its pieces begin and whatever is in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dbbackup.core.archive_rows import RowCounter, data_list
from dbbackup.core.archive_toc import Entry, Section, TableOfContents
from dbbackup.core.errors import VerificationFailedError

# What looks like something else: the end of data, a statement, a header, a quote.
NASTY = (
    "\n\\.\n",
    "\nCOPY public.t (a) FROM stdin;\n",
    "FROM stdin;\n",
    "--",
    '"',
    "\\.",
    ";\n",
    "\n",
    "a",
    "ä",
    "\udce9",
)
NAMES = st.lists(st.sampled_from(NASTY), min_size=1, max_size=4).map("".join)
# In COPY's text format backslashes and newlines of values are escaped.
VALUES = st.lists(st.sampled_from(("\\\\.", "\\\\", ".", "\\n", "COPY x FROM stdin;", "x", "", "\t", '"')), max_size=4)
ROWS = st.lists(VALUES.map("".join), max_size=5)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _copy(name: str) -> str:
    return f"COPY public.{_quoted(name)} ({_quoted(name)}) FROM stdin;\n"


def _contents(statements: list[str]) -> TableOfContents:
    return TableOfContents(
        tuple(
            Entry(number, 0, number, "TABLE DATA", "public", f"t{number}", "o", Section.DATA, copy=copy, has_data=True)
            for number, copy in enumerate(statements, 1)
        ),
        "18.6",
    )


def _script(tables: list[tuple[str, list[str]]]) -> bytes:
    parts = ["--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET statement_timeout = 0;\n\n"]
    for name, rows in tables:
        sanitized = name.replace("\n", " ")
        parts.append(f"--\n-- Data for Name: {sanitized}; Type: TABLE DATA; Schema: public; Owner: o\n--\n\n")
        parts.append(_copy(name) + "".join(f"{row}\n" for row in rows) + "\\.\n\n\n")
    return "".join(parts).encode("utf-8", "surrogateescape") + b"--\n-- PostgreSQL database dump complete\n--\n\n"


def _counted(contents: TableOfContents, script: bytes, cuts: list[int]) -> dict[int, int]:
    counter = RowCounter(contents)
    places = sorted({0, len(script), *(cut % (len(script) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        counter.feed(script[start:end])
    found = counter.result()
    assert found is not None
    return dict(found)


@given(st.lists(st.tuples(NAMES, ROWS), max_size=5), st.lists(st.integers(0, 10_000), max_size=20))
@example([("t", []), ("t", ["\\\\."]), ("\n\\.\n", ["", ""])], list(range(1000)))
def test_rows_are_counted_wherever_the_pieces_begin(tables: list[tuple[str, list[str]]], cuts: list[int]) -> None:
    contents = _contents([_copy(name) for name, _ in tables])
    expected = {number: len(rows) for number, (_, rows) in enumerate(tables, 1)}
    assert _counted(contents, _script(tables), cuts) == expected


@pytest.mark.parametrize("cut", range(1, 12))
def test_data_that_does_not_end_or_does_not_come_is_named(cut: int) -> None:
    script = _script([("t", ["a"]), ("u", ["b"])])
    contents = _contents([_copy("t"), _copy("u")])
    end = script.rindex(b"\n\\.\n")
    for broken in (script[: end + min(cut, 3)], script[: script.index(b'COPY public."u"') + cut], b""):
        counter = RowCounter(contents)
        counter.feed(broken)
        with pytest.raises(VerificationFailedError, match=r"the data of TABLE DATA public\.t[12] is not there"):
            counter.result()


def test_insert_statements_are_not_counted() -> None:
    counter = RowCounter(_contents([""]))
    counter.feed(b"INSERT INTO public.t VALUES (1),\n(2);\n")
    assert counter.result() is None


def test_only_entries_with_data_are_asked_for() -> None:
    contents = TableOfContents(
        (
            Entry(1, 0, 1, "TABLE", "public", "t", "o", Section.PRE_DATA),
            Entry(2, 0, 1, "TABLE DATA", "public", "t", "o", Section.DATA, copy="COPY", has_data=True),
            Entry(3, 0, 2, "SEQUENCE SET", "public", "s\nCOPY", "o", Section.DATA, definition="SELECT 1"),
            Entry(4, 0, 0, "BLOBS", "", "BLOBS", "", Section.DATA, has_data=True),
        ),
        "18.6",
    )
    assert data_list(contents) == "2;\n4;\n"


def test_a_hundred_thousand_tables_take_seconds() -> None:
    names = [f"table_{number}" for number in range(100_000)]
    contents = _contents([_copy(name) for name in names])
    script = _script([(name, ["1\tone", "2\ttwo"]) for name in names])
    started = time.process_time()
    counter = RowCounter(contents)
    for at in range(0, len(script), 256 * 1024):
        counter.feed(script[at : at + 256 * 1024])
    assert set((counter.result() or {}).values()) == {2}
    assert time.process_time() - started < 10


def _long_line(mebibytes: int) -> Iterator[bytes]:
    yield _copy("t").encode()
    for _ in range(mebibytes):
        yield b"x" * 1024**2
    yield b"\n\\.\n\n\n"


def test_a_line_of_a_gigabyte_is_never_held() -> None:
    counter = RowCounter(_contents([_copy("t")]))
    counter.feed(b"\n")
    for piece in _long_line(1024):
        counter.feed(piece)
        assert len(counter._left) < 4096
    assert counter.result() == {1: 1}
