"""``dbbackup restore``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from dbbackup import assembly
from dbbackup.cli.connection import asked_connection
from dbbackup.cli.location import LATEST, SERVER_HELP, find_source
from dbbackup.cli.output import examples, progress_line, say
from dbbackup.cli.reporting import failures_told, tell
from dbbackup.cli.restore_dialogue import Dialogue, show_outcome, show_resumed
from dbbackup.cli.unrestored import keep_script
from dbbackup.contract import Tier
from dbbackup.contract_notification import Kind
from dbbackup.core.connection import Connection
from dbbackup.core.errors import ArchivedError, InvalidRequestError, NotFoundError, RestoreIncompleteError
from dbbackup.core.glacier import ARCHIVE_CLASSES, COPY_DAYS, Retrieval, check_way, terms_of
from dbbackup.core.manifest import Manifest
from dbbackup.core.ports import BackupStore, ProgressListener
from dbbackup.core.restore_plan import RestoreOptions
from dbbackup.core.server_choice import refuse_another
from dbbackup.core.units import format_bytes
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.backup import BackupRequest, run_backup
from dbbackup.operations.catalog import read_catalog
from dbbackup.operations.latest import Wanted
from dbbackup.operations.leftovers import resume as resume_restore
from dbbackup.operations.notification_of import restored
from dbbackup.operations.restore import RestoreRequest, run_restore
from dbbackup.operations.restore_proposal import Proposal

POLL_SECONDS = 60
HELP = (
    "Restore a backup into a database, without ever losing the one that is there.\n\n"
    "The backup is checked, the target is backed up, a copy is filled beside it and compared with the manifest, and "
    "only then do the two exchange names, in one step. Whatever happens on the way, the target answers."
)
EXAMPLES = examples(
    ("dbbackup restore latest", "the newest in backups/, into the database of the environment"),
    ("dbbackup restore latest --bucket ftry-backups --to ftry_staging --yes", "a copy for staging"),
    ("dbbackup restore backups/ftry_backup_20250111_020000.dump --plan", "what would happen, and stop"),
    ("dbbackup restore latest --to rescue --table public.User", "one table, into a new database"),
    ("dbbackup restore --resume", "after a restore that was killed"),
)


def restore(
    backup: Annotated[str | None, typer.Argument(metavar="KEY|FILE|latest", help="What to restore.")] = None,
    tier: Annotated[Tier | None, typer.Option(help="With latest: of this tier.")] = None,
    database: Annotated[str | None, typer.Option(help="With latest: of this database.")] = None,
    server: Annotated[str | None, typer.Option(help=SERVER_HELP)] = None,
    to: Annotated[str | None, typer.Option(help="Database to restore into, instead of the environment's.")] = None,
    directory: Annotated[Path | None, typer.Option(help="Directory of the backups.", file_okay=False)] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket of the backups.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before replacing a database.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show what would happen, and stop.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Finish or tidy up a restore that was stopped.")] = False,
    jobs: Annotated[int | None, typer.Option(help="Parallel jobs; default: the processors.", min=1)] = None,
    no_owner: Annotated[bool, typer.Option("--no-owner", help="Leave ownership out.")] = False,
    no_privileges: Annotated[bool, typer.Option("--no-privileges", "--no-acl", help="Leave grants out.")] = False,
    disable_triggers: Annotated[bool, typer.Option("--disable-triggers", help="Passed on to pg_restore.")] = False,
    create_roles: Annotated[
        bool, typer.Option("--create-roles", help="Create missing roles from the role dump, without passwords.")
    ] = False,
    table: Annotated[list[str] | None, typer.Option(help="Only this table's data: SCHEMA.TABLE; repeatable.")] = None,
    schema: Annotated[list[str] | None, typer.Option(help="Only this schema's data; repeatable.")] = None,
    all_roles: Annotated[
        bool, typer.Option("--all-roles", help="With --create-roles: also those that this database does not refer to.")
    ] = False,
    accept_incomplete: Annotated[
        bool,
        typer.Option(
            "--accept-incomplete", help="Replace the database although entries of the archive cannot be restored."
        ),
    ] = False,
    script: Annotated[
        Path | None, typer.Option(help="File for what could not be restored, as SQL.", dir_okay=False)
    ] = None,
    keep_old: Annotated[bool, typer.Option("--keep-old", help="Keep what is replaced, under another name.")] = False,
    scratch: Annotated[Path | None, typer.Option(help="Folder to download to.", file_okay=False, exists=True)] = None,
    retrieval: Annotated[Retrieval | None, typer.Option(help="Ask an archived object back, this way.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until an archived object is back.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Restore a backup into a database."""
    connection = asked_connection(to)
    target = connection.database
    if not target:
        raise InvalidRequestError(
            "No database to restore into is named.",
            untouched="Nothing was connected to.",
            action="Give --to, or set POSTGRES_DB, DATABASE_URL or PGDATABASE.",
        )
    if resume:
        with assembly.cluster_for(assembly.pinned(connection)) as cluster:
            show_resumed(
                resume_restore(cluster, target, lambda named: _archive_named(named, directory, bucket)),
                target,
                as_json=json,
            )
        return
    if backup is None:
        raise InvalidRequestError(
            "Nothing to restore is named.",
            untouched="Nothing was connected to.",
            action="Name a key, a file, or latest; `dbbackup list` shows what there is.",
        )
    here = connection.server
    with nullcontext() if plan else failures_told(Kind.RESTORE, database=target, server=here, tier=tier):
        source = find_source(backup, directory, bucket, Wanted(tier, database, server))
        last_backup = _last_backup(source.store, target, here)
        archived = None if plan else _ask_back(source, retrieval, wait=wait)
        connection = assembly.pinned(connection)
    if archived is not None:
        raise archived  # what is on its way back is no failed restore
    options = RestoreOptions(
        target=target,
        jobs=jobs or os.cpu_count() or 1,
        owner=not no_owner,
        privileges=not no_privileges,
        create_roles=create_roles,
        disable_triggers=disable_triggers,
        tables=tuple(_qualified(name) for name in table or ()),
        schemas=tuple(schema or ()),
        keep_old=keep_old,
        all_roles=all_roles,
        accept_incomplete=accept_incomplete,
    )
    dialogue = Dialogue(yes=yes, stop_after_plan=plan, as_json=json, last_backup=last_backup)
    tier = source.manifest.tier if source.manifest else None
    with (
        failures_told(Kind.RESTORE, database=target, server=here, tier=tier),
        assembly.cluster_for(connection) as cluster,
        progress_line() as listener,
    ):
        request = RestoreRequest(
            source=source,
            options=options,
            agree=_agree_with(dialogue, listener, connection, guessed=backup == LATEST and server is None),
            safety_backup=lambda: _safety_backup(source.store, connection),
            scratch=scratch,
            keep_script=lambda pieces: keep_script(pieces, script, target),
            listener=listener,
        )
        outcome = run_restore(request, cluster=cluster, tools=assembly.restore_tools_for(connection, os.environ))
    show_outcome(outcome, source, as_json=json)
    tell(restored(outcome, source, server=here))
    if outcome.failures:
        raise typer.Exit(RestoreIncompleteError.exit_status)


