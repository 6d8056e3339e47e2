"""What a restore was asked for, what the server is like, and what will be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dbbackup.core.database_properties import DatabaseProperties
from dbbackup.core.leftovers import Beside


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
        all_roles: with ``create_roles``, also roles that have nothing to do with this database.
        scratch: the database is to be looked at and removed, so it stays ours.
        accept_incomplete: put a copy in place although entries of the archive could not be restored.
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
    all_roles: bool = False
    scratch: bool = False
    accept_incomplete: bool = False

    @property
    def partial(self) -> bool:
        """Whether only a part of the data is wanted."""
        return bool(self.tables or self.schemas)


@dataclass(frozen=True, slots=True)
class ExistingDatabase:
    """The target, where it exists.

    Attributes:
        sessions: who is connected.
        stubborn: those of them whom we may not disconnect.
        prepared: names of prepared transactions.
        empty: whether nothing was ever made in it.
    """

    name: str
    owner: str
    size_bytes: int
    sessions: tuple[str, ...] = ()
    stubborn: tuple[str, ...] = ()
    prepared: tuple[str, ...] = ()
    tables: int = 0
    empty: bool = False


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
    existing: ExistingDatabase | None
    properties: DatabaseProperties | None = None
    """What the restored database is to be: what the target is, and where it is not there or empty, the manifest's."""
    creation_problem: str | None = None
    """Why the server cannot make such a database."""
    property_problems: tuple[Skip, ...] = ()
    beside: Beside = field(default_factory=Beside)
    slots: tuple[str, ...] = ()
    """Logical replication slots of the target."""
    subscriptions: dict[str, str] = field(default_factory=dict)
    """Subscriptions of the target, and who owns each."""
    role_paths: Mapping[str, str] = field(default_factory=dict)
    """The search paths that roles have in every database."""

    @property
    def owners(self) -> frozenset[str]:
        """Whom the exchange of names acts as: the owners of the target and of what of it is detached."""
        return frozenset((self.existing.owner, *self.subscriptions.values()) if self.existing else ())


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
        dropped: numbers of the archive's entries that are left out.
        aside: numbers of those that are put in place after the swap, as they live under the target's name alone.
        own: entries that pg_restore cannot say as this user, with the statements that we say instead.
        no_tablespaces: whether objects go to the default tablespace.
        roles_to_create: roles that will be created from the role dump.
        role_statements: what creates them, as far as this user may say it.
        acting: roles that the restore acts as, some by a membership taken for its time.
        in_place: whether the target itself is filled: it is empty, and we may create no database beside it.
    """

    blockers: tuple[str, ...] = ()
    skips: tuple[Skip, ...] = ()
    notes: tuple[str, ...] = ()
    dropped: frozenset[int] = frozenset()
    aside: frozenset[int] = frozenset()
    own: dict[int, str] = field(default_factory=dict)
    no_tablespaces: bool = False
    roles_to_create: tuple[str, ...] = ()
    role_statements: tuple[str, ...] = ()
    acting: frozenset[str] = frozenset()
    in_place: bool = False
