"""What the probe says of backups and of the recovery point."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dbbackup.contract import Tier, metric_dimensions
from dbbackup.contract_watch import WatchMetric, watch_dimensions
from dbbackup.core.naming import manifest_key
from dbbackup.operations.backup_ages import MOST_READ
from tests.support.rds_world import PROD
from tests.watch.conftest import BUCKET, Probe

HOUR = 3600


def age(probe: Probe, database: str, tier: Tier) -> float | None:
    """What the last run said of the newest backup, in hours."""
    seconds = probe.value(WatchMetric.BACKUP_AGE, metric_dimensions("test", database, tier))
    return None if seconds is None else seconds / HOUR


def near(hours: float) -> object:
    """That many hours, as the tests take a while themselves."""
    return pytest.approx(hours, abs=0.05)


def test_the_newest_backup_of_each_database_and_tier_has_its_age_told(probe: Probe) -> None:
    for hours in (50, 2, 26):
        probe.store_backup("shop", Tier.DAILY, hours_old=hours)
    probe.store_backup("blog", Tier.DAILY, hours_old=7)
    probe.store_backup("shop", Tier.WEEKLY, hours_old=100)
    probe.store_backup("shop", Tier.PRE_MIGRATION, hours_old=1)
    answer = probe.look()
    assert age(probe, "shop", Tier.DAILY) == near(2)
    assert age(probe, "blog", Tier.DAILY) == near(7)
    assert age(probe, "shop", Tier.WEEKLY) == near(100)
    assert age(probe, "shop", Tier.PRE_MIGRATION) == near(1)
    assert age(probe, "blog", Tier.WEEKLY) is None
    assert age(probe, "shop", Tier.MONTHLY) is None
    assert {(each["database"], each["tier"]) for each in answer["backups"]} == {
        ("shop", "daily"),
        ("blog", "daily"),
        ("shop", "weekly"),
        ("shop", "pre-migration"),
    }


def test_the_age_is_that_of_the_data(probe: Probe) -> None:
    """A dump that took three hours holds what was there when it began, whatever it is filed under."""
    probe.store_backup(hours_old=2, snapshot_at=datetime.now(UTC) - timedelta(hours=5))
    probe.look()
    assert age(probe, "shop", Tier.DAILY) == near(5)


def test_only_the_newest_manifests_are_read(probe: Probe) -> None:
    for hours in range(1, 30):
        probe.store_backup(hours_old=hours)
    newest = probe.store_backup(hours_old=0.5)
    probe.world.calls.clear()
    probe.look()
    assert [each["Key"] for each in probe.world.called("GetObject")] == [manifest_key(newest.archive.key)]
    assert probe.world.called("HeadObject") == [], "the role may read manifests alone"
    assert len(probe.world.called("ListObjectsV2")) == len(Tier)


@pytest.mark.parametrize("named", [-400, 400], ids=["long-ago", "in-the-future"])
def test_a_backup_counts_by_its_data_whatever_moment_it_is_filed_under(probe: Probe, named: int) -> None:
    now = datetime.now(UTC)
    for hours in range(26, 26 + 24 * 20, 24):
        probe.store_backup(hours_old=hours)
    fresh = now - timedelta(hours=1)
    if named < 0:
        probe.store_backup(hours_old=1, backup_time=now + timedelta(days=named), snapshot_at=fresh)
    else:
        probe.store_backup(hours_old=1)
        probe.store_backup(hours_old=50, backup_time=now + timedelta(days=named), snapshot_at=now - timedelta(hours=50))
    probe.world.calls.clear()
    probe.look()
    assert age(probe, "shop", Tier.DAILY) == near(1)
    assert len(probe.world.called("GetObject")) == 2


def test_in_a_bucket_that_was_filled_at_once_few_manifests_are_read(probe: Probe) -> None:
    for hours in range(2, 60):
        probe.store_backup(hours_old=hours, written=datetime.now(UTC))
    probe.world.calls.clear()
    probe.look()
    assert age(probe, "shop", Tier.DAILY) == near(2)
    assert len(probe.world.called("GetObject")) == MOST_READ


def test_what_lies_there_without_a_sound_archive_is_no_backup(probe: Probe) -> None:
    probe.store_backup(hours_old=9)
    removed = probe.store_backup(hours_old=4)
    probe.s3.delete_object(Bucket=BUCKET, Key=removed.archive.key)
    changed = probe.store_backup(hours_old=3)
    probe.s3.put_object(Bucket=BUCKET, Key=changed.archive.key, Body=b"another size")
    unmanifested = probe.store_backup(hours_old=2)
    probe.s3.delete_object(Bucket=BUCKET, Key=manifest_key(unmanifested.archive.key))
    probe.s3.put_object(Bucket=BUCKET, Key="daily/notes.manifest.json", Body=b"{}")
    probe.look()
    assert age(probe, "shop", Tier.DAILY) == near(9)


def test_what_a_restore_has_set_aside_does_not_count(probe: Probe) -> None:
    probe.store_backup("shop", Tier.MANUAL, hours_old=20)
    probe.store_backup("shop", Tier.MANUAL, hours_old=1, safety=True)
    probe.look()
    assert age(probe, "shop", Tier.MANUAL) == near(20)


def test_a_backup_of_another_database_does_not_count(probe: Probe) -> None:
    probe.store_backup("postgres", hours_old=1)
    probe.look()
    assert "postgres" not in probe.output
    assert age(probe, "shop", Tier.DAILY) is None


def test_a_damaged_manifest_is_said_and_the_backup_before_it_counts(probe: Probe) -> None:
    probe.store_backup(hours_old=26)
    damaged = probe.store_backup(hours_old=2)
    probe.s3.put_object(Bucket=BUCKET, Key=manifest_key(damaged.archive.key), Body=b"{")
    answer = probe.look()
    assert age(probe, "shop", Tier.DAILY) == near(26)
    assert damaged.archive.key.removesuffix(".dump") in answer["damaged"][0]
    assert [line["level"] for line in probe.logged if line["message"] == "a manifest cannot be read"] == ["WARNING"]


def test_the_recovery_point_is_as_old_as_rds_says(probe: Probe) -> None:
    probe.world.latest = datetime.now(UTC) - timedelta(minutes=17)
    answer = probe.look()
    said = probe.value(WatchMetric.RECOVERY_POINT_AGE, watch_dimensions("test", PROD))
    assert said == pytest.approx(17 * 60, abs=60)
    assert answer["recovery_point_age_seconds"] == pytest.approx(said)


def test_a_clock_that_is_a_little_behind_makes_no_age_negative(probe: Probe) -> None:
    probe.world.latest = datetime.now(UTC) + timedelta(minutes=3)
    probe.store_backup(hours_old=-0.1)
    probe.look()
    assert probe.value(WatchMetric.RECOVERY_POINT_AGE, watch_dimensions("test", PROD)) == 0
    assert age(probe, "shop", Tier.DAILY) == 0


def test_an_instance_that_cannot_be_restored_to_any_moment_has_no_recovery_point(probe: Probe) -> None:
    def without(answer: dict[str, object]) -> None:
        for instance in answer["DBInstances"]:  # type: ignore[attr-defined]
            del instance["LatestRestorableTime"]

    probe.world.after["DescribeDBInstances"] = without
    answer = probe.look()
    assert probe.value(WatchMetric.RECOVERY_POINT_AGE, watch_dimensions("test", PROD)) is None
    assert answer["recovery_point_age_seconds"] is None
