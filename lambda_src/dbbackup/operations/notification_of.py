"""What there is to tell about restores and rehearsals that came to their end."""

from __future__ import annotations

from dbbackup.contract_notification import Kind, Outcome
from dbbackup.core.evidence import Stored
from dbbackup.core.notification import Failure, Notification
from dbbackup.core.pitr_errors import RehearsalFailedError
from dbbackup.core.rehearsal_evidence import problems_of, unlike_of
from dbbackup.core.units import format_seconds
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.restore import RestoreOutcome


def restored(
    outcome: RestoreOutcome, source: ArchiveSource, *, environment: str | None = None, server: str | None = None
) -> Notification:
    """A dump that was restored, compared and put in place; ``server`` is what to call the one it is on now."""
    manifest, safety = source.manifest, outcome.safety_backup
    details = [f"MISSING: {failure.what}: {failure.error}" for failure in outcome.failures]
    details += [f"Left out: {skip.what}: {skip.why}" for skip in outcome.plan.skips]
    details += [f"Ownership: {line}" for line in outcome.ownership]
    details += [f"Note: {note}" for note in outcome.comparison.notes]
    if safety:
        details.append(f"What it replaced is backed up as {source.store.url(safety.archive.key)}")
    if outcome.old_database:
        details.append(f"What it replaced is kept as the database {outcome.old_database}")
    return Notification(
        kind=Kind.RESTORE,
        outcome=Outcome.SUCCEEDED,
        environment=environment,
        database=outcome.target,
        server=server,
        tier=manifest.tier if manifest else None,
        location=source.url,
        size_bytes=manifest.archive.size_bytes if manifest else None,
        duration_seconds=sum(outcome.durations.values()),
        rows=outcome.comparison.rows,
        tables=outcome.comparison.tables,
        recovery_point=manifest.snapshot_at if manifest else None,
        details=tuple(details),
    )


def rehearsed(stored: Stored, location: str, *, environment: str | None = None) -> Notification:
    """A rehearsal whose evidence is stored, passed or not.

    Args:
        stored: the evidence.
        location: URL or path of it.
        environment: where it was rehearsed.
    """
    evidence = stored.evidence
    return Notification(
        kind=Kind.REHEARSAL,
        outcome=Outcome.SUCCEEDED if evidence.passed else Outcome.FAILED,
        environment=environment,
        database=evidence.database,
        server=evidence.server,
        location=location,
        duration_seconds=(evidence.finished_at - evidence.started_at).total_seconds(),
        rows=sum(plane.rows for plane in evidence.planes) if evidence.planes else None,
        tables=sum(plane.tables for plane in evidence.planes) if evidence.planes else None,
        recovery_point=min((plane.recovery_point for plane in evidence.planes), default=None),
        details=tuple(
            f"{plane.kind}: {plane.rows:,} rows of {plane.restored_from} in {format_seconds(plane.recovery_seconds)}, "
            f"data {format_seconds(plane.recovery_point_age_seconds)} old"
            for plane in evidence.planes
        )
        + tuple(f"Not as {evidence.server}: {line}" for line in unlike_of(evidence)),
        failure=None
        if evidence.passed
        else Failure(
            error=RehearsalFailedError.code,
            what=" ".join(problems_of(evidence)) or "It did not pass.",
            untouched="Only the temporary database or instance was written to.",
            action="The evidence names each check; until a rehearsal passes, do not count on this way back.",
        ),
    )
