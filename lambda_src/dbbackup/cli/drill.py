"""``dbbackup drill``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from dbbackup import assembly
from dbbackup.cli.connection import asked_connection
from dbbackup.cli.location import SERVER_HELP, locate, our_server
from dbbackup.cli.output import examples, print_json, progress_line, say
from dbbackup.cli.reporting import failures_told, tell
from dbbackup.contract import Tier
from dbbackup.contract_notification import Kind
from dbbackup.core.connection import Connection
from dbbackup.core.errors import NotFoundError
from dbbackup.core.evidence import Stored
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import parse_file_name
from dbbackup.core.ports import BackupStore
from dbbackup.core.units import format_seconds
from dbbackup.operations.catalog import read_catalog, read_manifest
from dbbackup.operations.drill import DrillRequest, Query, run_drill
from dbbackup.operations.latest import Wanted, latest
from dbbackup.operations.notification_of import rehearsed

HELP = (
    "Rehearse a restore: the backup goes into a scratch database, is checked, and the database is removed.\n\n"
    "What was restored, how long it took and what was found is stored as evidence beside the backups. No database "
    "that exists is touched."
)
EXAMPLES = examples(
    ("dbbackup drill", "the newest backup in backups/"),
    ("dbbackup drill latest --bucket ftry-backups --tier monthly", "of a tier in a bucket"),
    ("""dbbackup drill --check 'SELECT count(*) FROM "User"'""", "must be above zero"),
)


def drill(
    backup: Annotated[str, typer.Argument(metavar="KEY|FILE|latest", help="What to restore.")] = "latest",
    tier: Annotated[Tier | None, typer.Option(help="With latest: of this tier.")] = None,
    database: Annotated[str | None, typer.Option(help="With latest: of this database.")] = None,
    server: Annotated[str | None, typer.Option(help=SERVER_HELP)] = None,
    directory: Annotated[Path | None, typer.Option(help="Directory of the backups.", file_okay=False)] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket of the backups.")] = None,
    check: Annotated[
        list[str] | None, typer.Option(help="Query whose answer must be true or above zero; repeatable.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Parallel jobs; default: the processors.", min=1)] = None,
    create_roles: Annotated[bool, typer.Option("--create-roles", help="Create missing roles.")] = False,
    scratch: Annotated[Path | None, typer.Option(help="Folder to download to.", file_okay=False, exists=True)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the evidence as JSON.")] = False,
) -> None:
    """Rehearse a restore."""
    connection = asked_connection()
    # Of which server the backup is, only the backup says.
    with failures_told(Kind.REHEARSAL, database=_expected(backup, database, connection), tier=tier):
        store, manifest = _find(backup, directory, bucket, Wanted(tier, database, server))
        connection = assembly.pinned(connection)
    source = manifest.source
    with (
        failures_told(Kind.REHEARSAL, database=source.database, server=source.server, tier=manifest.tier),
        assembly.cluster_for(connection) as cluster,
        progress_line() as listener,
    ):
        stored = run_drill(
            DrillRequest(
                store=store,
                manifest=manifest,
                jobs=jobs or os.cpu_count() or 1,
                queries=tuple(Query(statement, statement) for statement in check or ()),
                create_roles=create_roles,
                scratch=scratch,
                listener=listener,
            ),
            cluster=cluster,
            tools=assembly.restore_tools_for(connection, os.environ),
        )
    if json:
        print_json(document(stored))
    else:
        say_evidence(stored, store.url(stored.key))
    tell(rehearsed(stored, store.url(stored.key)))
    if not stored.evidence.passed:
        raise typer.Exit(1)


def _find(backup: str, directory: Path | None, bucket: str | None, wanted: Wanted) -> tuple[BackupStore, Manifest]:
    store, key = locate(backup, directory, bucket)
    if key is None:
        return store, latest(read_catalog(store), wanted, ours=our_server, place=store.location).manifest
    found = read_manifest(store, key)
    if found is None:
        raise NotFoundError(
            f"{store.url(key)} has no manifest, so there is nothing to compare a restore with.",
            untouched="Nothing was changed.",
            action="Rehearse with a backup that `dbbackup list` shows.",
        )
    return store, found


def _expected(backup: str, database: str | None, connection: Connection) -> str | None:
    """Whose backup a rehearsal means that has not found it."""
    named = parse_file_name(backup)
    return named[0] if named else database or connection.database


def document(stored: Stored) -> dict[str, Any]:
    """Evidence as a JSON document."""
    return {
        "key": stored.key,
        "digest": stored.digest,
        "passed": stored.evidence.passed,
        **stored.evidence.model_dump(mode="json"),
    }


def say_evidence(stored: Stored, url: str) -> None:
    """What a rehearsal has shown."""
    evidence = stored.evidence
    for plane in evidence.planes:
        say(f"{'✅' if plane.passed else '❌'} {plane.restored_from} restored and compared")
        say(
            f"   {plane.tables} tables, {plane.rows:,} rows in {format_seconds(plane.recovery_seconds)}; "
            f"its data was {format_seconds(plane.recovery_point_age_seconds)} old"
        )
        for check in plane.checks:
            say(f"   {'✅' if check.passed else '❌'} {check.name}: {check.found}")
        if not plane.removed:
            say(f"   ❌ {plane.restored_into} could not be removed; the next rehearsal tries again")
    if evidence.failure:
        say(f"❌ The rehearsal failed: {evidence.failure}")
    say(f"   evidence: {url}")