def _archive_named(named: str, directory: Path | None, bucket: str | None) -> ArchiveSource | None:
    """The archive that a mark names, or of that name where an option says it is now."""
    try:
        if directory is not None or bucket is not None:
            named = named.removeprefix("s3://").partition("/")[2] if named.startswith("s3://") else Path(named).name
        return find_source(named, directory, bucket, Wanted())
    except NotFoundError:
        return None


def _qualified(name: str) -> tuple[str, str]:
    schema, dot, table = name.partition(".")
    return (schema, table) if dot else ("public", schema)


def _agree_with(
    dialogue: Dialogue, listener: ProgressListener, connection: Connection, *, guessed: bool
) -> Callable[[Proposal], None]:
    """The question, after the plan is shown; a backup that we have chosen replaces nothing of another server."""
    agree = dialogue.agree_with(listener)

    def ask(proposal: Proposal) -> None:
        if guessed and proposal.server.existing is not None and proposal.source.manifest is not None:
            refuse_another(proposal.source.manifest, proposal.options.target, assembly.server_at(connection))
        agree(proposal)

    return ask


def _last_backup(store: BackupStore, target: str, here: str) -> str | None:
    for entry in read_catalog(store, database=target).entries:
        if entry.manifest.source.server != here:
            continue
        return entry.manifest.snapshot_at.isoformat(timespec="seconds")
    return None


def _safety_backup(store: BackupStore, connection: Connection) -> Manifest:
    outcome = run_backup(
        BackupRequest(tier=Tier.MANUAL, safety=True),
        database=assembly.database_for(connection),
        tools=assembly.tools_for(connection, os.environ),
        store=store,
    )
    return outcome.manifest


def _ask_back(source: ArchiveSource, retrieval: Retrieval | None, *, wait: bool) -> ArchivedError | None:
    """For an object in Glacier: say what asking it back takes and costs, ask, and wait where that is wanted.

    Returns:
        Why it cannot be restored yet, or None where it can.
    """
    stored = source.stored()
    if stored is None or stored.storage_class not in ARCHIVE_CLASSES or stored.retrieved:
        return None
    gib = stored.size_bytes / 1024**3
    ways = ", ".join(
        f"{way.value}: {terms.takes}, about {terms.usd_per_gib * gib:.2f} USD"
        for way, terms in terms_of(stored.storage_class).items()
    )
    say(f"{source.url} ({format_bytes(stored.size_bytes)}) is in {stored.storage_class}. Ways back: {ways}.")
    if not stored.retrieval_ongoing:
        if retrieval is None:
            return ArchivedError(
                f"{source.url} must be asked back first.",
                untouched="Nothing was asked for and nothing was changed.",
                action="Choose a way: --retrieval standard (or expedited, bulk).",
            )
        check_way(stored.storage_class, retrieval)
        source.ask_back(retrieval, COPY_DAYS)
        say(f"Asked back ({retrieval.value}); the copy will stay for {COPY_DAYS} days.")
    if not wait:
        return ArchivedError(
            f"{source.url} is on its way back.",
            untouched="Nothing was changed.",
            action="Run the same command again later, or with --wait.",
        )
    while (now := source.stored()) is not None and not now.retrieved:
        time.sleep(POLL_SECONDS)
    return None
