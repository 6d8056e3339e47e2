"""In which runs of pg_restore a copy is filled, and what its owners must be allowed meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from dbbackup.core.archive_toc import Entry, Section, TableOfContents
from dbbackup.core.missing_data import ACTS_ON_DATA
from dbbackup.core.needed_roles import ACL_KINDS, grantors_of, owner_of
from dbbackup.core.restore_plan import Plan, RestoreOptions

# pg_restore itself comes to these last: RestorePass in PostgreSQL's src/bin/pg_dump/pg_backup_archiver.h.
_LAST = frozenset((*ACL_KINDS, "MATERIALIZED VIEW DATA"))
_DATABASE_OWNER = "pg_database_owner"


@dataclass(frozen=True, slots=True)
class FillOrder:
    """The runs, as numbers of entries.

    The structure comes by itself, as a run that works in parallel after it would blame its last entry for what goes
    wrong when the others connect.

    Who is no superuser can give an object only to a role that may create in its schema, whatever the archive grants
    there in the end. So the schemas come first, their grants last, and in between the owners get what they lack.

    Attributes:
        schemas: the first run; empty for a superuser.
        structure: what comes before the data.
        main: the data, and what comes after it.
        after_data: what acts on data, also of tables that inherit, where pg_restore comes too early with several jobs.
        last: comments, grants and what needs them.
        event_triggers: what may forbid each of the others; pg_restore makes them before it fills materialized views.
        creators: roles that must be able to create in a schema meanwhile, as (schema, role).
        grantors: roles that must be able to use a schema while they repeat the grants that they gave in it.
        publishers: roles that must be able to create in the database meanwhile.
    """

    schemas: tuple[int, ...]
    structure: tuple[int, ...]
    main: tuple[int, ...]
    after_data: tuple[int, ...]
    last: tuple[int, ...]
    event_triggers: tuple[int, ...] = ()
    creators: frozenset[tuple[str, str]] = frozenset()
    grantors: frozenset[tuple[str, str]] = frozenset()
    publishers: frozenset[str] = frozenset()


def fill_order(contents: TableOfContents, plan: Plan, options: RestoreOptions, *, superuser: bool) -> FillOrder:
    """The runs for one copy."""
    kept = [entry for entry in contents.items if entry.dump_id not in plan.dropped | plan.aside | plan.own.keys()]
    triggers = {entry.dump_id for entry in kept if entry.kind == "EVENT TRIGGER"}
    event = [entry for entry in kept if entry.dump_id in triggers or not triggers.isdisjoint(entry.dependencies)]
    kept = [entry for entry in kept if entry not in event] if event else kept
    last = [entry for entry in kept if entry.kind in _LAST or entry.section is Section.NONE]
    structure = [entry for entry in kept if entry.section is Section.PRE_DATA and entry.kind not in _LAST]
    rest = [entry for entry in kept if entry.section in (Section.DATA, Section.POST_DATA) and entry.kind not in _LAST]
    main = [entry for entry in rest if entry.kind not in ACTS_ON_DATA]
    after_data = [entry for entry in rest if entry.kind in ACTS_ON_DATA]
    if superuser:
        return FillOrder((), _numbers(structure), _numbers(main), _numbers(after_data), _numbers(last), _numbers(event))
    schema_owners = {entry.tag: entry.owner for entry in kept if entry.kind == "SCHEMA"}
    creators, publishers = set[tuple[str, str]](), set[str]()
    for entry in kept if options.owner else ():
        owner = owner_of(entry)
        if owner and entry.kind == "PUBLICATION":
            publishers.add(owner)
        elif owner and entry.schema and owner != schema_owners.get(entry.schema, _DATABASE_OWNER):
            creators.add((entry.schema, owner))
    return FillOrder(
        schemas=_numbers([entry for entry in kept if entry.kind == "SCHEMA"]),
        structure=_numbers([entry for entry in structure if entry.kind != "SCHEMA"]),
        main=_numbers(main),
        after_data=_numbers(after_data),
        last=_numbers(last),
        event_triggers=_numbers(event),
        creators=frozenset(creators),
        grantors=frozenset(
            (entry.schema, role)
            for entry in contents.items
            if entry.dump_id in plan.own and entry.schema
            for role in grantors_of(entry) & plan.acting
        ),
        publishers=frozenset(publishers),
    )


def _numbers(entries: list[Entry]) -> tuple[int, ...]:
    return tuple(entry.dump_id for entry in entries)
