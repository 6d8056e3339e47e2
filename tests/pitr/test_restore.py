"""The machine that restores, run by its synthesized definition."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest

from dbbackup.contract_pitr import TAG_EXECUTION, TAG_ROLE, TAG_VERIFIED, PitrMetric
from dbbackup.core.units import format_time
from devtools.state_machine import TaskFailedError
from tests.pitr.conftest import Recovery
from tests.support.rds_world import PROD, client_error


def asked(recovery: Recovery, **more: Any) -> dict[str, Any]:
    """A request for two hours ago."""
    return {"restore_time": format_time(recovery.world.latest - timedelta(hours=2)), **more}


def test_a_restore_ends_with_a_verified_instance(recovery: Recovery) -> None:
    event = asked(recovery)
    answer, run = recovery.local.restore(event)
    assert run.status == "SUCCEEDED", run.cause
    assert answer["status"] == "started"
    assert answer["restore_time"] == event["restore_time"]
    report = run.output
    assert report["target"] == answer["target"]
    assert report["recovery_point"] == event["restore_time"]
    assert report["verification"]["tables"] == 1
    assert report["recovery_time_seconds"] == run.seconds >= 90
    assert report["objective_met"] is True
    assert report["notification"] == "sent"
    (told,) = recovery.world.told()
    assert told["execution"].endswith(f":execution:local:{answer['execution_arn'].rpartition(':')[2]}")
    tags = recovery.world.tags(answer["target"])
    assert tags[TAG_ROLE] == "restored"
    assert tags[TAG_VERIFIED] == tags[TAG_EXECUTION]


def test_the_restored_instance_is_like_its_source(recovery: Recovery) -> None:
    answer, run = recovery.local.restore(asked(recovery))
    source, restored = recovery.world.describe(PROD), recovery.world.describe(answer["target"])
    for same in (
        *("DBInstanceClass", "MultiAZ", "MaxAllocatedStorage", "StorageType", "BackupRetentionPeriod", "Engine"),
        *("PreferredBackupWindow", "PreferredMaintenanceWindow", "IAMDatabaseAuthenticationEnabled"),
        *("DeletionProtection", "CopyTagsToSnapshot", "AutoMinorVersionUpgrade", "PubliclyAccessible"),
        *("EnabledCloudwatchLogsExports", "VpcSecurityGroups"),
    ):
        assert restored.get(same) == source.get(same), same
    (sent,) = recovery.world.called("RestoreDBInstanceToPointInTime")
    assert sent["DBSubnetGroupName"] == "isolated"
    assert sent["DBParameterGroupName"] == "tls"
    assert sent["VpcSecurityGroupIds"] == [group["VpcSecurityGroupId"] for group in source["VpcSecurityGroups"]]
    assert sent["DeletionProtection"] is False, "a failed run must be able to remove it"
    assert recovery.world.tags(answer["target"])["System"] == "ftry"
    assert run.output["differences"] == []


def test_every_difference_is_reported(recovery: Recovery) -> None:
    def newer(answer: dict[str, Any]) -> None:
        for instance in answer["DBInstances"]:
            if instance["DBInstanceIdentifier"] != PROD:
                instance["EngineVersion"] = "18.3"

    recovery.world.after["DescribeDBInstances"] = newer
    _, run = recovery.local.restore(asked(recovery, instance_class="db.r6g.large"))
    assert run.output["differences"] == [{"setting": "EngineVersion", "source": "18.2", "restored": "18.3"}]


def test_the_password_of_now_is_set_and_seen_nowhere(recovery: Recovery, capsys: pytest.CaptureFixture[str]) -> None:
    answer, run = recovery.local.restore(asked(recovery))
    assert recovery.world.databases[answer["target"]]._master_user_password == recovery.password
    logged = capsys.readouterr().out
    assert '"step":"set-password"' in logged
    assert recovery.password not in json.dumps(run.documents) + logged


def test_a_slow_instance_is_waited_for(recovery: Recovery) -> None:
    target = "ftry-prod-slow"
    # The first description finds the name free twice: the request and the first step look.
    recovery.world.statuses[target] = ["creating", "starting", "modifying", "creating"]
    _, run = recovery.local.restore(asked(recovery, target=target))
    assert run.status == "SUCCEEDED"
    assert run.states.count("WaitForInstance") == 5
    assert run.output["recovery_time_seconds"] == run.seconds == 30 * 7


def _recovery_points(output: str) -> list[float | None]:
    """What each verified instance's metrics say of its recovery point."""
    documents = [json.loads(line) for line in output.splitlines() if '"_aws"' in line]
    verified = [each for each in documents if each.get(PitrMetric.SUCCESS) == [1]]
    return [each[PitrMetric.RECOVERY_POINT][0] if PitrMetric.RECOVERY_POINT in each else None for each in verified]


