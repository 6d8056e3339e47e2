"""Which entry each statement of a script belongs to, the same at every reading; and what is never carried out."""

from __future__ import annotations

from dataclasses import dataclass

from dbbackup.core.archive_toc_reader import codec_of
from dbbackup.core.sql_script_meaning import LARGE_OBJECT_DATA, Meaning, Reach, meaning_of
from dbbackup.core.sql_script_reader import Statement

_NEVER = {
    Reach.DATABASE: "it is about a database as a whole, and a restore fills its own",
    Reach.SERVER: "it reaches beyond the database; say it yourself if it is wanted",
    Reach.UNKNOWN: "no dump says this, and it may do anything; say it yourself if you trust it",
    Reach.SESSION_USER: "what is made belongs to us; dump without --use-set-session-authorization to keep owners",
    Reach.TRANSACTION: "each statement is carried out on its own",
}
_NOTHING_TO_REMOVE = "a new database has nothing to remove"
_HAS_IT = "every new database has it"
_IN_EVERY_DATABASE = frozenset((("SCHEMA", "public"), ("EXTENSION", "plpgsql"), ("COMMENT", "EXTENSION plpgsql")))
_MADE_OF_MANY = frozenset(("TABLE DATA", "BLOBS"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement belongs.

    Attributes:
        number: of its entry; None where it is never carried out.
        meaning: what it is about.
        why_not: why it is never carried out.
        as_role: the role that says it; empty for ourselves.
        joined: whether it belongs to the entry of the statement before it.
    """

    number: int | None
    meaning: Meaning
    why_not: str = ""
    as_role: str = ""
    joined: bool = False


class Places:
    """Gives out places, statement by statement."""

    def __init__(self) -> None:
        self.encoding = "utf-8"
        self._last = 0
        self._before: tuple[str, str, str] | None = None
        self._settings: dict[bytes, int] = {}
        self._created = False
        self._role = ""

    def of(self, statement: Statement) -> Place:
        """The place of the next statement."""
        meaning = meaning_of(statement, self.encoding)
        if meaning.reach is Reach.SESSION_USER:
            self._role = meaning.owner
        why_not = self._why_not(meaning)
        if why_not:
            return Place(None, meaning, why_not)
        if meaning.reach is Reach.SETTING:
            if meaning.setting is not None and meaning.setting[0] == "client_encoding":
                self.encoding = codec_of(meaning.setting[1]) or self.encoding
            known = statement.text in self._settings
            number = self._settings.setdefault(statement.text, self._last + 1)
            self._last += 0 if known else 1
            return Place(number, meaning, joined=known)
        return self._of_object(statement, meaning)

    def _of_object(self, statement: Statement, meaning: Meaning) -> Place:
        self._created = self._created or meaning.verb == "create"
        same = (meaning.kind, meaning.schema, "" if meaning.call in LARGE_OBJECT_DATA else meaning.tag)
        joined = same == self._before and meaning.kind in _MADE_OF_MANY and not statement.copies
        self._before = None if statement.copies else same
        self._last += 0 if joined else 1
        return Place(self._last, meaning, as_role=self._role if meaning.kind == "ACL" else "", joined=joined)

    def _why_not(self, meaning: Meaning) -> str:
        if meaning.reach in _NEVER:
            return _NEVER[meaning.reach]
        if meaning.verb == "create" and (meaning.kind, meaning.tag) in _IN_EVERY_DATABASE:
            return _HAS_IT
        if (meaning.kind, meaning.tag) in _IN_EVERY_DATABASE and meaning.verb == "comment":
            return _HAS_IT
        removes = (
            meaning.verb == "drop" or (meaning.verb == "alter" and not meaning.owner) or meaning.call == "lo_unlink"
        )
        if removes and not self._created:
            return _NOTHING_TO_REMOVE
        return ""
