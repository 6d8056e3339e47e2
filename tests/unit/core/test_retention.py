from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.contract import Tier
from dbbackup.core.manifest import Manifest
from dbbackup.core.retention import SCHEDULED, days_kept, expired
from tests.support.backups import manifest_of

NOW = datetime.now(UTC)
SERVER = manifest_of().source.origin
AGES = st.lists(
    st.tuples(st.floats(0, 400), st.sampled_from(Tier), st.sampled_from(["shop", "other"])),
    max_size=12,
    unique_by=lambda backup: int(backup[0] * 1000),
)


def _time(manifest: Manifest) -> datetime:
    return manifest.backup_time


@given(AGES, st.integers(1, 60))
def test_only_old_ones_of_the_database_go_and_never_the_newest_of_all_or_of_a_schedule(
    ages: list[tuple[float, Tier, str]], days: int
) -> None:
    manifests = [manifest_of(database, tier, days_old=age) for age, tier, database in ages]
    gone = expired(manifests, database="shop", server=SERVER, days=days, now=NOW)
    own = [manifest for manifest in manifests if manifest.source.database == "shop"]
    assert all(manifest in own for manifest in gone)
    assert all(NOW - m.backup_time > timedelta(days=days_kept(m.tier, days)) for m in gone)
    if own:
        newest = {max(own, key=_time).archive.key}
        for tier in SCHEDULED:
            newest |= {
                max(of_tier, key=_time).archive.key for of_tier in [[m for m in own if m.tier is tier]] if of_tier
            }
        kept = {manifest.archive.key: manifest for manifest in own if manifest not in gone}
        assert newest <= set(kept)
        kept_though_old = {
            key for key, m in kept.items() if NOW - m.backup_time > timedelta(days=days_kept(m.tier, days))
        }
        assert kept_though_old <= newest


def test_the_only_backup_is_kept_however_old() -> None:
    assert expired([manifest_of(days_old=1000)], database="shop", server=SERVER, days=1, now=NOW) == []


@pytest.mark.parametrize("days", [1, 7, 30])
def test_the_last_of_a_schedule_stays_until_the_next_is_there(days: int) -> None:
    today = manifest_of(days_old=0)
    for tier in SCHEDULED:
        last, before = (manifest_of(tier=tier, days_old=age) for age in (days + 31, days + 62))
        assert expired([today, before, last], database="shop", server=SERVER, days=days, now=NOW) == (
            [before, last] if tier is Tier.DAILY else [before]
        )
        following = manifest_of(tier=tier, days_old=0.001)
        assert expired([today, before, last, following], database="shop", server=SERVER, days=days, now=NOW) == [
            before,
            last,
        ]


@pytest.mark.parametrize("tier", [Tier.MANUAL, Tier.PRE_MIGRATION], ids=lambda tier: tier.value)
def test_the_last_that_no_schedule_made_goes(tier: Tier) -> None:
    old = manifest_of(tier=tier, days_old=31)
    assert expired([manifest_of(days_old=0), old], database="shop", server=SERVER, days=30, now=NOW) == [old]


def _of(server: str, **manifest: Any) -> Manifest:
    made = manifest_of(**manifest)
    archive = made.archive.model_copy(update={"key": f"{server}-{made.archive.key}"})
    source = made.source.model_copy(update={"instance": server})
    return made.model_copy(update={"source": source, "archive": archive})


def test_another_server_s_backups_make_nobody_s_the_older_one() -> None:
    prod = _of("ftry-prod", days_old=40)
    weekly = _of("ftry-prod", tier=Tier.WEEKLY, days_old=50)
    dev = [_of("ftry-dev", days_old=0), _of("ftry-dev", tier=Tier.WEEKLY, days_old=1)]
    older = _of("ftry-prod", days_old=60)
    everything = [prod, weekly, *dev, older]
    ours = prod.source.origin
    assert expired(everything, database="shop", server=ours, days=30, now=NOW) == [older]


def test_what_another_server_has_is_left_to_it() -> None:
    theirs = [_of("ftry-prod", days_old=age) for age in (10, 50, 60)]
    ours = _of("ftry-dev", days_old=0)
    gone = expired([*theirs, ours], database="shop", server=ours.source.origin, days=1, now=NOW)
    assert gone == []


def test_a_cluster_that_had_the_name_before_is_another_server() -> None:
    systems = [manifest_of(days_old=age) for age in (0, 50, 60)]
    new, *old = (
        each.model_copy(update={"source": each.source.model_copy(update={"system_identifier": system})})
        for each, system in zip(systems, ("2", "1", "1"), strict=True)
    )
    assert expired([new, *old], database="shop", server=new.source.origin, days=30, now=NOW) == []
    assert expired([new, *old], database="shop", server=old[0].source.origin, days=30, now=NOW) == [old[1]]


def test_what_a_restore_has_set_aside_replaces_no_backup() -> None:
    only = manifest_of(tier=Tier.MANUAL, days_old=31)
    aside = manifest_of(tier=Tier.MANUAL, days_old=0).model_copy(update={"safety": True})
    assert expired([only, aside], database="shop", server=SERVER, days=30, now=NOW) == []


def test_what_is_damaged_replaces_no_backup_and_goes_in_its_time() -> None:
    whole, broken, new = (manifest_of(tier=Tier.MONTHLY, days_old=age) for age in (62, 31, 1))
    today = manifest_of(days_old=0)

    def gone(*damaged: Manifest) -> list[Manifest]:
        keys = {manifest.archive.key for manifest in damaged}
        return expired([whole, broken, today], database="shop", server=SERVER, days=30, now=NOW, damaged=keys)

    assert gone() == [whole]
    assert gone(broken) == [broken]
    assert gone(whole, broken) == [whole, broken]
    assert expired([whole, new], database="shop", server=SERVER, days=30, now=NOW, damaged={new.archive.key}) == []


def test_the_oldest_comes_first() -> None:
    manifests = [manifest_of(days_old=age) for age in (50, 90, 70, 1)]
    gone = expired(manifests, database="shop", server=SERVER, days=30, now=NOW)
    assert gone == [manifests[1], manifests[2], manifests[0]]


def test_a_backup_before_a_migration_is_kept_a_week_at_most() -> None:
    manifests = [manifest_of(tier=Tier.PRE_MIGRATION, days_old=age) for age in (6, 8)] + [manifest_of(days_old=0)]
    assert expired(manifests, database="shop", server=SERVER, days=30, now=NOW) == [manifests[1]]
    assert days_kept(Tier.PRE_MIGRATION, 3) == 3
    assert days_kept(Tier.WEEKLY, 30) == 30
