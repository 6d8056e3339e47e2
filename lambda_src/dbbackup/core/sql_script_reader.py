"""Takes a script of SQL apart: statements, psql's commands, comments between them, and the rows of COPY.

The rules are those of psql (``src/fe_utils/psqlscan.l``), as scripts of pg_dump are written for it: quotes, dollar
quotes, nested comments, parentheses, and the bodies of SQL functions (``BEGIN ATOMIC ... END``) keep a semicolon from
ending a statement. A backslash in a plain quoted text is a backslash, as with ``standard_conforming_strings``. It reads
a script of any size with the memory of its longest statement.
https://www.postgresql.org/docs/current/app-psql.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.sql_words import copies_from_stdin

CHUNK_BYTES: Final = 1 << 20
LONGEST_STATEMENT: Final = 1 << 30
"""PostgreSQL's own limit of one text."""
_LONGEST_WORD: Final = 1 << 16
_HEAD_WORDS = 4  # CREATE OR REPLACE FUNCTION
_LOOK_AHEAD = 1024  # bytes by which a special character, the tag of a dollar quote among them, is known

_SPACE = re.compile(rb"[ \t\n\r\f\v]+")
_LETTERS = rb"A-Za-z_\x80-\xff"
_WORD = re.compile(rb"[%b][%b0-9$]*" % (_LETTERS, _LETTERS))
_NUMBER = re.compile(rb"[0-9][0-9A-Za-z_.]*")
_IN_WORD = re.compile(rb"[%b0-9$]" % _LETTERS)
_SPECIAL = re.compile(rb"['\"$/\-;()\\]")
_SPECIAL_OR_WORD = re.compile(rb"['\"$/\-;()\\]|[%b0-9]" % _LETTERS)
_DOLLAR_QUOTE = re.compile(rb"\$(?:[%b][%b0-9]*)?\$" % (_LETTERS, _LETTERS))
_COMMENT_MARK = re.compile(rb"/\*|\*/")
_CREATE = re.compile(rb"create\b", re.IGNORECASE)
_ESCAPE_OR_END = re.compile(rb"[\\']")
_ALMOST_END_OF_ROWS = b"\n\\."
_END_OF_ROWS = re.compile(rb"\\\.(?:\r?\n|\r?\Z)")
_NEWLINE = b"\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its semicolon, and the line it begins in."""

    text: bytes
    line: int
    copies: bool = False
    """Whether rows follow it."""


@dataclass(frozen=True, slots=True)
class PsqlCommand:
    """A line for psql itself, as ``\\connect shop``."""

    text: bytes
    line: int


