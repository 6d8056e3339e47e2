"""What one service does not answer hides nothing of what the others say, and the run fails."""

from __future__ import annotations

import json

import boto3
import pytest

from dbbackup.contract import Tier, metric_dimensions
from dbbackup.contract_watch import RehearsedAlert, WatchedSetting, WatchEnvKey, WatchMetric, watch_dimensions
from dbbackup.core.drift import INSTANCE_SETTINGS
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.watch_errors import ProbeIncompleteError
from tests.support.rds_world import PROD, client_error
from tests.watch.conftest import DECLARED, Probe, rehearse_at

BUCKET_SETTINGS = set(WatchedSetting) - INSTANCE_SETTINGS


def failing(probe: Probe) -> str:
    """The message of a run that cannot see everything."""
    with pytest.raises(ProbeIncompleteError) as raised:
        probe.look()
    assert not any(line["level"] == "ERROR" and "unexpectedly" in line["message"] for line in probe.logged)
    return raised.value.what


def backup_told(probe: Probe) -> bool:
    return probe.value(WatchMetric.BACKUP_AGE, metric_dimensions("test", "shop", Tier.DAILY)) is not None


def recovery_point_told(probe: Probe) -> bool:
    return probe.value(WatchMetric.RECOVERY_POINT_AGE, watch_dimensions("test", PROD)) is not None


def test_without_rds_the_bucket_is_told(probe: Probe) -> None:
    probe.store_backup(hours_old=1)
    probe.world.always["DescribeDBInstances"] = client_error("AccessDenied", "not you")
    said = failing(probe)
    assert f"the instance {PROD}: " in said
    assert "AccessDenied: not you" in said
    assert backup_told(probe)
    assert not recovery_point_told(probe)
    assert probe.drifted() == {setting.value: 0 for setting in BUCKET_SETTINGS}
    assert "not looked at" in [line["message"] for line in probe.logged]


def test_an_instance_that_is_gone_is_said_to_be(probe: Probe) -> None:
    boto3.client("rds").modify_db_instance(DBInstanceIdentifier=PROD, DeletionProtection=False)
    boto3.client("rds").delete_db_instance(DBInstanceIdentifier=PROD, SkipFinalSnapshot=True)
    assert f"There is no instance {PROD}" in failing(probe)
    assert set(probe.drifted()) == BUCKET_SETTINGS


def test_a_bucket_that_cannot_be_listed_hides_no_setting(probe: Probe) -> None:
    probe.world.always["ListObjectsV2"] = client_error("AccessDenied", "not you")
    said = failing(probe)
    assert all(f"{tier.value} backups: " in said for tier in Tier)
    assert recovery_point_told(probe)
    assert probe.drifted() == {setting.value: 0 for setting in WatchedSetting}


def test_one_tier_that_cannot_be_listed_hides_no_other(probe: Probe) -> None:
    probe.store_backup(hours_old=1)
    probe.store_backup(tier=Tier.WEEKLY, hours_old=1)
    probe.world.errors["ListObjectsV2"] = [client_error("InternalError")]
    assert "daily backups" in failing(probe)
    assert not backup_told(probe)
    assert probe.value(WatchMetric.BACKUP_AGE, metric_dimensions("test", "shop", Tier.WEEKLY)) is not None


@pytest.mark.parametrize(
    ("call", "setting"),
    [
        ("GetBucketVersioning", WatchedSetting.BUCKET_VERSIONING),
        ("GetObjectLockConfiguration", WatchedSetting.BUCKET_LOCK),
        ("GetBucketLifecycleConfiguration", WatchedSetting.BUCKET_LIFECYCLE),
        ("GetPublicAccessBlock", WatchedSetting.BUCKET_PUBLIC_ACCESS),
    ],
)
def test_a_setting_that_cannot_be_read_is_neither_drifted_nor_well(
    probe: Probe, call: str, setting: WatchedSetting
) -> None:
    probe.store_backup(hours_old=1)
    probe.world.always[call] = client_error("AccessDenied", "not you")
    said = failing(probe)
    assert f"the setting {setting.value}: Reading the " in said
    assert probe.drifted() == {each.value: 0 for each in WatchedSetting if each is not setting}
    assert backup_told(probe)


def test_a_setting_that_rds_does_not_say_is_neither_drifted_nor_well(probe: Probe) -> None:
    probe.world.after["DescribeDBInstances"] = lambda answer: answer["DBInstances"][0].pop("MultiAZ")
    assert "the setting multi-az: RDS's description of the instance has no MultiAZ" in failing(probe)
    assert set(probe.drifted()) == set(WatchedSetting) - {WatchedSetting.MULTI_AZ}


def test_deliveries_that_cannot_be_asked_for_count_as_nothing(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    probe.store_backup(hours_old=1)
    monkeypatch.setenv(WatchEnvKey.ALERT_REHEARSAL, rehearse_at(probe.world.latest, 60))
    probe.world.always["GetMetricData"] = client_error("AccessDenied", "not you")
    assert "deliveries of the latest rehearsal" in failing(probe)
    assert probe.value(WatchMetric.ALERTS_UNDELIVERED, watch_dimensions("test", PROD)) is None
    assert backup_told(probe)


def test_a_defect_in_one_look_hides_no_other(probe: Probe) -> None:
    probe.store_backup(hours_old=1)

    def broken(_: dict[str, object]) -> None:
        raise ZeroDivisionError("a defect")

    probe.world.after["GetBucketVersioning"] = broken
    said = failing(probe)
    assert "ZeroDivisionError, which nobody expected" in said
    assert set(probe.drifted()) == set(WatchedSetting) - {WatchedSetting.BUCKET_VERSIONING}
    assert backup_told(probe)
    (logged,) = [line for line in probe.logged if line["message"] == "not looked at"]
    assert "ZeroDivisionError" in logged["exception"]


def test_a_bad_environment_is_refused_before_anything_is_asked(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WatchEnvKey.DECLARED, json.dumps({"colour": "blue"}))
    with pytest.raises(InvalidRequestError, match="colour"):
        probe.look()
    assert probe.world.calls == []
    assert '"_aws"' not in probe.output


def test_every_watched_setting_can_be_declared_and_is_looked_at(probe: Probe) -> None:
    assert set(DECLARED) == set(WatchedSetting)
    probe.look()
    assert set(probe.drifted()) == set(WatchedSetting)


def test_all_that_is_remembered_of_rehearsals_is_asked_for_in_one_call(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WatchEnvKey.ALERT_REHEARSAL, rehearse_at(probe.world.latest, 60))
    probe.look()
    (asked,) = probe.world.called("GetMetricData")
    assert {query["Id"] for query in asked["MetricDataQueries"]} == {"failing", *RehearsedAlert}