def test_the_recovery_point_of_the_latest_moment_is_measured(
    recovery: Recovery, capsys: pytest.CaptureFixture[str]
) -> None:
    recovery.local.restore({"restore_time": "latest"})
    (age,) = _recovery_points(capsys.readouterr().out)
    assert age == pytest.approx(300, abs=60), "five minutes, as RDS says here"
    recovery.local.restore(asked(recovery))
    assert _recovery_points(capsys.readouterr().out) == [None], "two hours back is what was asked for"


def test_latest_uses_the_latest_restorable_time(recovery: Recovery) -> None:
    answer, run = recovery.local.restore({"restore_time": "latest"})
    assert answer["restore_time"] == format_time(recovery.world.latest)
    (sent,) = recovery.world.called("RestoreDBInstanceToPointInTime")
    assert sent["UseLatestRestorableTime"] is True
    assert "RestoreTime" not in sent
    assert run.output["recovery_point_is_at_least"] is True


def test_the_same_request_twice_is_the_same_execution(recovery: Recovery) -> None:
    first = recovery.local.invoke("restore", asked(recovery))
    recovery.local.run(first["execution_arn"])
    again = recovery.local.invoke("restore", asked(recovery))
    assert again == {**first, "status": "already-running"}
    recovery.world.end_execution(first["execution_arn"], "SUCCEEDED")
    assert recovery.local.invoke("restore", asked(recovery)) == {**first, "status": "already-done"}
    assert len(recovery.world.called("StartExecution")) == 1


def test_latest_twice_is_the_same_execution_though_time_goes_on(recovery: Recovery) -> None:
    first = recovery.local.invoke("restore", {"restore_time": "latest"})
    recovery.world.latest += timedelta(minutes=5)
    again = recovery.local.invoke("restore", {"restore_time": "latest"})
    assert (again["status"], again["execution_arn"]) == ("already-running", first["execution_arn"])
    assert again["restore_time"] == first["restore_time"]
    assert again["target"] == first["target"]


def test_a_request_that_failed_is_tried_anew(recovery: Recovery) -> None:
    first = recovery.local.invoke("restore", asked(recovery))
    recovery.world.end_execution(first["execution_arn"], "FAILED")
    second = recovery.local.invoke("restore", asked(recovery))
    assert second["status"] == "started"
    assert second["execution_arn"] == first["execution_arn"] + "-2"
    assert second["target"] == first["target"]


@pytest.mark.parametrize(
    ("event", "error", "said"),
    [
        ({"restore_time": "2020-01-01T00:00:00Z"}, "outside-window", "before the window"),
        ({"restore_time": "1969-12-31T00:00:00Z"}, "outside-window", "before the window"),
        ({"restore_time": "2999-01-01T00:00:00Z"}, "outside-window", "in the future"),
        ({"restore_time": "2025-01-11T14:30:00"}, "invalid-request", "has no zone"),
        ({"restore_time": "yesterday"}, "invalid-request", "is not a time"),
        ({"restore_time": 1736605800}, "invalid-request", "restore_time"),
        ({}, "invalid-request", "restore_time"),
        ({"restore_time": "latest", "when": "now"}, "invalid-request", "when"),
        ({"restore_time": "latest", "promote": True}, "invalid-request", "promoted"),
        ({"restore_time": "latest", "target": "Ftry_Prod"}, "invalid-request", "identifier"),
        ({"restore_time": "latest", "target": "other"}, "invalid-request", "ftry-prod-"),
        ({"restore_time": "latest", "target": PROD}, "invalid-request", "ftry-prod-"),
        ({"restore_time": "latest", "source": "other"}, "invalid-request", "ftry-prod-"),
        ({"restore_time": "latest", "source": "ftry-prod-gone"}, "source-missing", "no instance"),
        ("latest", "invalid-request", "the event"),
    ],
)
def test_what_cannot_be_carried_out_starts_nothing(recovery: Recovery, event: Any, error: str, said: str) -> None:
    with pytest.raises(TaskFailedError, match=said) as refused:
        recovery.local.invoke("restore", event)
    assert refused.value.error == error
    assert "Nothing was restored" in refused.value.cause
    assert not recovery.world.called("StartExecution")


