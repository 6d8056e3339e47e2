"""What a run leaves for Prometheus: how it ended, and still what the last good one was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

from dbbackup.contract_notification import Kind, Outcome
from dbbackup.core.errors import (
    BackupInProgressError,
    InterruptedRunError,
    InvalidRequestError,
    RestoreInProgressError,
)
from dbbackup.core.exposition import Sample
from dbbackup.core.exposition_names import BACKUP, DATABASE_SIZE, REHEARSAL, RESTORE, RUN, SIZE, Family
from dbbackup.core.notification import Notification

SUFFIX: Final = ".prom"
"""The textfile collector reads files that end so, and no others.

https://github.com/prometheus/node_exporter#textfile-collector
"""
_NO_FAILURES: Final = frozenset(
    each.code for each in (BackupInProgressError, RestoreInProgressError, InterruptedRunError, InvalidRequestError)
)
_WORK: Final = {Kind.BACKUP: BACKUP, Kind.RESTORE: RESTORE, Kind.REHEARSAL: REHEARSAL}


def is_exposed(notification: Notification) -> bool:
    """Whether a run is of those that Prometheus is told of.

    One that made way for another run of the same database is not: that one tells how it went. Nor is one that
    somebody stopped, or that did not understand its settings and so does not know of which database it is: it has
    shown nothing; that none came instead shows in the age of the newest.
    """
    no_failure = notification.failure is not None and notification.failure.error in _NO_FAILURES
    named = notification.database is not None or notification.kind is Kind.REHEARSAL
    return notification.kind in _WORK and named and not no_failure


def file_name(notification: Notification) -> str:
    """The file of a kind of work, a database, its server and, for backups, a tier: runs of others never touch it."""
    tier = f"_{notification.tier.value}" if notification.kind is Kind.BACKUP and notification.tier else ""
    # Neither name holds an @ once it is quoted, so no two pairs of them make the same name.
    server = f"@{quote(notification.server, safe='')}" if notification.server else ""
    return f"dbbackup_{notification.kind.value}_{quote(notification.database or '', safe='')}{server}{tier}{SUFFIX}"


def superseded(notification: Notification) -> tuple[str, ...]:
    """Files of rehearsals that found no backup, and so did not know of which server: this one has found it."""
    if notification.kind is not Kind.REHEARSAL or notification.server is None:
        return ()
    nameless = notification.model_copy(update={"server": None})
    return file_name(nameless), file_name(nameless.model_copy(update={"database": None}))


def after_run(notification: Notification, before: Iterable[Sample]) -> tuple[Sample, ...]:
    """The samples of a file after a run.

    Args:
        notification: how the run ended; :func:`is_exposed` holds for it.
        before: the samples that the file has.
    """
    work = _WORK[notification.kind]
    labels = _labels(notification)
    passed = notification.outcome is Outcome.SUCCEEDED
    samples = [
        Sample(work.last_run, labels, notification.at.timestamp()),
        Sample(work.last_run_success, labels, float(passed)),
    ]
    if not passed:
        error = notification.failure.error if notification.failure else "failed"
        samples.append(Sample(work.failure, (*labels, error), 1.0))
    kept = {sample.family: sample for sample in before if sample.family not in (*work.families[:3],)}
    if not passed or (notification.repeated and work.last_success in kept):
        return (*samples, *kept.values())
    return (*samples, *_good(notification, labels))


def _labels(notification: Notification) -> tuple[str, ...]:
    of = (notification.server or "", notification.database or "")
    if notification.kind is Kind.BACKUP:
        return (*of, notification.tier.value if notification.tier else "", RUN)
    return (*of, RUN)


def _good(notification: Notification, labels: tuple[str, ...]) -> Iterator[Sample]:
    work = _WORK[notification.kind]
    point = notification.recovery_point.timestamp() if notification.recovery_point else None
    finished: float | None = notification.at.timestamp()
    duration = notification.duration_seconds
    if notification.repeated:
        # An earlier run made it, and when that ended is not said: no later than this, and not before its snapshot.
        # A backup must never look younger than it is. The duration is that of finding it, which nobody asks for.
        finished, duration = point, None
    values: tuple[tuple[Family, float | None], ...] = (
        (work.last_success, finished),
        (work.recovery_point, point),
        (work.duration, duration),
        (work.rows, notification.rows),
        (work.tables, notification.tables),
    )
    if notification.kind is Kind.BACKUP:
        values += ((SIZE, notification.size_bytes), (DATABASE_SIZE, notification.database_size_bytes))
    for family, value in values:
        if value is not None:
            yield Sample(family, labels, float(value))
