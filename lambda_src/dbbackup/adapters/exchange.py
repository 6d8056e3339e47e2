"""Two databases exchange names, in one transaction, while others connect."""

from __future__ import annotations

import time

import psycopg
from psycopg.rows import TupleRow

from dbbackup.adapters.database_creation import apply
from dbbackup.adapters.session_ending import SessionEnding
from dbbackup.adapters.statements import run
from dbbackup.core import database_changes
from dbbackup.core.database_changes import Change
from dbbackup.core.database_properties import DatabaseProperties
from dbbackup.core.errors import RestoreFailedError
from dbbackup.core.leftovers import Mark
from dbbackup.core.quoting import quote_name
from dbbackup.core.restore_plan import Skip

SECONDS = 60
LOCK_WAIT = "5s"
"""Whoever connects to the target meanwhile waits behind us."""


def exchange(
    session: psycopg.Connection[TupleRow],
    ending: SessionEnding,
    names: tuple[str, str, str | None],
    properties: DatabaseProperties | None,
    mark: Mark | None,
) -> list[Skip]:
    """Give the copy the target's name and properties, and the target another name.

    A rename holds a lock on the database that makes new connections wait and, before it goes on, waits a few seconds
    for the present ones to end; meanwhile another connection ends them. So there is no moment without the target,
    and an application that reconnects at once cannot keep us from it.

    Args:
        session: to a maintenance database.
        ending: ends the sessions.
        names: of the copy, of the target, and what the target is called from now on, where there is one.
        properties: what the copy is from now on.
        mark: what the old one says of itself, as ours; None where it is kept, as its owner's.

    Returns:
        What the server refused of the properties.

    Raises:
        RestoreFailedError: sessions could not be ended, and nothing was renamed.
    """
    new, target, _ = names
    give_up = time.monotonic() + SECONDS
    while True:
        try:
            with session.transaction():
                return _exchange(session, names, properties, mark)
        except (psycopg.errors.ObjectInUse, psycopg.errors.LockNotAvailable) as error:
            if time.monotonic() >= give_up:
                stubborn = ending.stubborn()
                who = f" This user may not end: {', '.join(stubborn)}." if stubborn else ""
                raise RestoreFailedError(
                    f"{target!r} could not be renamed: {' '.join(str(error).split())}.{who}",
                    untouched=f"{target!r} is as it was. The restored copy is complete, as {new!r}.",
                    action=f"Stop what is connected, then finish: dbbackup restore --resume --to {target}",
                ) from error


def rename(session: psycopg.Connection[TupleRow], name: str, to: str) -> None:
    """Give a database another name."""
    run(session, "ALTER DATABASE {} RENAME TO {}", name, to)


def _exchange(
    session: psycopg.Connection[TupleRow],
    names: tuple[str, str, str | None],
    properties: DatabaseProperties | None,
    mark: Mark | None,
) -> list[Skip]:
    new, target, old = names
    run(session, "SET LOCAL lock_timeout = {t}", t=LOCK_WAIT)
    if old is not None:
        rename(session, target, old)
        if mark is not None and not apply(session, [_to_us(old)]):
            apply(session, [database_changes.comment(old, mark.to_comment())])
    rename(session, new, target)
    if properties is None:
        run(session, "COMMENT ON DATABASE {} IS NULL", target)
        return []
    return apply(
        session, [*database_changes.attributes(target, properties), *database_changes.rights(target, properties)]
    )


def _to_us(name: str) -> Change:
    """Only in a database of ours does a mark count."""
    return Change("owner of what is replaced", f"ALTER DATABASE {quote_name(name)} OWNER TO CURRENT_USER")