@dataclass(frozen=True, slots=True)
class Comment:
    """A line that begins with ``--``, between statements."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Rows:
    """Some of the rows that follow a statement."""

    data: bytes


@dataclass(frozen=True, slots=True)
class EndOfRows:
    """The end of the rows of the last statement."""


@dataclass(frozen=True, slots=True)
class CutShort:
    """The script ends within something."""

    within: str
    line: int


Part = Statement | PsqlCommand | Comment | Rows | EndOfRows | CutShort


def read_script(read: Callable[[int], bytes]) -> Iterator[Part]:
    """Take a script apart.

    Args:
        read: gives up to that many of the next bytes, none at the end; a file's ``read`` does.

    Raises:
        VerificationFailedError: it is no text, or a statement is longer than the server takes.
    """
    return _Script(read).parts()


class _Script:
    """The bytes of a script that are not consumed yet, and where we are in them."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._buffer = b""
        self._begin = 0  # of what is not consumed
        self._at = 0  # how far we have looked
        self._ended = False
        self._line = 1

    def _more(self) -> bool:
        """Read on, which moves all positions; False at the end."""
        if self._ended:
            return False
        kept = self._buffer[self._begin :]
        if len(kept) > LONGEST_STATEMENT:
            raise _unreadable(self._line, "a statement is longer than PostgreSQL takes")
        chunk = self._read(max(CHUNK_BYTES, len(kept) // 4))
        self._buffer = kept + chunk
        self._at -= self._begin
        self._begin = 0
        self._ended = not chunk
        return not self._ended

    def _consume(self, end: int) -> bytes:
        """The bytes up to there, which are done with."""
        self._line += self._buffer.count(_NEWLINE, self._begin, end)
        taken = self._buffer[self._begin : end]
        self._begin = self._at = end
        return taken

    def _has(self, count: int) -> bool:
        """Whether that many bytes follow."""
        while len(self._buffer) - self._at < count:
            if not self._more():
                return False
        return True

    def parts(self) -> Iterator[Part]:
        if self._has(3) and self._buffer.startswith(_BYTE_ORDER_MARK):
            self._consume(len(_BYTE_ORDER_MARK))
        while True:
            self._skip_space()
            if not self._has(1):
                return
            self._has(2)
            if self._buffer.startswith(b"\\", self._begin):
                line = self._line
                yield PsqlCommand(self._rest_of_line(), line)
            elif self._buffer.startswith(b"--", self._begin):
                yield Comment(self._rest_of_line())
            elif self._buffer.startswith(b"/*", self._begin):
                line = self._line
                self._at = self._begin + 2
                if not self._find_end_of_comment():
                    yield CutShort("a comment", line)
                    return
                self._consume(self._at)
            elif self._buffer.startswith(b";", self._begin):
                self._consume(self._begin + 1)
            else:
                yield from self._statement()

    def _skip_space(self) -> None:
        while True:
            while match := _SPACE.match(self._buffer, self._begin):
                self._consume(match.end())
            if self._begin < len(self._buffer) or not self._more():
                return

    def _rest_of_line(self) -> bytes:
        while (end := self._buffer.find(_NEWLINE, self._at)) < 0:
            self._at = len(self._buffer)
            if not self._more():
                return self._consume(len(self._buffer)).rstrip(b"\r")
        return self._consume(end + 1).rstrip(b"\r\n")

    def _statement(self) -> Iterator[Part]:
        line = self._line
        within, command_at = self._find_end_of_statement()
        if within:
            yield CutShort(within, line)
            self._consume(len(self._buffer))
            return
        if command_at:  # psql would carry a command out that stands within a statement, too
            self._consume(self._at)
            yield PsqlCommand(self._rest_of_line(), line)
            return
        text = self._consume(self._at)
        if b"\0" in text:
            raise _unreadable(line, "it holds bytes of value 0, which no text has")
        text = text[:-1].rstrip()
        copies = copies_from_stdin(text)
        yield Statement(text, line, copies)
        if copies:
            yield from self._rows(line)

    def _find_end_of_statement(self) -> tuple[str, bool]:
        """Go behind the semicolon that ends the statement.

        Returns:
            What the script's end leaves open, empty where nothing; and whether a command of psql came first.
        """
        self._has(_LOOK_AHEAD)
        state = _Body(may_make_routine=_CREATE.match(self._buffer, self._begin) is not None)
        while True:
            pattern = _SPECIAL_OR_WORD if state.needs_words else _SPECIAL
            match = pattern.search(self._buffer, self._at)
            if match is None:
                self._at = len(self._buffer)
                if not self._more():
                    return "a statement", False
                continue
            self._at = match.start()
            self._has(_LOOK_AHEAD)
            mark = match[0]
            if mark == b";":
                self._at += 1
                if state.may_end:
                    return "", False
            elif mark in b"()":
                state.parenthesis(mark)
                self._at += 1
            elif mark == b"\\":
                return "", True
            elif mark in b"'\"$":
                if not self._quoted(mark):
                    return "a quoted text", False
            elif mark in b"/-":
                if not self._comment(mark):
                    return "a comment", False
            else:
                self._word(state)

    def _word(self, state: _Body) -> None:
        while True:
            match = _WORD.match(self._buffer, self._at) or _NUMBER.match(self._buffer, self._at)
            assert match is not None
            if match.end() < len(self._buffer) or len(match[0]) > _LONGEST_WORD or not self._more():
                break
        self._at = match.end()
        state.word(match[0].lower())

    def _comment(self, mark: bytes) -> bool:
        """Go behind a comment, or behind a sign that begins none; False where the script ends in it."""
        begins = self._buffer[self._at : self._at + 2]
        if begins == b"--":
            while (end := self._buffer.find(_NEWLINE, self._at)) < 0:
                self._at = len(self._buffer)
                if not self._more():
                    return True
            self._at = end + 1
            return True
        if begins == b"/*":
            self._at += 2
            return self._find_end_of_comment()
        self._at += 1
        return True

    def _find_end_of_comment(self) -> bool:
        depth = 1
        while depth:
            match = _COMMENT_MARK.search(self._buffer, self._at)
            if match is None:
                self._at = max(self._at, len(self._buffer) - 1)  # the first half of a mark may be the last byte
                if not self._more():
                    return False
                continue
            depth += 1 if match[0] == b"/*" else -1
            self._at = match.end()
        return True

    def _quoted(self, mark: bytes) -> bool:
        """Go behind a quoted text; False where the script ends in it."""
        before = self._buffer[max(self._begin, self._at - 2) : self._at]
        if mark == b"$":
            tag = None if _IN_WORD.match(before[-1:]) else _DOLLAR_QUOTE.match(self._buffer, self._at)
            if tag is None:
                self._at += 1
                return True
            self._at = tag.end()
            return self._find_behind(tag[0])
        self._at += 1
        if mark == b"'" and before[-1:] in (b"e", b"E") and not _IN_WORD.match(before[:-1]):
            return self._find_end_of_escaped()
        return self._find_behind(mark)

    def _find_behind(self, end: bytes) -> bool:
        """A doubled quote mark ends one text and begins another, which comes to the same."""
        while (found := self._buffer.find(end, self._at)) < 0:
            self._at = max(self._at, len(self._buffer) - len(end) + 1)
            if not self._more():
                return False
        self._at = found + len(end)
        return True

    def _find_end_of_escaped(self) -> bool:
        while True:
            match = _ESCAPE_OR_END.search(self._buffer, self._at)
            if match is None:
                self._at = len(self._buffer)
            elif match[0] == b"\\":
                self._at = match.start()
                if self._has(2):
                    self._at += 2
                    continue
            else:
                self._at = match.end()
                if self._has(1) and self._buffer[self._at : self._at + 1] == b"'":
                    self._at += 1
                    continue
                return True
            if not self._more():
                return False

    def _rows(self, line: int) -> Iterator[Part]:
        """The rows behind a COPY, which begin in the line after it."""
        rest = self._rest_of_line().strip()
        if rest and not rest.startswith(b"--"):
            raise _unreadable(line, "something follows COPY ... FROM stdin in its line")
        self._has(4)
        if self._is_last_line():
            self._rest_of_line()
            yield EndOfRows()
            return
        while True:
            self._at = self._buffer.find(_ALMOST_END_OF_ROWS, self._begin)
            if self._at < 0:
                most = len(self._buffer) - len(_ALMOST_END_OF_ROWS)
                self._at = self._begin
                if most > self._begin:
                    yield Rows(self._consume(most))
                if not self._more():
                    self._consume(len(self._buffer))
                    yield CutShort("the rows of a table", line)
                    return
                continue
            self._at += 1
            self._has(4)
            ends = self._is_last_line()
            yield Rows(self._consume(self._at))
            if ends:
                self._rest_of_line()
                yield EndOfRows()
                return

    def _is_last_line(self) -> bool:
        return _END_OF_ROWS.match(self._buffer, self._at) is not None


class _Body:
    """What keeps a semicolon from ending a statement: parentheses, and the body of an SQL function."""

    def __init__(self, *, may_make_routine: bool) -> None:
        self._parentheses = 0
        self._blocks = 0
        self.needs_words = may_make_routine
        self._makes_routine = False
        self._head: list[bytes] = []
        self._last = b""

    @property
    def may_end(self) -> bool:
        return not self._parentheses and not self._blocks

    def parenthesis(self, mark: bytes) -> None:
        self._parentheses = max(0, self._parentheses + (1 if mark == b"(" else -1))

    def word(self, word: bytes) -> None:
        if not self._makes_routine:
            self._head.append(word)
            self._makes_routine = word in (b"function", b"procedure")
            self.needs_words = self._makes_routine or len(self._head) < _HEAD_WORDS
        elif self._blocks:
            if not self._parentheses:
                self._blocks += {b"case": 1, b"end": -1}.get(word, 0)
        elif word == b"atomic" and self._last == b"begin":
            self._blocks = 1
        self._last = word


def _unreadable(line: int, why: str) -> VerificationFailedError:
    return VerificationFailedError(
        f"The script cannot be read: {why} (line {line}).",
        untouched="No database was touched.",
        action="Have it written again by pg_dump, with --file instead of a redirection.",
    )
