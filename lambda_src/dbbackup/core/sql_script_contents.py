"""The table of contents of an SQL script: what an archive of the same dump would list."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from dbbackup.core.archive_toc import SCRIPT, Entry, LeftOut, Section, TableOfContents
from dbbackup.core.archive_toc_reader import codec_of
from dbbackup.core.errors import RefusedError, VerificationFailedError
from dbbackup.core.sql_script_meaning import Reach
from dbbackup.core.sql_script_places import Place, Places
from dbbackup.core.sql_script_reader import (
    Comment,
    CutShort,
    EndOfRows,
    PsqlCommand,
    Rows,
    Statement,
    read_script,
)

_BEGINS, _ENDS = b"-- PostgreSQL database dump", b"-- PostgreSQL database dump complete"
_SERVER = re.compile(rb"-- Dumped from database version (\S+)")
_DUMP = re.compile(rb"-- Dumped by pg_dump version (\S+)")
_NAME = re.compile(rb"\\(\w+|\S)")
# Commands of psql that a restore loses nothing by: https://www.postgresql.org/docs/current/app-psql.html
_HARMLESS = frozenset(
    (b"restrict", b"unrestrict", b"set", b"unset", b"echo", b"qecho", b"warn", b"timing", b"pset", b"x", b"t", b"a")
)
_CONNECT = frozenset((b"connect", b"c"))
_TRUE = ("on", "true", "1", "yes")
_SHOWN = 5
_SHORT = 100
_UNTOUCHED = "No database was touched."
_RELATIONS = frozenset(("TABLE", "VIEW", "SEQUENCE", "MATERIALIZED VIEW", "FOREIGN TABLE"))


@dataclass(frozen=True, slots=True)
class Survey:
    """What a script holds.

    Attributes:
        contents: its table of contents.
        rows: rows of each table by the number of its data's entry, where they follow a COPY.
        inserts: statements of INSERT.
        says_its_end: whether it is pg_dump's, which ends with a line of its own; of another nobody knows.
    """

    contents: TableOfContents
    rows: dict[int, int]
    inserts: int
    says_its_end: bool


def survey(read: Callable[[int], bytes], url: str) -> Survey:
    """Read a script to its end.

    Args:
        read: gives up to that many of the next bytes, none at the end.
        url: what to call it in a message.

    Raises:
        VerificationFailedError: it is cut short, or no script.
        RefusedError: it asks for what is never carried out, and would not be whole without it.
    """
    draft = _Draft(url)
    for part in read_script(read):
        match part:
            case Statement():
                draft.statement(part)
            case Rows(data):
                draft.rows[draft.last] += data.count(b"\n")
            case Comment(text):
                draft.comment(text)
            case PsqlCommand():
                draft.command(part)
            case CutShort(within, line):
                raise _cut_short(url, f"it ends within {within} (from line {line})")
            case EndOfRows():
                pass
    return draft.result()


def _cut_short(url: str, why: str) -> VerificationFailedError:
    return VerificationFailedError(
        f"{url} is cut short: {why}.",
        untouched=_UNTOUCHED,
        action="Copy or download it again and compare its size with the original's, dump again, or choose another.",
    )


def short(text: bytes, encoding: str) -> str:
    """The beginning of a statement in one line."""
    line = " ".join(text[: _SHORT * 4].decode(encoding, "replace").split())
    return line if len(line) <= _SHORT else line[: _SHORT - 1] + "…"


@dataclass
class _Draft:
    url: str
    entries: list[Entry] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    rows: dict[int, int] = field(default_factory=dict)
    inserts: int = 0
    last: int = 0
    forbidden: list[str] = field(default_factory=list)
    databases: dict[str, int] = field(default_factory=dict)
    begun: int = 0
    ended: int = 0
    server: str | None = None
    dump: str | None = None
    tablespace: str = ""
    places: Places = field(default_factory=Places)
    made: dict[tuple[str, str, str], int] = field(default_factory=dict)
    quiet: set[str] = field(default_factory=set)

    def comment(self, text: bytes) -> None:
        text = text.rstrip()
        if text == _BEGINS:
            self.begun += 1
        elif text == _ENDS:
            self.ended += 1
        elif (found := _SERVER.match(text)) and self.server is None:
            self.server = found[1].decode(errors="replace")
        elif (found := _DUMP.match(text)) and self.dump is None:
            self.dump = found[1].decode(errors="replace")

    def command(self, command: PsqlCommand) -> None:
        name = _NAME.match(command.text)
        word = name[1] if name else b""
        if word in _CONNECT:
            database = command.text.split(None, 1)[-1].decode(errors="replace").strip()
            self.databases.setdefault(database, command.line)
        elif word not in _HARMLESS:
            self.forbidden.append(f"{short(command.text, 'utf-8')} (line {command.line})")

    def statement(self, statement: Statement) -> None:
        place = self.places.of(statement)
        meaning = place.meaning
        if place.number is None:
            self._leave_out(statement, place)
            return
        self.last = place.number
        if meaning.verb == "insert":
            self.inserts += 1
        if statement.copies:
            self.rows[place.number] = 0
        if meaning.setting is not None:
            self._setting(statement, *meaning.setting)
        if not place.joined:
            self.entries.append(self._entry(statement, place))
            if meaning.verb == "create":
                self.made.setdefault((meaning.kind, meaning.schema, meaning.tag), place.number)

    def _leave_out(self, statement: Statement, place: Place) -> None:
        reach = place.meaning.reach
        if reach is Reach.TRANSACTION or (reach is Reach.SESSION_USER and not place.meaning.takes_over):
            return
        text = statement.text.decode(self.places.encoding, "replace")
        if reach is not Reach.SERVER and reach is not Reach.UNKNOWN:  # one of a kind says it
            if place.why_not in self.quiet:
                return
            self.quiet.add(place.why_not)
        what = f"{short(statement.text, self.places.encoding)} (line {statement.line})"
        self.left_out.append(LeftOut(what, place.why_not, f"{text};"))

    def _setting(self, statement: Statement, name: str, value: str) -> None:
        if name == "standard_conforming_strings" and value.lower() not in _TRUE:
            raise RefusedError(
                f"{self.url} is written for standard_conforming_strings = off (line {statement.line}).",
                untouched=_UNTOUCHED,
                action="Dump again with PGOPTIONS='-c standard_conforming_strings=on', or in custom format.",
            )
        if name == "client_encoding" and codec_of(value) is None:
            raise RefusedError(
                f"{self.url} is written in the encoding {value} (line {statement.line}).",
                untouched=_UNTOUCHED,
                action="Dump again with --encoding=UTF8, or in custom format.",
            )
        if name == "default_tablespace":
            self.tablespace = value

    def _entry(self, statement: Statement, place: Place) -> Entry:
        meaning = place.meaning
        text = statement.text.decode(self.places.encoding, "surrogateescape")
        data = meaning.kind in ("TABLE DATA", "BLOBS")
        definition = "" if data else f"{text};\n"
        if place.as_role:
            quoted = place.as_role.replace('"', '""')
            definition = f'SET SESSION AUTHORIZATION "{quoted}";\n{definition}RESET SESSION AUTHORIZATION;\n'
        setting = meaning.reach is Reach.SETTING
        return Entry(
            dump_id=place.number or 0,
            catalog=0,
            oid=0,
            kind="SETTING" if setting else meaning.kind,
            schema=meaning.schema,
            tag=meaning.setting[0] if meaning.setting else meaning.tag,
            owner=meaning.owner,
            section=Section.DATA if data else Section.PRE_DATA,
            definition=definition,
            drop="DROP" if meaning.owner else "",
            copy=f"{text};\n" if statement.copies else "",
            tablespace=self.tablespace if meaning.verb == "create" else "",
            dependencies=self._needed(meaning.about),
            has_data=data,
        )

    def _needed(self, about: tuple[str, str, str] | None) -> tuple[int, ...]:
        if about is None:
            return ()
        kinds = (about[0], *_RELATIONS) if about[0] in _RELATIONS else (about[0],)
        found = (self.made.get((kind, *about[1:])) for kind in kinds)
        return tuple(number for number in found if number is not None)[:1]

    def result(self) -> Survey:
        self._refuse()
        if self.begun > self.ended:
            raise _cut_short(self.url, "its last line, which pg_dump writes when it is complete, is not there")
        for database, line in self.databases.items():
            self.left_out.insert(0, LeftOut(f"\\connect {database} (line {line})", "the copy is another database", ""))
        contents = TableOfContents(
            items=tuple(self.entries),
            server_version=self.server,
            format=SCRIPT,
            compression="none",
            database=next(iter(self.databases), ""),
            dump_version=self.dump,
            left_out=tuple(self.left_out),
        )
        return Survey(contents, self.rows, self.inserts, self.begun > 0)

    def _refuse(self) -> None:
        if self.forbidden:
            more = len(self.forbidden) - _SHOWN
            raise RefusedError(
                f"{self.url} has commands for psql, which run programs, read files or change what follows: "
                f"{'; '.join(self.forbidden[:_SHOWN])}{f' and {more} more' if more > 0 else ''}.",
                untouched=_UNTOUCHED,
                action="No dump of pg_dump has such. If you trust it, take these lines out, or run it yourself with "
                "psql on a database that you can lose.",
            )
        if len(self.databases) > 1:
            names = ", ".join(f"{name} (line {line})" for name, line in list(self.databases.items())[:_SHOWN])
            raise RefusedError(
                f"{self.url} goes to several databases: {names}.",
                untouched=_UNTOUCHED,
                action="Cut out the part of one, from its \\connect to the next, and give that.",
            )
