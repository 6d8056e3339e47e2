"""Every watched setting is changed for real, and the probe says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import boto3
import pytest

from dbbackup.contract_watch import WatchedSetting, WatchEnvKey
from tests.support.rds_world import PROD
from tests.watch.conftest import ALL_BLOCKS, BUCKET, DECLARED, Probe, lifecycle_rules

Change = Callable[[Probe], object]


def instance(**changes: Any) -> Change:
    """Change the instance at once."""

    def change(_: Probe) -> None:
        boto3.client("rds").modify_db_instance(DBInstanceIdentifier=PROD, ApplyImmediately=True, **changes)

    return change


def described(**changes: Any) -> Change:
    """Let RDS describe the instance otherwise, where its API does not let one change it."""

    def change(probe: Probe) -> None:
        probe.world.after["DescribeDBInstances"] = lambda answer: answer["DBInstances"][0].update(changes)

    return change


def versioning(status: str) -> Change:
    """Set the bucket's versioning."""
    return lambda probe: probe.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})


def lock(**retention: Any) -> Change:
    """Set the bucket's default retention, or none."""
    rule = {"Rule": {"DefaultRetention": retention}} if retention else {}
    return lambda probe: probe.s3.put_object_lock_configuration(
        Bucket=BUCKET, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", **rule}
    )


def lifecycle(*changed: dict[str, Any], without: str | None = None) -> Change:
    """Replace or add rules by their names, or take one away."""
    rules = {rule["ID"]: rule for rule in (*lifecycle_rules(), *changed)}
    kept = [rule for name, rule in rules.items() if name != without]
    return lambda probe: probe.s3.put_bucket_lifecycle_configuration(
        Bucket=BUCKET, LifecycleConfiguration={"Rules": kept}
    )


def rule(name: str, place: dict[str, Any], **does: Any) -> dict[str, Any]:
    """A rule of the life cycle."""
    return {"ID": name, "Status": "Enabled", "Filter": place, **does}


def housekeeping(**changes: Any) -> dict[str, Any]:
    """The rule for what is no backup any more or never became one, changed."""
    return {**lifecycle_rules()[0], **changes}


def blocks(**changes: bool) -> Change:
    """Change the blocks of public access."""
    return lambda probe: probe.s3.put_public_access_block(
        Bucket=BUCKET, PublicAccessBlockConfiguration={**ALL_BLOCKS, **changes}
    )


DUMPS = {"Prefix": "weekly/", "Tags": [{"Key": "dbbackup:kind", "Value": "dump"}]}
TO_DEEP = {"Transitions": [{"Days": 0, "StorageClass": "DEEP_ARCHIVE"}]}
WORSE: list[tuple[WatchedSetting, Change, str]] = [
    (WatchedSetting.BACKUP_RETENTION, instance(BackupRetentionPeriod=29), "29"),
    (WatchedSetting.BACKUP_RETENTION, described(PendingModifiedValues={"BackupRetentionPeriod": 1}), "1 from the next"),
    (WatchedSetting.MULTI_AZ, instance(MultiAZ=False), "false"),
    (WatchedSetting.MULTI_AZ, described(PendingModifiedValues={"MultiAZ": False}), "true, and false from the next"),
    (WatchedSetting.DELETION_PROTECTION, instance(DeletionProtection=False), "false"),
    (WatchedSetting.PUBLIC_ACCESS, instance(PubliclyAccessible=True), "true"),
    (WatchedSetting.STORAGE_ENCRYPTION, described(StorageEncrypted=False), "false"),
    (WatchedSetting.BUCKET_VERSIONING, versioning("Suspended"), "Suspended"),
    (WatchedSetting.BUCKET_LOCK, lock(), "no default retention"),
    (WatchedSetting.BUCKET_LOCK, lock(Mode="GOVERNANCE", Days=6), "GOVERNANCE for 6 days"),
    (WatchedSetting.BUCKET_LIFECYCLE, lambda p: p.s3.delete_bucket_lifecycle(Bucket=BUCKET), "daily/ kept for ever"),
    (WatchedSetting.BUCKET_LIFECYCLE, lifecycle(without="weekly-expires"), "weekly/ kept for ever, dumps moved"),
    (WatchedSetting.BUCKET_LIFECYCLE, lifecycle(without="weekly-dumps-move"), "weekly/ kept 90 days, not moved"),
    (
        WatchedSetting.BUCKET_LIFECYCLE,
        lifecycle({**lifecycle_rules()[1], "Status": "Disabled"}),
        "daily/ kept for ever",
    ),
    (
        WatchedSetting.BUCKET_LIFECYCLE,
        lifecycle(rule("daily-expires", {"Prefix": "daily/"}, Expiration={"Days": 3})),
        "daily/ kept 3 days",
    ),
    (
        WatchedSetting.BUCKET_LIFECYCLE,
        lifecycle(rule("everything", {"Prefix": ""}, Expiration={"Days": 14})),
        "daily/ kept 14 days, not moved; weekly/ kept 14 days",
    ),
    (
        WatchedSetting.BUCKET_LIFECYCLE,
        lifecycle(rule("one-database", {"Prefix": "daily/shop"}, Expiration={"Days": 2})),
        "daily/ kept 2 days",
    ),
    (
        WatchedSetting.BUCKET_LIFECYCLE,
        lifecycle(rule("weekly-dumps-move", {"And": DUMPS}, **TO_DEEP)),
        "dumps moved to DEEP_ARCHIVE",
    ),
    (
        WatchedSetting.BUCKET_LIFECYCLE,
        lifecycle(rule("manifests-too", {"Prefix": "daily/"}, **TO_DEEP)),
        "daily/ kept 30 days, dumps moved to DEEP_ARCHIVE (by a rule that is not for all dumps",
    ),
    (
        WatchedSetting.BUCKET_LIFECYCLE,
        lifecycle(housekeeping(NoncurrentVersionExpiration={"NoncurrentDays": 1})),
        "daily/ deleted versions kept 1 day; weekly/ deleted versions kept 1 day",
    ),
    (
        WatchedSetting.BUCKET_LIFECYCLE,
        lifecycle(without="housekeeping"),
        "daily/ deleted versions kept for ever, unfinished uploads kept for ever; weekly/",
    ),
    (
        WatchedSetting.BUCKET_LIFECYCLE,
        lifecycle(rule("quick", {"Prefix": "daily/s"}, NoncurrentVersionExpiration={"NoncurrentDays": 2})),
        "daily/ deleted versions kept 2 days",
    ),
    (
        WatchedSetting.BUCKET_LIFECYCLE,
        lifecycle(housekeeping(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 30})),
        "daily/ unfinished uploads kept 30 days",
    ),
    (
        WatchedSetting.BUCKET_LIFECYCLE,
        lifecycle(
            rule("weekly-dumps-move", {"And": DUMPS}, Transitions=[{"Days": 60, "StorageClass": "GLACIER"}]),
        ),
        "weekly/ kept 90 days, dumps moved to GLACIER after 60 days",
    ),
    (WatchedSetting.BUCKET_PUBLIC_ACCESS, blocks(BlockPublicPolicy=False), "off: BlockPublicPolicy"),
    (
        WatchedSetting.BUCKET_PUBLIC_ACCESS,
        lambda p: p.s3.delete_public_access_block(Bucket=BUCKET),
        "off: BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets",
    ),
]
BETTER: list[Change] = [
    instance(BackupRetentionPeriod=35),
    lock(Mode="GOVERNANCE", Days=8),
    lock(Mode="COMPLIANCE", Days=7),
    lock(Mode="COMPLIANCE", Years=1),
    described(PendingModifiedValues={"BackupRetentionPeriod": 35, "DBInstanceClass": "db.m7g.large"}),
    lifecycle(rule("other-place", {"Prefix": "rehearsals/"}, Expiration={"Days": 1})),
    lifecycle(housekeeping(NoncurrentVersionExpiration={"NoncurrentDays": 30})),
    lifecycle(rule("later", {"Prefix": ""}, Expiration={"Days": 400})),
]


