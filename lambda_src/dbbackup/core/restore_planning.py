"""Decides what a restore will do, what it leaves out, and what stands in its way, before anything is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from dbbackup.core.archive_toc import EXTENSION, TABLE_DATA, Entry, TableOfContents
from dbbackup.core.extension_parts import dependents_of, parts_of
from dbbackup.core.grants import as_their_grantors, has_other_grantors
from dbbackup.core.needed_roles import Needs, is_of_database, is_public, needs_of, owner_statement
from dbbackup.core.quoting import quote_name
from dbbackup.core.reserved import is_on_extension, reserved, says_nothing_new
from dbbackup.core.restore_plan import Plan, RestoreOptions, ServerState, Skip
from dbbackup.core.restore_rights import Rights
from dbbackup.core.role_statements import FIRST_MAJOR_WITH_MEMBERSHIP_OPTIONS, RoleStatement

_FOREIGN_KEY = "FK CONSTRAINT"
# Large objects are data, and so is what is said of one.
_DATA_KINDS = frozenset((TABLE_DATA, "BLOB", "BLOB METADATA", "BLOBS", "BLOB COMMENTS", "MATERIALIZED VIEW DATA"))
_SAID_OF_SOMETHING = ("ACL", "COMMENT", "SECURITY LABEL")
_SHOWN_NAMES = 10
FIRST_MAJOR_WITH_PUBLIC_OF_OWNER = 15


@dataclass(slots=True)
class Draft:
    """A plan in the making."""

    contents: TableOfContents
    owner: bool = True
    blockers: list[str] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dropped: set[int] = field(default_factory=set)
    aside: set[int] = field(default_factory=set)
    own: dict[int, str] = field(default_factory=dict)
    left_out: dict[int, Skip] = field(default_factory=dict)

    @property
    def all_skips(self) -> tuple[Skip, ...]:
        """What is left out, entries in the archive's order: so their statements can be run one after the other."""
        entries = (self.left_out.get(entry.dump_id) for entry in self.contents.items)
        return (*self.skips, *(skip for skip in entries if skip is not None))

    def leave_out(self, entry: Entry, why: str) -> None:
        """Leave out an entry, and say so."""
        if entry.dump_id not in self.dropped:
            self.dropped.add(entry.dump_id)
            said = f"{entry.definition.strip()}\n{owner_statement(entry) if self.owner else ''}"
            self.left_out[entry.dump_id] = Skip(entry.description, why, said.strip())

    def leave_out_with_dependents(self, roots: Iterable[int], why: str) -> None:
        """Leave out entries and all that needs them, unless rows would be lost: then the restore is refused."""
        numbers = set(roots)
        needing = dependents_of(self.contents, numbers)
        tables = [entry for entry in self.contents.items if entry.dump_id in needing and entry.kind == "TABLE"]
        first = self.contents.by_id[min(numbers)]
        if tables:
            self.blockers.append(
                f"{first.description} cannot be made ({why}), and tables need it: "
                f"{_listed(table.description for table in tables)}. Restore as a superuser."
            )
            return
        for entry in self.contents.items:
            if entry.dump_id in numbers:
                self.leave_out(entry, why)
        for entry in self.contents.items:
            if entry.dump_id in needing:
                self.leave_out(entry, f"it needs {first.description}, which is left out")


