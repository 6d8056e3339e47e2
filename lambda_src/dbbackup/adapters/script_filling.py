"""Carries the statements of an SQL script out in a database, one by one, and goes on where the server refuses one.

psql is not used: it would carry out whatever a script says to it, which is to run programs and to read files of this
machine, and to go to another database. Here a statement goes to the server alone, over the extended protocol, which
refuses two in one: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.statements import rows
from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import RestoreFailedError
from dbbackup.core.restore_plan import RestoreOptions
from dbbackup.core.sql_script_meaning import Reach
from dbbackup.core.sql_script_places import Place, Places
from dbbackup.core.sql_script_reader import EndOfRows, Part, Rows, Statement

# What leaves nothing to go on with: https://www.postgresql.org/docs/current/errcodes-appendix.html
_HOPELESS = ("08", "53", "57P", "58", "XX")
_SYNTAX = "42601"
_STANDARD_STRINGS = b"standard_conforming_strings"


@dataclass(slots=True)
class Refusals:
    """What a server has refused.

    Attributes:
        words: its words, by the number of the entry.
        units: which parts of an entry that is made of many, as of rows of INSERT.
    """

    words: dict[int, str] = field(default_factory=dict)
    units: dict[int, set[int]] = field(default_factory=dict)

    def add(self, number: int, unit: int, words: str) -> None:
        """One more; the first words of an entry stand for all."""
        self.words.setdefault(number, words)
        self.units.setdefault(number, set()).add(unit)


class Units:
    """Numbers the parts of entries: each statement is one, of large objects each from its opening to its closing."""

    def __init__(self) -> None:
        self._of: dict[int, int] = {}

    def of(self, place: Place) -> int:
        """The part of its entry that a statement belongs to."""
        assert place.number is not None
        before = self._of.get(place.number, -1)
        goes_on = place.joined and place.meaning.kind == "BLOBS" and place.meaning.call != "lo_open"
        self._of[place.number] = before if goes_on else before + 1
        return self._of[place.number]


class Filler:
    """One reading of a script into a database."""

    def __init__(
        self,
        session: psycopg.Connection[TupleRow],
        *,
        numbers: Collection[int],
        options: RestoreOptions,
        tablespaces: bool,
        on_item: Callable[[], None],
        deadline: Deadline,
    ) -> None:
        self.refusals = Refusals()
        self._session = session
        self._numbers = numbers
        self._options = options
        self._tablespaces = tablespaces
        self._on_item = on_item
        self._deadline = deadline
        self._units = Units()
        self._open: tuple[int, int] | None = None  # the large object that is being written
        self._spoilt = False
        session.execute(b"SET synchronous_commit = off")  # the swap, which comes later, makes all of it durable
        self._settings = {str(row[0]) for row in rows(session, "SELECT name FROM pg_settings")}

    def fill(self, parts: Iterator[Part]) -> None:
        """Carry out what is asked for.

        Raises:
            RestoreFailedError: the server cannot go on, or a statement is not what it was taken for.
            DeadlineExceededError: it took too long.
        """
        places = Places()
        for part in parts:
            if not isinstance(part, Statement):
                continue
            self._deadline.check("restoring")
            place = places.of(part)
            if place.number is None:
                continue
            if place.meaning.reach is Reach.SETTING:
                self._set(part, place)
                continue
            self._carry_out(part, place, parts)
        self._close_large_object()

    def _carry_out(self, statement: Statement, place: Place, parts: Iterator[Part]) -> None:
        assert place.number is not None
        unit = self._units.of(place)
        if self._open is not None and self._open != (place.number, unit):
            self._close_large_object()
        if place.number not in self._numbers or not wanted(place, self._options):
            return
        if not place.joined:
            self._on_item()
        if place.meaning.kind == "BLOBS":
            self._write_large_object(statement, place.number, unit)
        elif statement.copies:
            self._note(place.number, unit, self._copied(statement.text, parts))
        else:
            self._note(place.number, unit, self._said(statement.text, place.as_role))

    def _note(self, number: int, unit: int, words: str | None) -> None:
        if words is not None:
            self.refusals.add(number, unit, words)

    def _set(self, statement: Statement, place: Place) -> None:
        """A setting that this server does not know cannot matter to it, as ``transaction_timeout`` before 17."""
        assert place.meaning.setting is not None
        assert place.number is not None
        name = place.meaning.setting[0]
        if name == "default_tablespace" and not self._tablespaces:
            return
        if name in self._settings or "." in name or name in ("names", "time"):
            words = self._said(statement.text, "")
            if place.number in self._numbers:
                self._note(place.number, 0, words)

    def _write_large_object(self, statement: Statement, number: int, unit: int) -> None:
        """What opens it is known to one transaction alone."""
        if self._open is None:
            self._session.execute(b"BEGIN")
            self._open, self._spoilt = (number, unit), False
        if not self._spoilt and (words := self._said(statement.text, "")) is not None:
            self.refusals.add(number, unit, words)
            self._spoilt = True

    def _close_large_object(self) -> None:
        if self._open is not None:
            self._session.execute(b"ROLLBACK" if self._spoilt else b"COMMIT")
            self._open = None

    def _said(self, text: bytes, as_role: str) -> str | None:
        """Have one statement carried out; the server's words where it refused."""
        self._check_strings()
        try:
            if as_role:
                rows(self._session, "SELECT set_config('session_authorization', %s, false)", as_role)
            try:
                # Asking for binary results is how the driver is told to use the extended protocol.
                self._session.cursor().execute(text, binary=True)
            finally:
                if as_role:
                    self._session.execute(b"RESET SESSION AUTHORIZATION")
        except psycopg.Error as error:
            return self._words(error)
        return None

    def _copied(self, text: bytes, parts: Iterator[Part]) -> str | None:
        self._check_strings()
        words = None
        data = _rows_of(parts)
        try:
            with self._session.cursor().copy(text) as into:
                for chunk in data:
                    self._deadline.check("restoring")
                    into.write(chunk)
        except psycopg.Error as error:
            words = self._words(error)
        for _ in data:  # the rest of the rows is no SQL
            pass
        return words

    def _check_strings(self) -> None:
        """What is one statement to us must be one to the server, so a backslash must mean the same to both."""
        if self._session.pgconn.parameter_status(_STANDARD_STRINGS) != b"on":
            self._session.execute(b"SET standard_conforming_strings = on")

    def _words(self, error: psycopg.Error) -> str:
        words = " ".join(str(error).split())
        state = error.sqlstate or ""
        self._deadline.check("restoring")
        if self._session.broken or state.startswith(_HOPELESS):
            raise RestoreFailedError(
                f"The server could not go on: {words}.",
                untouched=f"The database {self._options.target!r} is as it was; the unfinished copy is removed.",
                action="The server has no room for a second copy: free or add storage, then repeat."
                if state.startswith("53")
                else "Look at the server's log, mend the cause, then repeat.",
            ) from error
        # A syntax error has a place in the statement; that it is two statements has none.
        if state == _SYNTAX and error.diag.statement_position is None:
            raise RestoreFailedError(
                "A statement of the script is two to the server, so nothing can be said of where it leads.",
                untouched=f"The database {self._options.target!r} is as it was; the unfinished copy is removed.",
                action="Dump again with pg_dump, in custom format.",
            ) from error
        return words


def wanted(place: Place, options: RestoreOptions) -> bool:
    """Whether the options leave a statement in."""
    if place.meaning.owner and place.meaning.verb == "alter" and place.meaning.kind != "DEFAULT ACL":
        return options.owner
    return options.privileges or place.meaning.kind not in ("ACL", "DEFAULT ACL")


def _rows_of(parts: Iterator[Part]) -> Iterator[bytes]:
    for part in parts:
        if isinstance(part, Rows):
            yield part.data
        elif isinstance(part, EndOfRows):
            return
