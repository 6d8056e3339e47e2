"""Which local backups have outlived their retention."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from dbbackup.contract import Tier
from dbbackup.core.manifest import Manifest

PRE_MIGRATION_DAYS = 7
"""A backup before a schema change serves to undo that change, so it is kept a week at most."""


def days_kept(tier: Tier, days: int) -> int:
    """Retention of a tier in a directory, in days, where everything else is kept for ``days``."""
    return min(days, PRE_MIGRATION_DAYS) if tier is Tier.PRE_MIGRATION else days


def expired(manifests: Iterable[Manifest], *, database: str, days: int, now: datetime) -> list[Manifest]:
    """Backups of ``database`` that are older than their retention, oldest first, but never its newest one.

    Args:
        manifests: verified backups; an archive without a manifest is not ours to judge.
        database: only this database's backups are looked at.
        days: retention in days, at least 1; see :func:`days_kept`.
        now: the moment to judge from, with a zone.
    """
    own = sorted((m for m in manifests if m.source.database == database), key=lambda m: m.backup_time)
    return [m for m in own[:-1] if m.backup_time < now - timedelta(days=days_kept(m.tier, days))]