def test_a_time_outside_the_window_is_answered_with_the_window(recovery: Recovery) -> None:
    moment = format_time(recovery.world.latest + timedelta(minutes=2))
    with pytest.raises(TaskFailedError, match="not yet restorable") as refused:
        recovery.local.invoke("restore", {"restore_time": moment})
    assert format_time(recovery.world.earliest) in refused.value.cause
    assert format_time(recovery.world.latest) in refused.value.cause


def test_a_target_that_is_taken_is_refused(recovery: Recovery) -> None:
    boto3.client("rds").create_db_instance(
        DBInstanceIdentifier="ftry-prod-copy", Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20
    )
    with pytest.raises(TaskFailedError, match="already") as refused:
        recovery.local.invoke("restore", asked(recovery, target="ftry-prod-copy"))
    assert refused.value.error == "target-taken"


def test_a_target_that_is_taken_meanwhile_is_left_alone(recovery: Recovery) -> None:
    answer = recovery.local.invoke("restore", asked(recovery, target="ftry-prod-copy"))
    boto3.client("rds").create_db_instance(
        DBInstanceIdentifier="ftry-prod-copy", Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20
    )
    run = recovery.local.run(answer["execution_arn"])
    assert (run.status, run.error) == ("FAILED", "target-taken")
    assert "was not made by this execution and was left alone" in str(run.cause)
    assert "ftry-prod-copy" in recovery.world.databases


def test_throttling_is_waited_out(recovery: Recovery) -> None:
    throttled = client_error("Throttling", "Rate exceeded")
    recovery.world.errors = {
        "RestoreDBInstanceToPointInTime": [throttled, throttled],
        "ModifyDBInstance": [throttled, None, throttled, None],
        "AddTagsToResource": [throttled],
    }
    _, run = recovery.local.restore(asked(recovery))
    assert run.status == "SUCCEEDED", run.cause
    assert run.retries == ["Restore", "Restore", "MatchSettings", "SetPassword", "Seal"]


def test_throttling_without_end_fails_and_leaves_nothing(recovery: Recovery) -> None:
    recovery.world.always["RestoreDBInstanceToPointInTime"] = client_error("Throttling", "Rate exceeded")
    answer, run = recovery.local.restore(asked(recovery))
    assert (run.status, run.error) == ("FAILED", "throttled")
    assert run.retries == ["Restore"] * 6
    assert "nothing is left over" in str(run.cause)
    assert answer["target"] not in recovery.world.databases


@pytest.mark.parametrize("status", ["failed", "incompatible-restore", "incompatible-network", "restore-error"])
def test_an_instance_that_fails_is_removed(recovery: Recovery, status: str) -> None:
    recovery.world.statuses["ftry-prod-bad"] = ["creating", *[status] * 9]
    _, run = recovery.local.restore(asked(recovery, target="ftry-prod-bad"))
    assert (run.status, run.error) == ("FAILED", "instance-failed")
    assert status in str(run.cause)
    assert "is being deleted with its backups" in str(run.cause)
    assert "ftry-prod-bad" not in recovery.world.databases
    (deleted,) = recovery.world.called("DeleteDBInstance")
    assert deleted == {
        "DBInstanceIdentifier": "ftry-prod-bad",
        "SkipFinalSnapshot": True,
        "DeleteAutomatedBackups": True,
    }
    assert "CleanUp" in run.states
    assert PROD in recovery.world.databases


def test_a_wait_that_runs_out_fails_and_keeps_what_may_come(recovery: Recovery) -> None:
    recovery.local.local = {**recovery.local.local, "PITR_TIME_LIMIT_SECONDS": "3600"}
    recovery.world.statuses["ftry-prod-slow"] = ["creating"] * 2000
    _, run = recovery.local.restore(asked(recovery, target="ftry-prod-slow"))
    assert (run.status, run.error) == ("FAILED", "wait-exceeded")
    assert 3600 < run.seconds < 3700
    assert "still creating" in str(run.cause)
    assert "was kept, as it is creating and may hold the data" in str(run.cause)
    assert not recovery.world.called("DeleteDBInstance")


