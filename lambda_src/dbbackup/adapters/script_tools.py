"""Restores an SQL script as pg_restore restores an archive: what it holds, its parts into a database, parts of it."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from dbbackup.adapters.postgres_connection import connect
from dbbackup.adapters.script_filling import Filler, Refusals, Units, wanted
from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.connection import Connection
from dbbackup.core.deadline import NO_DEADLINE, Deadline
from dbbackup.core.restore_plan import RestoreOptions
from dbbackup.core.sql_script_contents import survey
from dbbackup.core.sql_script_meaning import Reach
from dbbackup.core.sql_script_places import Place, Places
from dbbackup.core.sql_script_reader import EndOfRows, Part, Rows, Statement, read_script
from dbbackup.core.uncover import uncover
from dbbackup.core.watchdog import at_deadline

KNOWS_EVERY_MAJOR: Final = 1000
"""No client program is in it: the server itself reads what the script says."""
# The session that repeats a statement has an encoding, and a search path, of its own.
_NOT_REPEATED = ("client_encoding", "search_path", "standard_conforming_strings")


class ScriptTools:
    """SQL scripts, for one connection."""

    major = KNOWS_EVERY_MAJOR

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._refusals = Refusals()

    def contents(self, archive: Path) -> TableOfContents:
        """What the script holds.

        Raises:
            VerificationFailedError: it is cut short, or no script.
            RefusedError: it asks for what is never carried out, and would not be whole without it.
        """
        with _opened(archive) as stream:
            return survey(stream.read, str(archive)).contents

    def restore(
        self,
        archive: Path,
        database: str,
        numbers: Sequence[int],
        options: RestoreOptions,
        *,
        jobs: int = 1,
        tablespaces: bool = True,
        server_major: int = 0,
        on_item: Callable[[], None] = lambda: None,
        deadline: Deadline = NO_DEADLINE,
    ) -> dict[int, str]:
        """Carry out the statements of these entries.

        Returns:
            The server's words, by the number of the entry, where it refused.

        Raises:
            RestoreFailedError: the server cannot go on.
            DeadlineExceededError: it took too long.
        """
        if not numbers:
            return {}
        connection = self._connection.model_copy(update={"database": database})
        with (
            # A script that sets no search path was written for the one that psql begins with.
            connect(connection, "restore", settings={"search_path": None}) as session,
            at_deadline(deadline, session.cancel),
            _opened(archive) as stream,
        ):
            filler = Filler(
                session,
                numbers=frozenset(numbers),
                options=options,
                tablespaces=tablespaces,
                on_item=on_item,
                deadline=deadline,
            )
            filler.fill(read_script(stream.read))
        self._refusals.words |= filler.refusals.words
        self._refusals.units |= filler.refusals.units
        return filler.refusals.words

    def script(
        self, archive: Path, numbers: Sequence[int], options: RestoreOptions, *, tablespaces: bool
    ) -> AbstractContextManager[Iterator[bytes]]:
        """The statements of these entries, in UTF-8; of entries that are made of many, those that were refused."""
        return _closing(self._statements(archive, frozenset(numbers), options, tablespaces=tablespaces))

    def _statements(
        self, archive: Path, numbers: frozenset[int], options: RestoreOptions, *, tablespaces: bool
    ) -> Iterator[bytes]:
        places, units = Places(), Units()
        settings: dict[str, bytes] = {}
        with _opened(archive) as stream:
            parts = read_script(stream.read)
            for part in parts:
                if not isinstance(part, Statement):
                    continue
                place = places.of(part)
                if place.number is None:
                    continue
                if place.meaning.reach is Reach.SETTING:
                    _keep_setting(settings, part, place, tablespaces=tablespaces)
                if place.number not in numbers or not wanted(place, options):
                    continue
                unit = units.of(place)
                refused = self._refusals.units.get(place.number)
                if refused is not None and unit not in refused:
                    continue
                text = part.text
                if place.as_role:
                    quoted = place.as_role.replace('"', '""').encode(places.encoding, "surrogateescape")
                    text = b'SET SESSION AUTHORIZATION "' + quoted + b'";\n' + text + b";\nRESET SESSION AUTHORIZATION"
                statement = _as_utf8(text + b";\n", places.encoding)
                yield b"".join(_as_utf8(setting + b";\n", places.encoding) for setting in settings.values()) + statement
                if part.copies:
                    yield from _rows(parts, places.encoding)
                settings = {}


def _keep_setting(settings: dict[str, bytes], statement: Statement, place: Place, *, tablespaces: bool) -> None:
    assert place.meaning.setting is not None
    name = place.meaning.setting[0]
    if name not in _NOT_REPEATED and (tablespaces or name != "default_tablespace"):
        settings[name] = statement.text


def _as_utf8(text: bytes, encoding: str) -> bytes:
    if encoding == "utf-8":
        return text
    return text.decode(encoding, "surrogateescape").encode("utf-8", "surrogateescape")


def _rows(parts: Iterator[Part], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")  # a piece may end within a letter
    for part in parts:
        if isinstance(part, Rows):
            yield decoder.decode(part.data).encode("utf-8", "surrogateescape")
        elif isinstance(part, EndOfRows):
            break
    yield b"\\.\n"


@contextmanager
def _closing(chunks: Iterator[bytes]) -> Iterator[Iterator[bytes]]:
    try:
        yield chunks
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


@contextmanager
def _opened(archive: Path) -> Iterator[BinaryIO]:
    with archive.open("rb") as file:
        yield uncover(cast(BinaryIO, file), archive.stat().st_size, str(archive)).stream