def make_plan(
    contents: TableOfContents,
    server: ServerState,
    rights: Rights,
    options: RestoreOptions,
    *,
    client_major: int,
    wanted_oids: frozenset[int] | None = None,
    has_role_dump: bool = False,
    role_statements: Sequence[RoleStatement] = (),
    more_skips: Sequence[Skip] = (),
    owner: str | None = None,
) -> Plan:
    """Hold an archive against a server.

    Args:
        contents: the archive's table of contents.
        server: the target server.
        rights: what we may do there.
        options: what is asked for.
        client_major: major version of pg_restore.
        wanted_oids: object ids of the tables whose data is wanted; None for all.
        has_role_dump: whether roles could be created.
        role_statements: what would create the missing roles; empty where that is not wanted.
        more_skips: properties of the database that cannot be given.
        owner: of the database, as it was and will be; None where that is not known.
    """
    left_out = (Skip(each.what, each.why, each.statement) for each in contents.left_out)
    draft = Draft(contents, options.owner, skips=[*more_skips, *left_out])
    in_place = _check_server(draft, server, options, client_major)
    _leave_out_what_is_never_copied(draft)
    _check_extensions(draft, server, rights, options)
    _check_public(draft, server, rights, options)
    for entry, why in reserved(contents, rights):
        if is_on_extension(entry) and says_nothing_new(entry, rights):
            draft.dropped.add(entry.dump_id)
        elif entry.dump_id not in draft.dropped | draft.aside:
            draft.leave_out_with_dependents((entry.dump_id,), why)
    if wanted_oids is not None:
        _choose_data(draft, wanted_oids)
    needs = needs_of(entry for entry in contents.items if entry.dump_id not in draft.dropped)
    acting = _check_roles(draft, needs, server, rights, options, has_role_dump, role_statements, owner)
    no_tablespaces = _check_tablespaces(draft, needs, server, rights)
    if options.privileges and not rights.superuser:
        _check_grantors(draft, needs, rights)
    return Plan(
        blockers=tuple(draft.blockers),
        skips=draft.all_skips,
        notes=tuple(draft.notes),
        dropped=frozenset(draft.dropped),
        aside=frozenset(draft.aside - draft.dropped),
        own={number: sql for number, sql in draft.own.items() if number not in draft.dropped},
        no_tablespaces=no_tablespaces,
        roles_to_create=tuple(
            sorted({each.role for each in role_statements if each.creates and each.sql not in rights.refused})
        ),
        role_statements=tuple(each.sql for each in role_statements if each.sql not in rights.refused),
        acting=acting,
        in_place=in_place,
    )


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _SHOWN_NAMES
    return ", ".join(every[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _check_server(draft: Draft, server: ServerState, options: RestoreOptions, client_major: int) -> bool:
    contents, existing = draft.contents, server.existing
    in_place = False
    if server.in_recovery:
        draft.blockers.append("The server is a read-only standby. Restore on the primary.")
    if not server.may_create_databases:
        in_place = existing is not None and existing.empty
        if in_place:
            draft.notes.append(
                f"the empty database {options.target!r} itself is filled, as {server.user} may not create databases"
            )
        else:
            draft.blockers.append(
                f"The user {server.user} may not create databases, and a restore fills a new one beside the target. "
                f"Grant it: ALTER ROLE {server.user} CREATEDB. Or let an administrator create an empty database that "
                f"{server.user} owns, and restore into that with --to."
            )
    if server.major > client_major:
        draft.notes.append(f"The server is PostgreSQL {server.version}, pg_restore of {client_major} is older")
    if contents.server_major is not None and contents.server_major > server.major:
        draft.notes.append(
            f"the archive is of PostgreSQL {contents.server_version}, the server is {server.version}: what the older "
            "one does not know cannot be restored, and is named when it is met"
        )
    if options.partial and existing is not None and not existing.empty:
        draft.blockers.append(
            f"Only a part is to be restored, and the database {options.target!r} exists: the rest of it would be lost. "
            "Name a database that does not exist with --to, and copy from there what you need."
        )
    return in_place


def _check_roles(
    draft: Draft,
    needs: Needs,
    server: ServerState,
    rights: Rights,
    options: RestoreOptions,
    has_role_dump: bool,
    role_statements: Sequence[RoleStatement],
    owner: str | None,
) -> frozenset[str]:
    created = {each.role for each in role_statements if each.creates and each.sql not in rights.refused}
    for each in role_statements:
        if each.sql in rights.refused:
            why = f"{server.user} may not: {rights.refused[each.sql]}"
            draft.skips.append(Skip(f"ROLE {each.role}: {each.sql}", why, each.sql))
    missing = needs.roles(owner=options.owner, privileges=options.privileges) - server.roles - created
    if missing:
        _block_missing(draft, needs, missing, may_create=has_role_dump and not options.create_roles)
    acting = needs.acting(owner=options.owner, privileges=options.privileges)
    if options.owner and owner is not None:
        acting |= {owner}
    acting -= missing
    acting |= server.owners
    owners = (needs.owners | {owner} if owner else needs.owners) if options.owner else frozenset[str]()
    owners |= server.owners
    unable = sorted((owners & acting) - rights.acting - {""})
    if unable:
        has_options = server.major >= FIRST_MAJOR_WITH_MEMBERSHIP_OPTIONS
        full = " WITH INHERIT TRUE, SET TRUE" if has_options else ""
        draft.blockers.append(
            f"The user {server.user} may not act as {', '.join(unable)}, who owns a part of the archive or the target. "
            f"Let somebody who may administer them say: GRANT {', '.join(map(quote_name, unable))} TO "
            f"{quote_name(server.user)}{full}. Or leave ownership out: --no-owner, into a new database with --to."
        )
    return frozenset(acting & rights.acting)


def _block_missing(draft: Draft, needs: Needs, missing: frozenset[str], *, may_create: bool) -> None:
    names = ", ".join(sorted(missing))
    help_ = "--create-roles creates them from the role dump of this backup, without passwords; " if may_create else ""
    without = "--no-owner --no-privileges leaves ownership and grants out."
    if firm := sorted(needs.named & missing):
        without = f"no option leaves out the policies or user mappings that name {', '.join(firm)}: CREATE ROLE them."
    draft.blockers.append(f"The archive refers to roles that this server does not have: {names}. {help_}{without}")


def _leave_out_what_is_never_copied(draft: Draft) -> None:
    """The database's own entries, which its properties stand for, and subscriptions, which would take changes."""
    for entry in draft.contents.items:
        if is_of_database(entry):
            draft.dropped.add(entry.dump_id)
    subscriptions = [entry.dump_id for entry in draft.contents.items if entry.kind == "SUBSCRIPTION"]
    for number in subscriptions:
        draft.leave_out_with_dependents(
            (number,), "a second subscriber of one slot would take the changes away from the first; attach it yourself"
        )


def _check_public(draft: Draft, server: ServerState, rights: Rights, options: RestoreOptions) -> None:
    """The schema public is there before us, and until 15 it belongs to a superuser.

    https://www.postgresql.org/docs/15/release-15.html
    """
    ours = rights.superuser or server.major >= FIRST_MAJOR_WITH_PUBLIC_OF_OWNER
    for entry in draft.contents.items:
        if not is_public(entry):
            continue
        if not ours:
            draft.leave_out(entry, "the schema public belongs to a superuser on this server")
        elif entry.kind == "SCHEMA" and options.owner and entry.owner not in rights.acting:
            why = f"it stays with the database's owner, as {server.user} may not act as {entry.owner}"
            draft.leave_out(replace(entry, definition=""), why)


def _check_extensions(draft: Draft, server: ServerState, rights: Rights, options: RestoreOptions) -> None:
    for entry in draft.contents.items:
        if entry.kind != EXTENSION:
            continue
        home = rights.bound_extensions.get(entry.tag)
        if entry.tag not in server.extensions:
            draft.blockers.append(
                f"The extension {entry.tag} is not available on this server. Install it (on RDS: allow it in the "
                f"parameter group), then repeat. The target {options.target!r} is untouched."
            )
        elif home is not None:
            parts = parts_of(draft.contents, entry)
            if home == options.target:
                draft.aside |= parts | dependents_of(draft.contents, parts)
                draft.notes.append(f"{entry.description} and what belongs to it is put in place after the swap")
            else:
                draft.leave_out_with_dependents(parts, f"it lives in the database {home} only, on this server")
        elif entry.tag not in rights.extensions:
            draft.leave_out_with_dependents(parts_of(draft.contents, entry), "only a superuser makes this extension")


def _check_tablespaces(draft: Draft, needs: Needs, server: ServerState, rights: Rights) -> bool:
    missing = sorted(needs.tablespaces - server.tablespaces)
    barred = sorted((needs.tablespaces & server.tablespaces) - rights.tablespaces)
    for names, why in ((missing, "not on this server"), (barred, f"{server.user} may not create anything in it")):
        if names:
            draft.skips.append(
                Skip(f"TABLESPACE {', '.join(names)}", f"{why}; its objects go to the default tablespace")
            )
    return bool(missing or barred)


def _check_grantors(draft: Draft, needs: Needs, rights: Rights) -> None:
    for entry in draft.contents.items:
        if entry.dump_id in draft.dropped:
            continue
        if has_other_grantors(entry):
            draft.own[entry.dump_id], left_out = as_their_grantors(entry, rights.acting)
            for statement in left_out:
                draft.skips.append(Skip(entry.description, "we may not act as who granted it", statement))
        elif entry.kind == "DEFAULT ACL" and entry.owner in needs.grantors - rights.acting:
            draft.leave_out(entry, f"we may not act as {entry.owner}, whose defaults these are")


def _choose_data(draft: Draft, wanted: frozenset[int]) -> None:
    """Keep the whole structure, the wanted data, and no foreign keys: they would point at rows that are not there."""
    left_out = 0
    for entry in draft.contents.items:
        if entry.kind == _FOREIGN_KEY:
            for number in dependents_of(draft.contents, (entry.dump_id,)):
                draft.dropped.add(number)
            draft.leave_out(entry, "it would point at rows that are not restored")
        elif _is_data(entry) and entry.oid not in wanted:
            draft.dropped.add(entry.dump_id)
            left_out += 1
    if left_out:
        draft.skips.append(Skip(f"data of {left_out} other objects", "not asked for"))


def _is_data(entry: Entry) -> bool:
    return entry.kind in _DATA_KINDS or (entry.kind in _SAID_OF_SOMETHING and entry.tag.startswith("LARGE OBJECT"))
