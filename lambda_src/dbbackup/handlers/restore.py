"""Lambda entry point: restore a dump into a database of the instance."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import SecretStr

from dbbackup import assembly
from dbbackup.adapters import secrets
from dbbackup.contract import SERVICE, EnvKey, RestoreStatus, Tier
from dbbackup.contract_notification import Kind
from dbbackup.core.connection import Connection
from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import DbBackupError, InvalidRequestError, RefusedError, RestoreIncompleteError
from dbbackup.core.glacier import ARCHIVE_CLASSES, COPY_DAYS, check_way
from dbbackup.core.manifest import Manifest
from dbbackup.core.restore_failure import Failure, listed
from dbbackup.core.restore_plan import RestoreOptions, ServerState
from dbbackup.core.server import Server
from dbbackup.core.server_choice import refuse_another
from dbbackup.core.server_name import server_name
from dbbackup.handlers.environment import FunctionEnvironment, read_environment
from dbbackup.handlers.notices import failure_notice, notice
from dbbackup.handlers.restore_event import RestoreEvent, parse_restore_event, said_of_an_event
from dbbackup.handlers.signals import UNKNOWN, Signals
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.backup import BackupRequest, run_backup
from dbbackup.operations.catalog import read_catalog, read_manifest
from dbbackup.operations.latest import Wanted, latest
from dbbackup.operations.notification_of import restored
from dbbackup.operations.restore import RestoreOutcome, RestoreRequest, run_restore

_LOG = Logger(service=SERVICE, use_rfc3339=True, utc=True)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Restore the dump that an event asks for, or ask it back from Glacier.

    Args:
        event: see :class:`dbbackup.handlers.restore_event.RestoreEvent`.
        context: Lambda's context; its remaining time bounds the work.

    Returns:
        ``status`` and what was restored; with status ``retrieving``, how long the archive takes to come back.

    Raises:
        DbBackupError: the target is as it was. Counted as a failed restore, unless it was one that nobody has confirmed
            or understood: then none was begun, and whoever asked hears why.
    """
    clock = time.monotonic()
    signals = Signals(os.environ.get(EnvKey.ENVIRONMENT.value) or UNKNOWN, UNKNOWN, Tier.MANUAL.value)
    settings: FunctionEnvironment | None = None
    try:
        settings = read_environment(os.environ)
        asked = parse_restore_event(event)
        signals = Signals(settings.environment, asked.to, (asked.tier or Tier.MANUAL).value)
        deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000 - settings.deadline_margin_seconds)
        source = _find(settings, asked, deadline)
        if source.manifest is not None:
            signals = Signals(settings.environment, asked.to, source.manifest.tier.value)
        waiting = _ask_back(settings, asked, source)
        if waiting is not None:
            _LOG.info("restore answered", extra=waiting)
            return waiting
        outcome = _restore(settings, asked, source, deadline)
    except DbBackupError as error:
        error.what, error.action = said_of_an_event(error.what), said_of_an_event(error.action)
        refused = settings is not None and isinstance(error, (InvalidRequestError, RefusedError))
        told = {} if refused else _failed(error, signals)
        missing = _statements(error.failures) if isinstance(error, RestoreIncompleteError) else {}
        _LOG.error("restore failed", extra={"event": event, **error.as_dict(), **missing, **told})
        raise
    except BaseException as error:
        _LOG.exception("restore failed unexpectedly", extra={"event": event, **_failed(error, signals)})
        raise
    seconds = round(time.monotonic() - clock, 3)
    if outcome.failures and not asked.accept_incomplete:
        raise _incomplete(outcome, source, signals)
    signals.restored(seconds)
    answer = _answer(outcome, source)
    told = notice(restored(outcome, source, environment=settings.environment))
    _LOG.info("restore answered", extra={**answer, **told})
    return answer


def _incomplete(outcome: RestoreOutcome, source: ArchiveSource, signals: Signals) -> RestoreIncompleteError:
    """A new database without some entries of the archive: it stays, and counts as a failed restore."""
    error = RestoreIncompleteError(
        f"{len(outcome.failures)} entries of {source.url} could not be restored: {listed(outcome.failures)}.",
        untouched=f"The database {outcome.target!r} is new, holds everything else, and says so in its comment.",
        action="Mend the causes, and make what is missing with the statements in this function's log.",
    )
    extra = {**error.as_dict(), **_statements(outcome.failures), **_failed(error, signals)}
    _LOG.error("restore incomplete", extra=extra)
    return error


def _statements(failures: Iterable[Failure]) -> dict[str, Any]:
    return {"failures": [failure.as_dict() for failure in failures]}


def _failed(error: BaseException, signals: Signals) -> dict[str, Any]:
    signals.not_restored()
    return failure_notice(Kind.RESTORE, error, signals)


