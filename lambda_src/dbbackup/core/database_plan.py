"""What a plan says of the database itself, and of the databases beside it."""

from __future__ import annotations

from dataclasses import replace

from dbbackup.core import database_changes
from dbbackup.core.database_properties import DatabaseProperties
from dbbackup.core.quoting import quote_name, quote_text
from dbbackup.core.restore_plan import ExistingDatabase, Plan, RestoreOptions, ServerState, Skip


def with_database(plan: Plan, server: ServerState, options: RestoreOptions, source: DatabaseProperties | None) -> Plan:
    """The plan of the archive, with what happens to the database itself.

    Args:
        plan: what the archive needs and what is left out of it.
        server: the target server.
        options: what is asked for.
        source: the properties that were backed up; None where nobody knows.
    """
    return replace(
        plan,
        blockers=(
            *plan.blockers,
            *_blockers(server, options.target),
            *(() if plan.in_place else _what_keeps_the_name(server.user, server.existing)),
        ),
        skips=(*plan.skips, *_skips(server, options.target, server.roles | set(plan.roles_to_create))),
        notes=(*plan.notes, *_notes(server, source)),
    )


def _blockers(server: ServerState, target: str) -> tuple[str, ...]:
    """Why the server cannot make such a database.

    Never one of another locale instead: its text would sort otherwise, and what relies on the order, a range partition
    for one, refuses its own rows. Whoever wants that says so by making the database.
    """
    properties, why = server.properties, server.creation_problem
    if properties is None or why is None:
        return ()
    words = f"encoding {properties.encoding} and locale {properties.locale}"
    if server.existing is not None:
        return (f"The server cannot make a second database of {words}, as {target!r} is: {why}.",)
    encoding = quote_text(properties.encoding)
    return (
        f"The server cannot make a database of {words}: {why}. In another locale text sorts otherwise. Restore on a "
        f"server that has it; or make the database empty, with the locale that you choose, and restore over it: CREATE "
        f"DATABASE {quote_name(target)} TEMPLATE template0 ENCODING {encoding} LC_COLLATE 'C' LC_CTYPE 'C'.",
    )


def _what_keeps_the_name(user: str, existing: ExistingDatabase | None) -> tuple[str, ...]:
    """What would keep the target from being renamed when all else is done.

    https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL
    https://www.postgresql.org/docs/current/sql-prepare-transaction.html
    """
    found = []
    if existing is not None and existing.stubborn:
        found.append(
            f"The user {user} may not disconnect {', '.join(existing.stubborn)} from {existing.name!r}, and a database "
            "with a session cannot be renamed. Close it, or let a superuser say pg_terminate_backend, then repeat; or "
            "restore beside it with --to."
        )
    if existing is not None and existing.prepared:
        found.append(
            f"Prepared transactions keep {existing.name!r} from being renamed: {', '.join(existing.prepared)}. Say "
            "COMMIT PREPARED or ROLLBACK PREPARED there, for each, then repeat; or restore beside it with --to."
        )
    return tuple(found)


def _skips(server: ServerState, target: str, roles: frozenset[str]) -> tuple[Skip, ...]:
    """What the database will not have of its properties, with roles that there are or will be."""
    if server.properties is None:
        return ()
    without = database_changes.missing_roles(target, server.properties, roles)
    absent = [
        Skip(
            change.what,
            f"there is no role {', '.join(sorted(change.roles - roles))} on this server",
            database_changes.spoken(change),
        )
        for change in without
    ]
    known = {skip.what for skip in absent}
    return (*absent, *(skip for skip in server.property_problems if skip.what not in known))


def _notes(server: ServerState, source: DatabaseProperties | None) -> tuple[str, ...]:
    notes = []
    for leftover in server.beside.leftovers:
        notes.append(f"will remove {leftover.name!r}, left by a restore that was stopped ({leftover.mark.state.value})")
    for role in server.beside.roles:
        notes.append(f"will remove the role {role!r}, which holds the memberships of a restore that was stopped")
    notes += server.beside.left_alone
    for slot in server.slots:
        notes.append(f"the logical slot {slot!r} stays with what is replaced: its consumers lose their position")
    for name in server.subscriptions:
        notes.append(f"the subscription {name!r} is detached from what is replaced; the end says how to attach it")
    target = server.properties
    if source is not None and server.existing is not None and server.existing.empty:
        notes.append(
            f"the database {server.existing.name!r} is empty: owner, grants, settings and comment are those of the "
            "backup, where nobody has chosen others for it"
        )
    if source is not None and target is not None and server.existing is not None:
        if target.encoding != source.encoding:
            notes.append(f"the target's encoding is {target.encoding}, that of the backup is {source.encoding}")
        if str(target.locale) != str(source.locale):
            notes.append(
                f"the target's locale is {target.locale}, that of the backup is {source.locale}: text sorts so"
            )
    return tuple(notes)
