from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dbbackup.contract import Tier
from dbbackup.core.retention import days_kept, expired
from tests.support.backups import manifest_of

NOW = datetime.now(UTC)
AGES = st.lists(
    st.tuples(st.floats(0, 400), st.sampled_from(Tier), st.sampled_from(["shop", "other"])),
    max_size=12,
    unique_by=lambda backup: int(backup[0] * 1000),
)


@given(AGES, st.integers(1, 60))
def test_only_old_ones_of_the_database_go_and_never_its_newest(ages: list[tuple[float, Tier, str]], days: int) -> None:
    manifests = [manifest_of(database, tier, days_old=age) for age, tier, database in ages]
    gone = expired(manifests, database="shop", days=days, now=NOW)
    own = [manifest for manifest in manifests if manifest.source.database == "shop"]
    assert all(manifest in own for manifest in gone)
    assert all(NOW - m.backup_time > timedelta(days=days_kept(m.tier, days)) for m in gone)
    if own:
        newest = max(manifest.backup_time for manifest in own)
        kept = [manifest for manifest in own if manifest not in gone]
        assert newest in {manifest.backup_time for manifest in kept}
        kept_though_old = [
            manifest
            for manifest in kept
            if NOW - manifest.backup_time > timedelta(days=days_kept(manifest.tier, days))
            and manifest.backup_time != newest
        ]
        assert not kept_though_old


def test_the_only_backup_is_kept_however_old() -> None:
    assert expired([manifest_of(days_old=1000)], database="shop", days=1, now=NOW) == []


def test_the_oldest_comes_first() -> None:
    manifests = [manifest_of(days_old=age) for age in (50, 90, 70, 1)]
    gone = expired(manifests, database="shop", days=30, now=NOW)
    assert gone == [manifests[1], manifests[2], manifests[0]]


def test_a_backup_before_a_migration_is_kept_a_week_at_most() -> None:
    manifests = [manifest_of(tier=Tier.PRE_MIGRATION, days_old=age) for age in (6, 8)] + [manifest_of(days_old=0)]
    assert expired(manifests, database="shop", days=30, now=NOW) == [manifests[1]]
    assert days_kept(Tier.PRE_MIGRATION, 3) == 3
    assert days_kept(Tier.WEEKLY, 30) == 30
