"""What a restore will do, what it will leave out, and what stands in its way; decided before anything is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

from dbbackup.core.database_properties import DatabaseProperties
from dbbackup.core.leftovers import Beside
from dbbackup.core.restore_script import Needs
from dbbackup.core.toc import EXTENSION_COMMENT, Entry, TableOfContents

_CRON = "pg_cron"
_FOREIGN_KEY = "FK CONSTRAINT "
# Large objects are data, and so is what is said of one.
_DATA_KINDS = (
    "TABLE DATA ",
    "BLOB",
    "MATERIALIZED VIEW DATA ",
    "ACL - LARGE OBJECT",
    "COMMENT - LARGE OBJECT",
    "SECURITY LABEL - LARGE OBJECT",
)
_SUPERUSER_KINDS = ("EVENT TRIGGER ", "SUBSCRIPTION ", "PUBLICATION ")


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """How to restore.

    Attributes:
        target: database to restore into; replaced where it exists.
        jobs: parallel jobs of pg_restore, at least 1.
        owner: restore ownership.
        privileges: restore grants.
        create_roles: create missing roles from the role dump beside the archive, without passwords.
        disable_triggers: pass the option on; it matters for data into tables that have triggers.
        tables: only the data of these tables, as (schema, table); the structure is restored whole.
        schemas: only the data of these schemas' tables.
        keep_old: keep what the target was, under another name.
    """

    target: str
    jobs: int = 1
    owner: bool = True
    privileges: bool = True
    create_roles: bool = False
    disable_triggers: bool = False
    tables: tuple[tuple[str, str], ...] = ()
    schemas: tuple[str, ...] = ()
    keep_old: bool = False

    @property
    def partial(self) -> bool:
        """Whether only a part of the data is wanted."""
        return bool(self.tables or self.schemas)


@dataclass(frozen=True, slots=True)
class ExistingDatabase:
    """The target, where it exists."""

    name: str
    owner: str
    size_bytes: int
    sessions: tuple[str, ...] = ()
    tables: int = 0


@dataclass(frozen=True, slots=True)
class ServerState:
    """What the target server has and lets us do."""

    version: str
    major: int
    user: str
    superuser: bool
    may_create_databases: bool
    in_recovery: bool
    roles: frozenset[str]
    extensions: frozenset[str]
    tablespaces: frozenset[str]
    cron_database: str | None
    existing: ExistingDatabase | None
    properties: DatabaseProperties | None = None
    """What the restored database is to be: what the target is, or what the manifest says where there is none."""
    creation_problem: str | None = None
    """Why the server cannot make such a database."""
    property_problems: tuple[Skip, ...] = ()
    beside: Beside = field(default_factory=Beside)
    slots: tuple[str, ...] = ()
    """Logical replication slots of the target."""
    subscriptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skip:
    """Something that will not be restored, why, and the statement that brings it later, where there is one."""

    what: str
    why: str
    statement: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one restore.

    Attributes:
        blockers: why it cannot be done as asked; each says what would help.
        skips: what will be left out.
        notes: what a person should know.
        use_list: the entries to restore, as pg_restore reads them; None for all.
        dropped: numbers of the archive's entries that are left out.
        no_tablespaces: whether objects go to the default tablespace.
        roles_to_create: roles that will be created from the role dump.
    """

    blockers: tuple[str, ...] = ()
    skips: tuple[Skip, ...] = ()
    notes: tuple[str, ...] = ()
    use_list: str | None = None
    dropped: frozenset[int] = frozenset()
    no_tablespaces: bool = False
    roles_to_create: tuple[str, ...] = ()


@dataclass(slots=True)
class _Draft:
    blockers: list[str] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dropped: set[int] = field(default_factory=set)

    def leave_out(self, entry: Entry, why: str) -> None:
        self.dropped.add(entry.dump_id)
        self.skips.append(Skip(entry.description.strip(), why))


def make_plan(
    contents: TableOfContents,
    needs: Needs,
    server: ServerState,
    options: RestoreOptions,
    *,
    client_major: int,
    wanted_oids: frozenset[int] | None,
    has_role_dump: bool,
) -> Plan:
    """Hold an archive against a server.

    Args:
        contents: the archive's table of contents.
        needs: names its structure refers to.
        server: the target server.
        options: what is asked for.
        client_major: major version of pg_restore.
        wanted_oids: object ids of the tables whose data is wanted; None for all.
        has_role_dump: whether roles could be created.
    """
    draft = _Draft()
    _check_server(draft, contents, server, options, client_major)
    roles = _check_roles(draft, needs, server, options, has_role_dump)
    _check_extensions(draft, contents, server, options)
    missing_tablespaces = sorted(needs.tablespaces - server.tablespaces)
    if missing_tablespaces:
        names = ", ".join(missing_tablespaces)
        draft.skips.append(Skip(f"TABLESPACE {names}", "not on this server; its objects go to the default tablespace"))
    if wanted_oids is not None:
        _choose_data(draft, contents, wanted_oids)
    if not server.superuser:
        for entry in contents.items:
            if entry.description.startswith(_SUPERUSER_KINDS):
                draft.notes.append(
                    f"{entry.description.strip()}: creating it may need more rights than {server.user} has"
                )
    kept = "\n".join(entry.line for entry in contents.items if entry.dump_id not in draft.dropped) + "\n"
    return Plan(
        blockers=tuple(draft.blockers),
        skips=tuple(draft.skips),
        notes=tuple(draft.notes),
        use_list=kept if draft.dropped else None,
        dropped=frozenset(draft.dropped),
        no_tablespaces=bool(missing_tablespaces),
        roles_to_create=roles,
    )


