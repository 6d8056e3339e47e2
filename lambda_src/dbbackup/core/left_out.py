"""What a database has and its dump has not: why, and how it is kept all the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dbbackup.core.manifest import NotInDump

SHOWN: Final = 5
"""Names of one kind; the others are counted."""


class LeftOut(StrEnum):
    """Kinds of what pg_dump leaves out. https://www.postgresql.org/docs/current/app-pgdump.html"""

    INVALID_INDEXES = "invalid indexes"
    EXTENSION_TRIGGERS = "triggers on extensions' own tables"
    EXTENSION_ROWS = "rows of extensions' own tables"
    UNLOGGED_ROWS = "rows of unlogged tables"
    USER_MAPPINGS = "options of user mappings, a password perhaps"
    SUBSCRIPTIONS = "subscriptions"


@dataclass(frozen=True, slots=True)
class Names:
    """How many there are, and what the first ones are called."""

    count: int
    first: tuple[str, ...]

    def __str__(self) -> str:
        more = self.count - len(self.first)
        return ", ".join(self.first) + (f" and {more:,} more" if more > 0 else "")


_WHY: Final = {
    LeftOut.INVALID_INDEXES: (
        "building it has failed, and pg_dump passes over an index that is not valid",
        "REINDEX INDEX CONCURRENTLY builds it again; DROP INDEX removes what nobody needs.",
    ),
    LeftOut.EXTENSION_TRIGGERS: (
        "the table belongs to an extension, so pg_dump leaves its definition to CREATE EXTENSION",
        "Keep the CREATE TRIGGER statement with your migrations, and run it after a restore.",
    ),
    LeftOut.EXTENSION_ROWS: (
        "the extension does not register the table for dumps (pg_extension_config_dump): what it puts in itself "
        "comes back, other rows do not",
        "Keep them with COPY, or in a table of your own.",
    ),
    LeftOut.UNLOGGED_ROWS: (
        "they are not replicated, so this standby does not have them",
        "Back up the primary, or make the tables logged: ALTER TABLE ... SET LOGGED.",
    ),
    LeftOut.USER_MAPPINGS: (
        "PostgreSQL shows them to the mapped user, the server's owner and superusers only",
        "Keep them where you keep secrets; after a restore: ALTER USER MAPPING ... OPTIONS (ADD password '...').",
    ),
    LeftOut.SUBSCRIPTIONS: (
        "pg_dump leaves them out for a user who is no superuser",
        "Keep their CREATE SUBSCRIPTION statements elsewhere, or back up as a superuser.",
    ),
}


def explained(found: Mapping[LeftOut, Names]) -> tuple[NotInDump, ...]:
    """What was found, a line for each kind, with its reason and its remedy."""
    return tuple(
        NotInDump(what=f"{kind.value}: {found[kind]}", why=_WHY[kind][0], keep=_WHY[kind][1])
        for kind in LeftOut
        if kind in found and found[kind].count
    )


def not_asked(said: str) -> NotInDump:
    """Where the server did not say what there is."""
    return NotInDump(
        what="what else no dump may hold",
        why=f"the server did not say: {said}",
        keep="dbbackup doctor asks again.",
    )
