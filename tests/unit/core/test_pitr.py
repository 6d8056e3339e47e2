"""The pure part of point-in-time recovery: requests, names, windows, plans, parity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.pitr_errors import NotRestorableError, OutsideWindowError
from dbbackup.core.pitr_names import aside_name, belongs_to, default_target, execution_name, identifier_rule
from dbbackup.core.pitr_parity import differences, settings_to_match
from dbbackup.core.pitr_plan import check_restorable, restore_parameters
from dbbackup.core.pitr_request import parse_promotion, parse_restore
from dbbackup.core.pitr_window import Window, check_moment, estimate, window_of

MOMENT = datetime(2025, 1, 11, 14, 30, tzinfo=UTC)
NOW = MOMENT + timedelta(hours=1)
WINDOW = Window(MOMENT - timedelta(days=7), MOMENT + timedelta(minutes=30))
SOURCE: dict[str, Any] = {
    "DBInstanceIdentifier": "ftry-prod",
    "DBInstanceClass": "db.t4g.medium",
    "Engine": "postgres",
    "AllocatedStorage": 50,
    "StorageType": "gp3",
    "Iops": 3000,
    "StorageThroughput": 125,
    "BackupRetentionPeriod": 30,
    "PreferredBackupWindow": "02:00-03:00",
    "MonitoringInterval": 60,
    "MonitoringRoleArn": "arn:aws:iam::123456789012:role/monitoring",
    "PerformanceInsightsEnabled": True,
    "PerformanceInsightsKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/1",
    "PerformanceInsightsRetentionPeriod": 7,
    "EnabledCloudwatchLogsExports": ["upgrade", "postgresql"],
    "Endpoint": {"Port": 5432},
    "DBParameterGroups": [{"DBParameterGroupName": "tls", "ParameterApplyStatus": "in-sync"}],
    "TagList": [
        {"Key": "aws:cloudformation:stack-name", "Value": "x"},
        {"Key": "dbbackup:role", "Value": "production"},
    ],
}


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("2025-01-11T14:30:00Z", MOMENT),
        ("2025-01-11T20:00:00+05:30", MOMENT),
        ("2025-01-11 14:30Z", MOMENT),
        ("2025-01-11T14:30:00.999999Z", MOMENT),
        ("2025-01-11T14:30:00.5-00:00", MOMENT),
        ("latest", None),
    ],
)
def test_times_are_understood_in_utc_and_never_later(text: str, understood: datetime | None) -> None:
    assert parse_restore({"restore_time": text}).restore_time == understood


@pytest.mark.parametrize(
    "text", ["2025-01-11", "2025-01-11T14:30:00", "14:30Z", "LATEST", "", "0001-01-01T00:00:00+23:59", None, 1, True]
)
def test_what_is_not_a_moment_is_refused(text: object) -> None:
    with pytest.raises(InvalidRequestError, match="restore_time"):
        parse_restore({"restore_time": text})


def test_classes_are_looked_at() -> None:
    assert parse_restore({"restore_time": "latest", "instance_class": "db.r6g.2xlarge"}).instance_class
    with pytest.raises(InvalidRequestError, match="instance_class"):
        parse_restore({"restore_time": "latest", "instance_class": "t4g.medium"})


@pytest.mark.parametrize("rollback", [1, "true", None])
def test_a_rollback_is_asked_for_with_true(rollback: object) -> None:
    with pytest.raises(InvalidRequestError):
        parse_promotion({"rollback": rollback, "confirm": "ftry-prod"}, production="ftry-prod")


@given(st.text(alphabet="ab1-A_", min_size=1, max_size=70))
def test_a_name_that_passes_is_one_of_rds(name: str) -> None:
    if identifier_rule(name) is None:
        assert len(name) <= 63
        assert name[0] in "ab"
        assert not name.endswith("-")
        assert "--" not in name
        assert set(name) <= set("ab1-")


@given(st.integers(1, 54), st.integers(-(10**10), 10**10).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_names_fit_and_belong_to_production(length: int, moment: datetime) -> None:
    production = "p" * length
    for name in (
        default_target(production, moment),
        aside_name(production, moment),
    ):
        assert identifier_rule(name) is None
        assert belongs_to(production, name)


def test_names_say_what_they_are() -> None:
    assert default_target("ftry-prod", MOMENT) == "ftry-prod-pitr-20250111-143000"
    assert aside_name("ftry-prod", MOMENT) == "ftry-prod-old-20250111-143000"
    with pytest.raises(InvalidRequestError, match="leaves no room"):
        default_target("p" * 60, MOMENT)


def test_an_execution_s_name_is_made_of_the_request() -> None:
    first = execution_name("target", "source", "time")
    assert first == execution_name("target", "source", "time")
    assert first != execution_name("target", "sourcetime", "")
    assert execution_name("target", "source", "time", attempt=3) == f"{first}-3"
    assert len(execution_name("t" * 63, attempt=50)) <= 80


def test_the_window_is_closed_below_and_open_above() -> None:
    assert check_moment(WINDOW.earliest, WINDOW, NOW, source="s") == WINDOW.earliest
    second = timedelta(seconds=1)
    assert check_moment(WINDOW.latest - second, WINDOW, NOW, source="s")
    for moment, said in (
        (WINDOW.earliest - second, "before the window"),
        (WINDOW.latest, "not yet restorable"),
        (NOW + second, "in the future"),
    ):
        with pytest.raises(OutsideWindowError, match=said):
            check_moment(moment, WINDOW, NOW, source="s")


def test_a_window_without_rds_s_word_is_not_longer_than_the_instance_or_its_retention() -> None:
    made = NOW - timedelta(days=3)
    source = {**SOURCE, "InstanceCreateTime": made, "LatestRestorableTime": MOMENT}
    assert window_of(source, None, NOW).earliest == made
    assert window_of({**source, "BackupRetentionPeriod": 1}, None, NOW).earliest == NOW - timedelta(days=1)
    assert window_of(source, {"RestoreWindow": {"EarliestTime": WINDOW.earliest}}, NOW).earliest == WINDOW.earliest


@pytest.mark.parametrize("changes", [{"BackupRetentionPeriod": 0, "LatestRestorableTime": MOMENT}, {}])
def test_without_backups_there_is_no_window(changes: dict[str, Any]) -> None:
    with pytest.raises(NotRestorableError):
        window_of({**SOURCE, **changes}, None, NOW)


@pytest.mark.parametrize(
    "changes", [{"Engine": "mysql"}, {"DBClusterIdentifier": "c"}, {"MasterUserSecret": {"SecretArn": "a"}}]
)
def test_other_kinds_of_instances_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(NotRestorableError):
        check_restorable({**SOURCE, **changes})


def plan(**changes: Any) -> dict[str, Any]:
    return restore_parameters(
        {**SOURCE, **changes}, target="ftry-prod-x", moment=MOMENT, instance_class=None, execution="e"
    )


def test_small_gp3_sets_its_own_performance() -> None:
    assert "Iops" not in plan()
    large = plan(AllocatedStorage=400)
    assert (large["Iops"], large["StorageThroughput"]) == (3000, 125)
    provisioned = plan(StorageType="io2")
    assert provisioned["Iops"] == 3000
    assert "StorageThroughput" not in provisioned


def test_reserved_tags_and_marks_of_the_source_are_not_copied() -> None:
    assert {tag["Key"]: tag["Value"] for tag in plan()["Tags"]} == {
        "dbbackup:role": "restored",
        "dbbackup:execution": "e",
        "dbbackup:restored-as": "ftry-prod-x",
        "dbbackup:restore-time": "2025-01-11T14:30:00Z",
    }


def test_default_groups_are_left_to_rds() -> None:
    assert plan()["DBParameterGroupName"] == "tls"
    default = [{"DBParameterGroupName": "default.postgres18"}]
    assert "DBParameterGroupName" not in plan(DBParameterGroups=default)


def test_what_a_restore_cannot_set_is_changed_afterwards() -> None:
    restored = {**SOURCE, "BackupRetentionPeriod": 1, "MonitoringInterval": 0, "MonitoringRoleArn": None}
    restored |= {"PerformanceInsightsEnabled": False, "EnabledCloudwatchLogsExports": ["postgresql"]}
    assert settings_to_match(SOURCE, restored) == {
        "BackupRetentionPeriod": {"BackupRetentionPeriod": 30},
        "MonitoringInterval": {"MonitoringInterval": 60, "MonitoringRoleArn": SOURCE["MonitoringRoleArn"]},
        "PerformanceInsightsEnabled": {
            "EnablePerformanceInsights": True,
            "PerformanceInsightsKMSKeyId": SOURCE["PerformanceInsightsKMSKeyId"],
            "PerformanceInsightsRetentionPeriod": 7,
        },
        "EnabledCloudwatchLogsExports": {"CloudwatchLogsExportConfiguration": {"EnableLogTypes": ["upgrade"]}},
    }, "what only goes together is sent and refused together"
    assert settings_to_match(SOURCE, SOURCE) == {}


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"KmsKeyId": "other"}, "KmsKeyId"),
        ({"Endpoint": {"Port": 6432}}, "Port"),
        ({"VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1", "Status": "active"}]}, "VpcSecurityGroups"),
        ({"TagList": [{"Key": "Team", "Value": "b"}]}, "Tags"),
        (
            {"DBParameterGroups": [{"DBParameterGroupName": "tls", "ParameterApplyStatus": "pending-reboot"}]},
            "DBParameterGroupStatus",
        ),
        ({"DeletionProtection": True}, "DeletionProtection"),
    ],
)
def test_every_difference_is_found(changes: dict[str, Any], setting: str) -> None:
    assert differences(SOURCE, SOURCE) == []
    assert [each.setting for each in differences(SOURCE, {**SOURCE, **changes})] == [setting]


def test_the_estimate_grows_with_size_and_log() -> None:
    early = MOMENT.replace(hour=3)
    small, late = estimate(SOURCE, early), estimate(SOURCE, MOMENT)
    assert small.low_seconds == late.low_seconds == 900 + 6 * 50
    assert late.high_seconds - small.high_seconds == (MOMENT - early).total_seconds() // 4
    assert estimate({**SOURCE, "AllocatedStorage": 500, "MultiAZ": True}, early).low_seconds == 900 + 3000 + 300
