"""What a restore would do: the archive held against the server, with what may be done there tried out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.database_plan import with_database
from dbbackup.core.errors import DbBackupError, RefusedError, VerificationFailedError
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import roles_key
from dbbackup.core.needed_roles import needs_of
from dbbackup.core.reserved import label_providers_of, settings_of
from dbbackup.core.restore_plan import Plan, RestoreOptions, ServerState
from dbbackup.core.restore_planning import make_plan
from dbbackup.core.restore_ports import Cluster, RestoringTools
from dbbackup.core.restore_rights import Questions
from dbbackup.core.role_statements import RoleStatement, role_statements, to_create
from dbbackup.core.search_paths import DEFAULT_SEARCH_PATH, paths_in_role_dump, search_paths
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.restore_compare import wanted


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a person is asked to agree to."""

    source: ArchiveSource
    options: RestoreOptions
    server: ServerState
    plan: Plan
    search_paths: tuple[str, ...] = (DEFAULT_SEARCH_PATH,)


def propose(
    source: ArchiveSource,
    options: RestoreOptions,
    contents: TableOfContents,
    *,
    cluster: Cluster,
    tools: RestoringTools,
) -> Proposal:
    """Decide what will be done; nothing is changed.

    Raises:
        RefusedError: a part is wanted that the backup has not got.
        VerificationFailedError: the role dump is not the one that was backed up.
    """
    manifest = source.manifest
    wanted_oids = _chosen_oids(manifest, options) if options.partial else None
    recorded = manifest.source.known_properties if manifest else None
    keeps_owner = options.owner and not options.scratch
    wanted_properties = recorded.restricted(owner=keeps_owner, privileges=options.privileges) if recorded else None
    state = cluster.state(options.target, wanted_properties)
    needs = needs_of(contents.items)
    needed = needs.roles(owner=options.owner, privileges=options.privileges)
    acting = needs.acting(owner=options.owner, privileges=options.privileges)
    if state.properties is not None:
        needed |= state.properties.roles
        acting |= state.properties.acting_roles
    acting |= state.owners
    said = _role_statements(source, options, needed, state)
    rights = cluster.rights(
        Questions(
            role_statements=tuple(statement.sql for statement in said),
            acting=acting,
            settings=settings_of(contents),
            label_providers=label_providers_of(contents),
        )
    )
    plan = make_plan(
        contents,
        state,
        rights,
        options,
        client_major=tools.major,
        wanted_oids=wanted_oids,
        has_role_dump=manifest is not None,
        role_statements=said,
        owner=state.properties.owner if state.properties else None,
    )
    plan = with_database(plan, state, options, recorded)
    named = needs.roles(owner=True, privileges=True)
    of_roles = _role_paths(source, options.target, named, state)
    return Proposal(source, options, state, plan, search_paths(state.properties, of_roles, named))


def _role_paths(source: ArchiveSource, target: str, roles: frozenset[str], state: ServerState) -> Mapping[str, str]:
    """What the server says, and of roles that it has not got the role dump.

    One that cannot be read costs a path to try, and is named where roles are to be created from it.
    """
    known: Mapping[str, str] = state.role_paths
    missing = roles - state.roles
    if not missing or source.manifest is None:
        return known
    with suppress(DbBackupError, UnicodeDecodeError):
        dump = _role_dump(source, source.manifest, target)
        known = {**paths_in_role_dump(dump, missing), **known}
    return known


def _role_statements(
    source: ArchiveSource, options: RestoreOptions, needed: frozenset[str], state: ServerState
) -> tuple[RoleStatement, ...]:
    manifest = source.manifest
    if not options.create_roles or manifest is None:
        return ()
    dump = _role_dump(source, manifest, options.target)
    missing = to_create(dump, needed, state.roles, everything=options.all_roles)
    return role_statements(dump, missing, state.roles, user=state.user, superuser=state.superuser, major=state.major)


def _role_dump(source: ArchiveSource, manifest: Manifest, target: str) -> str:
    with source.store.read(roles_key(source.key)) as chunks:
        body = b"".join(chunks)
    if hashlib.sha256(body).hexdigest() != manifest.roles.sha256:
        raise VerificationFailedError(
            f"The role dump {source.store.url(roles_key(source.key))} is not what was backed up: its SHA-256 is not "
            "that of the manifest.",
            untouched=f"The database {target!r} is as it was, and no role was created.",
            action="Create the roles by hand, or leave them out with --no-owner --no-privileges.",
        )
    return body.decode()


def _chosen_oids(manifest: Manifest | None, options: RestoreOptions) -> frozenset[int]:
    if manifest is None:
        raise RefusedError(
            "A part of an archive can be chosen by its manifest only, and this one has none.",
            untouched="Nothing was changed.",
            action="Restore it whole into a new database with --to, and take from there what you need.",
        )
    known = {(table.schema_name, table.table) for table in manifest.tables}
    missing = [".".join(table) for table in options.tables if table not in known]
    missing += [schema for schema in options.schemas if schema not in {name for name, _ in known}]
    if missing:
        raise RefusedError(
            f"The backup has no data of {', '.join(missing)}.",
            untouched="Nothing was changed.",
            action="The manifest names its tables: dbbackup list --json, or read the .manifest.json itself.",
        )
    return frozenset(table.oid for table in manifest.tables if wanted((table.schema_name, table.table), options))
