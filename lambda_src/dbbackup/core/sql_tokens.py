"""SQL in pieces: enough to tell names from keywords, and one statement from the next.

https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n\r]*)
    |(?P<comment>/\*)
    |(?P<name>"(?:[^"]|"")*")
    |(?P<text>[eE]'(?:[^'\\]|\\.|'')*'|[uUbBxXnN]?&?'(?:[^']|'')*')
    |(?P<body>\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    |(?P<part>[^\W\d][\w$]*(?=\s*\.))
    |(?P<word>[^\W\d][\w$]*)
    |(?P<number>\d[\w.]*)
    |(?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Token:
    """One word, name, literal or sign.

    Attributes:
        text: as it is written.
        start: where it begins.
        end: where it ends.
        kind: ``name`` (in double quotes), ``part`` (of a name with dots), ``word``, ``text``, ``body`` (in dollar
            quotes), ``number`` or ``other``, which is one sign.
        depth: in how many parentheses it stands.
    """

    text: str
    start: int
    end: int
    kind: str
    depth: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords, in capitals here and in any case there."""
        return self.kind == "word" and self.text.upper() in words

    @property
    def identifier(self) -> str:
        """The name that it stands for."""
        if self.kind == "name":
            return self.text[1:-1].replace('""', '"')
        return self.text.lower()


def tokens(sql: str) -> Iterator[Token]:
    """The tokens of a text, without white space and comments. A quote that is not closed stands alone."""
    position = depth = 0
    after_dot = False
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        assert match is not None, "the last alternative takes any character"
        kind = match.lastgroup or "other"
        if match["comment"]:
            position = _after_comment(sql, match.end())
            continue
        if kind == "tag" or match["body"]:
            kind = "body"
        if kind == "word" and after_dot:
            kind = "part"
        if not match["space"]:
            if match[0] == ")":
                depth = max(0, depth - 1)
            yield Token(match[0], match.start(), match.end(), kind, depth)
            if match[0] == "(":
                depth += 1
            after_dot = match[0] == "."
        position = match.end()


def _after_comment(sql: str, position: int) -> int:
    depth = 1
    while depth:
        edge = _COMMENT_EDGE.search(sql, position)
        if edge is None:
            return len(sql)
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return position


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a text."""

    sql: str
    tokens: tuple[Token, ...]

    def begins(self, *words: str) -> bool:
        """Whether its first words are these."""
        return len(self.tokens) >= len(words) and all(
            token.is_word(word) for token, word in zip(self.tokens, words, strict=False)
        )

    def after(self, *words: str) -> Sequence[Token]:
        """The tokens after these consecutive words outside parentheses; none where they do not stand there."""
        for index in range(len(self.tokens) - len(words) + 1):
            here = self.tokens[index : index + len(words)]
            if all(token.depth == 0 and token.is_word(word) for token, word in zip(here, words, strict=True)):
                return self.tokens[index + len(words) :]
        return ()

    def has(self, *words: str) -> bool:
        """Whether these consecutive words stand in it outside parentheses."""
        return any(
            all(token.depth == 0 and token.is_word(word) for token, word in zip(self.tokens[i:], words, strict=False))
            for i in range(len(self.tokens) - len(words) + 1)
        )


def statements(sql: str) -> Iterator[Statement]:
    """The statements of a text, each with its semicolon."""
    current: list[Token] = []
    for token in tokens(sql):
        current.append(token)
        if token.text == ";" and token.depth == 0:
            yield Statement(sql[current[0].start : token.end], tuple(current))
            current = []
    if current:
        yield Statement(sql[current[0].start :].rstrip(), tuple(current))