def _check_server(
    draft: _Draft, contents: TableOfContents, server: ServerState, options: RestoreOptions, client_major: int
) -> None:
    if server.in_recovery:
        draft.blockers.append("The server is a read-only standby. Restore on the primary.")
    if not server.may_create_databases:
        draft.blockers.append(
            f"The user {server.user} may not create databases, and a restore fills a new one beside the target. "
            f"Grant it: ALTER ROLE {server.user} CREATEDB."
        )
    if server.major > client_major:
        draft.notes.append(f"The server is PostgreSQL {server.version}, pg_restore of {client_major} is older")
    if contents.server_major is not None and contents.server_major > server.major:
        draft.notes.append(
            f"The archive is of PostgreSQL {contents.server_version}, the server is {server.version}: what the older "
            "one does not know makes the restore fail, and the target then stays as it is"
        )
    if options.partial and server.existing is not None:
        draft.blockers.append(
            f"Only a part is to be restored, and the database {options.target!r} exists: the rest of it would be lost. "
            "Name a database that does not exist with --to, and copy from there what you need."
        )


def _check_roles(
    draft: _Draft, needs: Needs, server: ServerState, options: RestoreOptions, has_role_dump: bool
) -> tuple[str, ...]:
    missing = tuple(sorted(needs.roles(owner=options.owner, privileges=options.privileges) - server.roles))
    if not missing:
        return ()
    if options.create_roles and has_role_dump:
        return missing
    names = ", ".join(missing)
    help_ = (
        "--create-roles creates them from the role dump of this backup, without passwords; " if has_role_dump else ""
    )
    without = "--no-owner --no-privileges leaves ownership and grants out."
    if firm := sorted(needs.named - server.roles):
        without = f"no option leaves out the policies or user mappings that name {', '.join(firm)}: CREATE ROLE them."
    draft.blockers.append(f"The archive refers to roles that this server does not have: {names}. {help_}{without}")
    return ()


def _check_extensions(draft: _Draft, contents: TableOfContents, server: ServerState, options: RestoreOptions) -> None:
    for entry in contents.items:
        if entry.description.startswith(EXTENSION_COMMENT) and not server.superuser:
            draft.leave_out(entry, f"only the owner of an extension may comment on it, and {server.user} may not be")
    for name in contents.extensions:
        if name == _CRON and server.cron_database is not None:
            for entry in contents.items:
                if entry.description.startswith((f"EXTENSION - {_CRON}", f"{EXTENSION_COMMENT}{_CRON}")):
                    draft.leave_out(entry, f"it lives in the database {server.cron_database} only, on this server")
        elif name not in server.extensions:
            draft.blockers.append(
                f"The extension {name} is not available on this server. Install it (on RDS: allow it in the "
                f"parameter group), then repeat. The target {options.target!r} is untouched."
            )


def _choose_data(draft: _Draft, contents: TableOfContents, wanted: frozenset[int]) -> None:
    """Keep the whole structure, the wanted data, and no foreign keys: they would point at rows that are not there."""
    left_out = 0
    comments = {comment for entry in contents.items for comment in _comments_on_foreign_key(entry)}
    for entry in contents.items:
        if _plain(entry) in comments:
            draft.dropped.add(entry.dump_id)
        elif entry.description.startswith(_DATA_KINDS) and entry.oid not in wanted:
            draft.dropped.add(entry.dump_id)
            left_out += 1
        elif entry.description.startswith(_FOREIGN_KEY):
            draft.leave_out(entry, "it would point at rows that are not restored")
    if left_out:
        draft.skips.append(Skip(f"data of {left_out} other objects", "not asked for"))


def _plain(entry: Entry) -> str:
    return " ".join(entry.description.replace('"', "").split())


def _comments_on_foreign_key(entry: Entry) -> Iterator[str]:
    """Descriptions that a comment on it may have. Spaces separate names and may be in them: each reading is one."""
    if not entry.description.startswith(_FOREIGN_KEY):
        return
    words = _plain(entry).removeprefix(_FOREIGN_KEY).split()
    for a, b, c in combinations(range(1, len(words)), 3):
        schema, table, key, owner = (" ".join(part) for part in (words[:a], words[a:b], words[b:c], words[c:]))
        yield f"COMMENT {schema} CONSTRAINT {key} ON {table} {owner}"