def test_settings_as_declared_are_said_to_be(probe: Probe) -> None:
    answer = probe.look()
    assert probe.drifted() == {setting.value: 0 for setting in WatchedSetting}
    assert answer["drifted"] == {}
    assert set(answer["as_declared"]) == set(WatchedSetting)


@pytest.mark.parametrize(("setting", "change", "found"), WORSE)
def test_a_setting_that_was_changed_for_the_worse_is_said(
    probe: Probe, setting: WatchedSetting, change: Change, found: str
) -> None:
    change(probe)
    answer = probe.look()
    assert probe.drifted() == {each.value: float(each is setting) for each in WatchedSetting}
    (told,) = answer["drifted"].items()
    assert told[0] == setting.value
    assert found in told[1]["found"]
    assert told[1]["declared"]
    assert told[1]["meaning"]
    (logged,) = [line for line in probe.logged if line["message"] == "a setting is not as declared"]
    assert (logged["level"], logged["setting"], logged["found"]) == ("ERROR", setting.value, told[1]["found"])


@pytest.mark.parametrize("change", BETTER)
def test_a_change_for_the_better_is_no_drift(probe: Probe, change: Change) -> None:
    change(probe)
    probe.look()
    assert set(probe.drifted().values()) == {0}


@pytest.mark.parametrize(
    ("declared", "change"),
    [({WatchedSetting.MULTI_AZ: False}, instance(MultiAZ=True)), ({WatchedSetting.DELETION_PROTECTION: False}, None)],
)
def test_more_than_was_declared_is_no_drift(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, declared: dict[WatchedSetting, bool], change: Change | None
) -> None:
    monkeypatch.setenv(WatchEnvKey.DECLARED, json.dumps(declared))
    if change:
        change(probe)
    probe.look()
    assert probe.drifted() == {setting.value: 0 for setting in declared}


def test_a_laxer_lock_is_drift_however_long(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    declared = {**DECLARED, WatchedSetting.BUCKET_LOCK: {"mode": "COMPLIANCE", "days": 7}}
    monkeypatch.setenv(WatchEnvKey.DECLARED, json.dumps(declared))
    lock(Mode="GOVERNANCE", Days=3650)(probe)
    probe.look()
    assert probe.drifted()[WatchedSetting.BUCKET_LOCK] == 1


def test_what_is_not_declared_is_not_looked_at(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WatchEnvKey.DECLARED, json.dumps({WatchedSetting.PUBLIC_ACCESS: False}))
    instance(MultiAZ=False)(probe)
    probe.world.calls.clear()
    probe.look()
    assert probe.drifted() == {WatchedSetting.PUBLIC_ACCESS: 0}
    assert not any(name.startswith("GetBucket") for name, _ in probe.world.calls)


def test_a_bucket_that_never_was_versioned_is_said_to_be(probe: Probe) -> None:
    probe.world.after["GetBucketVersioning"] = lambda answer: answer.pop("Status", None)
    answer = probe.look()
    assert cast("dict[str, Any]", answer["drifted"])["bucket-versioning"]["found"] == "never enabled"
