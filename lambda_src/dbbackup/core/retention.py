"""Which local backups have outlived their retention."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from dbbackup.contract import Tier
from dbbackup.core.manifest import Manifest
from dbbackup.core.server import Server

PRE_MIGRATION_DAYS = 7
"""A backup before a schema change serves to undo that change, so it is kept a week at most."""
SCHEDULED: Final = (Tier.DAILY, Tier.WEEKLY, Tier.MONTHLY)


def days_kept(tier: Tier, days: int) -> int:
    """Retention of a tier in a directory, in days, where everything else is kept for ``days``."""
    return min(days, PRE_MIGRATION_DAYS) if tier is Tier.PRE_MIGRATION else days


def expired(
    manifests: Iterable[Manifest],
    *,
    database: str,
    server: Server,
    days: int,
    now: datetime,
    damaged: Collection[str] = (),
) -> list[Manifest]:
    """Backups of ``database`` on ``server`` that are older than their retention, oldest first.

    What another server has backed up is its own affair. Never among them: the newest of each tier that a schedule
    makes, as a monthly one would otherwise be gone before the next is there; and the newest of all.

    Args:
        manifests: verified backups; an archive without a manifest is not ours to judge.
        database: only this database's backups are looked at.
        server: only this server's.
        days: retention in days, at least 1; see :func:`days_kept`.
        now: the moment to judge from, with a zone.
        damaged: keys of archives that are gone or altered, which are nobody's newest.
    """
    own = sorted(
        (m for m in manifests if m.source.database == database and m.source.origin.is_same(server)),
        key=lambda m: (m.snapshot_at, m.backup_time),
    )
    newest = {sort: m.archive.key for m in own if m.archive.key not in damaged for sort in _sorts(m)}
    kept = set(newest.values())
    return [
        m for m in own if m.archive.key not in kept and m.backup_time < now - timedelta(days=days_kept(m.tier, days))
    ]


def _sorts(manifest: Manifest) -> Iterator[str]:
    """What a backup may be the newest of; one that a restore has set aside is no backup to go back to."""
    yield "any"
    if not manifest.safety:
        yield "backup"
        if manifest.tier in SCHEDULED:
            yield manifest.tier.value
