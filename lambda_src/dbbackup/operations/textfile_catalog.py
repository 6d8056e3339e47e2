"""What a store holds, as samples for Prometheus."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from dbbackup.core.evidence import Evidence
from dbbackup.core.exposition import Sample
from dbbackup.core.exposition_names import (
    BACKUP,
    BACKUPS,
    DATABASE_SIZE,
    EVIDENCE_PROBLEMS,
    READ,
    RECOVERY_POINT_AGE,
    RECOVERY_TIME,
    REHEARSAL,
    SIZE,
    STORED,
    UNMANIFESTED,
    UNREADABLE,
    UNSOUND,
    VERIFIED,
)
from dbbackup.core.manifest import Manifest
from dbbackup.operations.catalog import Catalog, CatalogEntry
from dbbackup.operations.evidence import Chain


def catalog_samples(catalog: Catalog, *, source: str, now: datetime) -> Iterator[Sample]:
    """Samples of every database and tier. What a restore has set aside is no backup to go back to and not counted.

    Args:
        catalog: what the store holds, newest first.
        source: what to call the store.
        now: when it was looked through.
    """
    groups: defaultdict[tuple[str, str, str, str], list[CatalogEntry]] = defaultdict(list)
    for entry in catalog.entries:
        manifest = entry.manifest
        if not manifest.safety:
            groups[manifest.source.server, manifest.source.database, manifest.tier.value, source].append(entry)
    for labels, entries in groups.items():
        sound = [entry.manifest for entry in entries if entry.sound]
        yield Sample(BACKUPS, labels, float(len(sound)))
        yield Sample(UNSOUND, labels, float(len(entries) - len(sound)))
        yield Sample(STORED, labels, float(sum(manifest.archive.size_bytes for manifest in sound)))
        if sound:
            yield from _newest(sound[0], labels)
    yield Sample(UNMANIFESTED, (source,), float(len(catalog.unmanifested)))
    yield Sample(UNREADABLE, (source,), float(len(catalog.unreadable)))
    yield Sample(READ, (source,), now.timestamp())


def _newest(manifest: Manifest, labels: tuple[str, ...]) -> Iterator[Sample]:
    yield Sample(BACKUP.last_success, labels, manifest.finished_at.timestamp())
    yield Sample(BACKUP.recovery_point, labels, manifest.snapshot_at.timestamp())
    yield Sample(BACKUP.duration, labels, (manifest.finished_at - manifest.started_at).total_seconds())
    yield Sample(BACKUP.rows, labels, float(manifest.total_rows))
    yield Sample(BACKUP.tables, labels, float(len(manifest.tables)))
    yield Sample(SIZE, labels, float(manifest.archive.size_bytes))
    yield Sample(DATABASE_SIZE, labels, float(manifest.source.database_size_bytes))
    yield Sample(VERIFIED, labels, manifest.verification.verified_at.timestamp())


def evidence_samples(chain: Chain, *, source: str) -> Iterator[Sample]:
    """Samples of every rehearsed database: how the last rehearsal ended, and what the last good one showed.

    A rehearsal of several databases has passed for all of them or for none.
    """
    newest: dict[tuple[str, str], Evidence] = {}
    passed: dict[tuple[str, str], Evidence] = {}
    for stored in chain.documents:
        evidence = stored.evidence
        for database in evidence.names:
            if evidence.server:  # documents of earlier versions do not say it, and this one goes on with theirs
                newest.pop(("", database), None)
                passed.pop(("", database), None)
            of = (evidence.server or "", database)
            newest[of] = evidence
            if evidence.passed:
                passed[of] = evidence
    for of, evidence in newest.items():
        yield Sample(REHEARSAL.last_run, (*of, source), evidence.finished_at.timestamp())
        yield Sample(REHEARSAL.last_run_success, (*of, source), float(evidence.passed))
    for of, evidence in passed.items():
        yield from _good((*of, source), evidence)
    yield Sample(EVIDENCE_PROBLEMS, (source,), float(len(chain.problems)))


def _good(labels: tuple[str, str, str], evidence: Evidence) -> Iterator[Sample]:
    points = [plane.recovery_point.timestamp() for plane in evidence.planes]
    yield Sample(REHEARSAL.last_success, labels, evidence.finished_at.timestamp())
    yield Sample(REHEARSAL.recovery_point, labels, min(points))
    yield Sample(REHEARSAL.duration, labels, (evidence.finished_at - evidence.started_at).total_seconds())
    if len(evidence.names) == 1:  # else they are of all databases together
        yield Sample(REHEARSAL.rows, labels, float(sum(plane.rows for plane in evidence.planes)))
        yield Sample(REHEARSAL.tables, labels, float(sum(plane.tables for plane in evidence.planes)))
    # A rehearsal restores one dump for each database: the same way back twice tells the slower, and the older data.
    for kind in sorted({plane.kind for plane in evidence.planes}):
        planes = [plane for plane in evidence.planes if plane.kind == kind]
        yield Sample(RECOVERY_TIME, (*labels, kind), max(plane.recovery_seconds for plane in planes))
        yield Sample(RECOVERY_POINT_AGE, (*labels, kind), max(plane.recovery_point_age_seconds for plane in planes))