def _connection(settings: FunctionEnvironment, asked: RestoreEvent) -> Connection:
    username, password = secrets.read_credentials(secrets.make_client(), settings.secret_arn)
    return Connection(
        host=settings.host,
        port=settings.port,
        user=username,
        password=SecretStr(password),
        database=asked.to,
        sslmode=settings.sslmode,
        sslrootcert=settings.sslrootcert,
    )


def _restore(
    settings: FunctionEnvironment, asked: RestoreEvent, source: ArchiveSource, deadline: Deadline
) -> RestoreOutcome:
    connection = _connection(settings, asked)
    with assembly.cluster_for(connection) as cluster:
        return run_restore(
            RestoreRequest(
                source=source,
                options=RestoreOptions(
                    target=asked.to,
                    jobs=asked.jobs,
                    owner=asked.owner,
                    privileges=asked.privileges,
                    create_roles=asked.create_roles,
                    keep_old=asked.keep_old,
                    accept_incomplete=asked.accept_incomplete,
                ),
                agree=lambda proposal: _agree(proposal.server, asked, settings, source),
                safety_backup=lambda: _safety_backup(settings, connection, source, deadline),
                deadline=deadline,
            ),
            cluster=cluster,
            tools=assembly.restore_tools_for(connection, os.environ),
        )


def _find(settings: FunctionEnvironment, asked: RestoreEvent, deadline: Deadline) -> ArchiveSource:
    store = assembly.bucket_store(settings.bucket, deadline, settings.lock)
    if asked.backup != "latest":
        return ArchiveSource(store, asked.backup, read_manifest(store, asked.backup))
    database = settings.database(asked.database)
    wanted = Wanted(asked.tier, database, asked.server)
    manifest = latest(read_catalog(store), wanted, ours=lambda: _ours(settings, asked), place=store.location).manifest
    return ArchiveSource(store, manifest.archive.key, manifest)


def _ask_back(settings: FunctionEnvironment, asked: RestoreEvent, source: ArchiveSource) -> dict[str, Any] | None:
    stored = source.stored()
    if stored is None or stored.storage_class not in ARCHIVE_CLASSES or stored.retrieved:
        return None
    terms = check_way(stored.storage_class, asked.retrieval)
    if not stored.retrieval_ongoing:
        # Before hours are waited and paid for; what is to be replaced is looked at once more when the archive is there.
        with assembly.cluster_for(_connection(settings, asked)) as cluster:
            _agree(cluster.state(asked.to), asked, settings, source)
        source.ask_back(asked.retrieval, COPY_DAYS)
    return {
        "status": RestoreStatus.RETRIEVING.value,
        "backup": source.url,
        "storage_class": stored.storage_class,
        "retrieval": asked.retrieval.value,
        "takes": terms.takes,
    }


def _ours(settings: FunctionEnvironment, asked: RestoreEvent) -> Server:
    """The instance that this function restores on."""
    found = assembly.server_at(_connection(settings, asked))
    name = server_name(host=settings.host, port=settings.port, instance=settings.instance)
    return Server(name, found.system if found else None)


def _agree(server: ServerState, asked: RestoreEvent, settings: FunctionEnvironment, source: ArchiveSource) -> None:
    existing = server.existing
    guessed = asked.backup == "latest" and asked.server is None
    if existing is not None and guessed and source.manifest is not None:
        refuse_another(source.manifest, asked.to, _ours(settings, asked), how='"server": "{}"')
    if existing is not None and asked.confirm != asked.to:
        raise RefusedError(
            f"The database {asked.to!r} exists ({existing.tables} tables, {existing.size_bytes} bytes) and is not "
            "confirmed.",
            untouched="Nothing was changed.",
            action=f'Repeat its name in the event to replace it: "confirm": "{asked.to}".',
        )


def _safety_backup(
    settings: FunctionEnvironment, connection: Connection, source: ArchiveSource, deadline: Deadline
) -> Manifest:
    return run_backup(
        BackupRequest(tier=Tier.MANUAL, safety=True, instance=settings.instance, deadline=deadline),
        database=assembly.database_for(connection),
        tools=assembly.tools_for(connection, os.environ),
        store=source.store,
    ).manifest


def _answer(outcome: RestoreOutcome, source: ArchiveSource) -> dict[str, Any]:
    safety = outcome.safety_backup
    return {
        "status": (RestoreStatus.INCOMPLETE if outcome.failures else RestoreStatus.RESTORED).value,
        "database": outcome.target,
        "backup": source.url,
        "tables": outcome.comparison.tables,
        "rows": outcome.comparison.rows,
        "notes": list(outcome.comparison.notes),
        "skipped": [f"{skip.what}: {skip.why}" for skip in outcome.plan.skips],
        "failures": [failure.as_dict() for failure in outcome.failures],
        "ownership": list(outcome.ownership),
        "safety_backup": source.store.url(safety.archive.key) if safety else None,
        "old_database": outcome.old_database,
        "durations_seconds": outcome.durations,
    }