def test_an_instance_that_cannot_be_deleted_yet_is_asked_again(recovery: Recovery) -> None:
    recovery.world.statuses["ftry-prod-bad"] = ["failed"] * 50
    busy = client_error("InvalidDBInstanceState", "it is being created")
    recovery.world.errors["DeleteDBInstance"] = [busy] * 7
    _, run = recovery.local.restore(asked(recovery, target="ftry-prod-bad"))
    assert run.error == "instance-failed"
    assert run.retries == ["CleanUp"] * 7
    assert "ftry-prod-bad" not in recovery.world.databases


def test_what_cannot_be_cleaned_up_is_named(recovery: Recovery) -> None:
    recovery.world.statuses["ftry-prod-bad"] = ["failed"] * 50
    recovery.world.always["DeleteDBInstance"] = client_error("AccessDenied", "not allowed")
    _, run = recovery.local.restore(asked(recovery, target="ftry-prod-bad"))
    assert (run.status, run.error) == ("FAILED", "instance-failed")
    assert "The instance ftry-prod-bad may be left behind" in str(run.cause)
    assert "not allowed" in str(run.cause)
    assert "ftry-prod-bad" in recovery.world.databases


def test_data_after_the_recovery_point_fails_the_verification(recovery: Recovery) -> None:
    recovery.database.execute("INSERT INTO orders VALUES (2, now())")
    answer, run = recovery.local.restore(asked(recovery))
    assert (run.status, run.error) == ("FAILED", "restored-data")
    assert "newest row of ftry.public.orders" in str(run.cause)
    assert "was kept, as it is available" in str(run.cause)
    assert answer["target"] in recovery.world.databases
    assert "Seal" not in run.states


@pytest.mark.parametrize(
    ("change", "said"),
    [("DROP TABLE orders", "tables of ftry: expected 1 or more"), ("ALTER TABLE orders DROP created_at", "missing")],
)
def test_missing_data_fails_the_verification(recovery: Recovery, change: str, said: str) -> None:
    recovery.database.execute(change)
    _, run = recovery.local.restore(asked(recovery))
    assert (run.status, run.error) == ("FAILED", "restored-data")
    assert said in str(run.cause)


def test_a_server_that_lets_nobody_in_fails_after_some_tries(recovery: Recovery) -> None:
    secret = recovery.local.local["DB_SECRET_ARN"]
    boto3.client("secretsmanager").put_secret_value(
        SecretId=secret, SecretString=json.dumps({"username": recovery.database.user, "password": "another password"})
    )
    _, run = recovery.local.restore(asked(recovery))
    assert (run.status, run.error) == ("FAILED", "connection")
    assert run.retries == ["Verify"] * 5
    (told,) = recovery.world.told()
    assert told["outcome"] == "failed"
    assert ":execution:" in told["execution"]
    assert "another password" not in json.dumps(run.documents)


def test_a_notification_that_fails_does_not_fail_the_restore(recovery: Recovery) -> None:
    recovery.world.always["Publish"] = client_error("AuthorizationError", "not allowed")
    _, run = recovery.local.restore(asked(recovery))
    assert run.status == "SUCCEEDED"
    assert run.output["notification"].startswith("not sent: Publish")


def test_a_password_that_is_refused_is_in_no_message(recovery: Recovery, capsys: pytest.CaptureFixture[str]) -> None:
    rejected = client_error("InvalidParameterValue", f"The parameter MasterUserPassword {recovery.password} is bad")
    recovery.world.errors["ModifyDBInstance"] = [None, rejected]
    _, run = recovery.local.restore(asked(recovery))
    assert (run.status, run.error) == ("FAILED", "aws-refused")
    assert recovery.password not in json.dumps(run.documents) + str(run.cause) + capsys.readouterr().out


def test_a_managed_password_is_refused(recovery: Recovery) -> None:
    recovery.world.after["DescribeDBInstances"] = lambda answer: answer["DBInstances"][0].update(
        MasterUserSecret={"SecretArn": "arn"}
    )
    with pytest.raises(TaskFailedError, match="manages its master password"):
        recovery.local.invoke("restore", asked(recovery))


def test_a_server_without_tls_is_told_nothing(recovery: Recovery) -> None:
    recovery.local.local = {**recovery.local.local, "DB_SSLMODE": "verify-full"}
    _, run = recovery.local.restore(asked(recovery))
    assert (run.status, run.error) == ("FAILED", "connection")
    assert "does not offer TLS" in str(run.cause)
