"""The words of one SQL statement, without its comments and without what is in its quoted texts.

https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

TEXT: Final = "'"
"""Stands for a quoted text."""
_TOKEN = re.compile(
    rb"""(?P<space>\s+|--[^\n]*)
    |(?P<comment>/\*)
    |(?P<escaped>[eE]'(?:[^\\']++|\\.|'')*+')
    |(?P<text>(?:[uU]&)?'(?:[^']++|'')*+')
    |(?P<dollar>\$(?P<tag>(?:[A-Za-z_\x80-\xff][0-9A-Za-z_\x80-\xff]*)?)\$.*?\$(?P=tag)\$)
    |(?P<name>(?:[uU]&)?"(?:[^"]++|"")*+")
    |(?P<word>[A-Za-z_\x80-\xff][0-9A-Za-z_$\x80-\xff]*)
    |(?P<number>[0-9][0-9A-Za-z_.]*)
    |(?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT_MARK = re.compile(rb"/\*|\*/")
_COPY = re.compile(rb"copy\b", re.IGNORECASE)


def words(text: bytes, encoding: str = "utf-8") -> Iterator[str]:
    """The words of a statement, one after another.

    Keywords and unquoted names come in small letters, quoted names in their quotes, quoted texts as :data:`TEXT`, and
    whatever else sign by sign.

    Args:
        text: the statement.
        encoding: how to decode names.
    """
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match is not None  # the last alternative takes anything
        kind = match.lastgroup
        at = match.end()
        if kind == "comment":
            at = _behind_comment(text, at)
        elif kind == "word":
            yield match[0].decode(encoding, "surrogateescape").lower()
        elif kind in ("text", "escaped", "dollar"):
            yield TEXT
        elif kind != "space":
            yield match[0].decode(encoding, "surrogateescape")


def _behind_comment(text: bytes, at: int) -> int:
    depth = 1
    while depth:
        match = _COMMENT_MARK.search(text, at)
        if match is None:
            return len(text)
        depth += 1 if match[0] == b"/*" else -1
        at = match.end()
    return at


def top_level(found: Iterator[str]) -> Iterator[str]:
    """The words that stand in no parentheses."""
    depth = 0
    for word in found:
        if word == ")":
            depth -= 1
        if depth == 0 and word != ")":
            yield word
        if word == "(":
            depth += 1


def unquoted(word: str) -> str:
    """The name that a word is."""
    return word[1:-1].replace('""', '"') if word.startswith('"') else word


def copies_from_stdin(text: bytes) -> bool:
    """Whether rows follow a statement: ``COPY ... FROM stdin``."""
    if not _COPY.match(text):
        return False
    found = list(top_level(words(text)))
    return any(pair == ["from", "stdin"] for pair in (found[at : at + 2] for at in range(len(found))))
