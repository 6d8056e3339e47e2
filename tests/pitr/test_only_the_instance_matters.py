"""A restore is for the data: what cannot be set on the side is told, and what serves is never deleted."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest

from dbbackup.contract_pitr import TAG_EXECUTION, TAG_VERIFIED, PitrMetric
from dbbackup.core.instance_status import FINAL, USABLE, WITHOUT_DATA
from dbbackup.core.units import format_time
from devtools.state_machine import Run, TaskFailedError
from tests.pitr.conftest import Recovery
from tests.support.rds_world import PROD, client_error

TARGET = "ftry-prod-copy"
DENIED = client_error("InvalidParameterCombination", "not with this key")


def asked(recovery: Recovery, **more: Any) -> dict[str, Any]:
    """A request for two hours ago."""
    return {"restore_time": format_time(recovery.world.latest - timedelta(hours=2)), "target": TARGET, **more}


def entered(recovery: Recovery, state: str, action: Any) -> None:
    """Do something as a state is entered for the first time."""

    def on_state(name: str, run: Run) -> None:
        if name == state and run.states.count(state) == 1:
            action()

    recovery.local.on_state = on_state


def with_insights(recovery: Recovery) -> None:
    """Let production have what the local AWS does not know: monitoring, and insights with a key of ours."""

    def more(answer: dict[str, Any]) -> None:
        for instance in answer["DBInstances"]:
            if instance["DBInstanceIdentifier"] == PROD:
                instance.update(
                    MonitoringInterval=60,
                    MonitoringRoleArn="arn:aws:iam::123456789012:role/monitoring",
                    PerformanceInsightsEnabled=True,
                    PerformanceInsightsKMSKeyId="arn:aws:kms:us-east-1:123456789012:key/ours",
                )

    recovery.world.after["DescribeDBInstances"] = more


def counted(output: str, metric: PitrMetric) -> list[float]:
    """Values of a metric."""
    documents = [json.loads(line) for line in output.splitlines() if '"_aws"' in line]
    return [each[metric][0] for each in documents if metric in each]


@pytest.mark.parametrize(
    ("parameter", "setting"),
    [
        ("PreferredBackupWindow", "PreferredBackupWindow"),
        ("PreferredMaintenanceWindow", "PreferredMaintenanceWindow"),
        ("EnablePerformanceInsights", "PerformanceInsightsEnabled"),
        ("MonitoringInterval", "MonitoringInterval"),
        ("DeletionProtection", "DeletionProtection"),
    ],
)
def test_a_setting_that_is_refused_is_told_everywhere_and_the_rest_is_set(
    recovery: Recovery, parameter: str, setting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with_insights(recovery)
    unknown_here = ("EnablePerformanceInsights", "MonitoringInterval")
    recovery.world.refused = {("ModifyDBInstance", name): DENIED for name in (*unknown_here, parameter)}
    _, run = recovery.local.restore(asked(recovery))
    assert run.status == "SUCCEEDED", run.cause
    (found,) = [each for each in run.output["differences"] if each["setting"] == setting]
    assert "not with this key" in found["why"]
    (told,) = recovery.world.told()
    assert [line for line in told["details"] if setting in line and "not with this key" in line]
    assert told["outcome"] == "succeeded"
    assert counted(capsys.readouterr().out, PitrMetric.DIFFERENCES) == [len(run.output["differences"])]
    source, restored = recovery.world.describe(PROD), recovery.world.describe(TARGET)
    for other in {"PreferredBackupWindow", "PreferredMaintenanceWindow"} - {parameter}:
        assert restored[other] == source[other], "one refusal does not cost the others"
    assert recovery.world.tags(TARGET)[TAG_VERIFIED]


def test_all_settings_refused_is_still_a_restore(recovery: Recovery) -> None:
    def forbidden(operation: str, parameters: dict[str, Any]) -> None:
        if operation == "ModifyDBInstance" and "MasterUserPassword" not in parameters:
            raise client_error("AccessDenied", "by a policy of the organisation")

    recovery.world.before = forbidden  # type: ignore[method-assign]
    _, run = recovery.local.restore(asked(recovery))
    assert run.status == "SUCCEEDED", run.cause
    assert {each["setting"] for each in run.output["differences"]} == {
        "PreferredBackupWindow",
        "PreferredMaintenanceWindow",
        "DeletionProtection",
    }
    assert all("organisation" in each["why"] for each in run.output["differences"])


@pytest.mark.parametrize("parameter", ["CopyTagsToSnapshot", "EnableCloudwatchLogsExports", "MaxAllocatedStorage"])
def test_a_restore_that_is_refused_for_a_setting_is_done_without(recovery: Recovery, parameter: str) -> None:
    recovery.world.refused = {("RestoreDBInstanceToPointInTime", parameter): DENIED}
    _, run = recovery.local.restore(asked(recovery))
    assert run.status == "SUCCEEDED", run.cause
    _, sent = recovery.world.called("RestoreDBInstanceToPointInTime")
    assert sent["DBSubnetGroupName"] == "isolated", "never into another network"
    assert sent["VpcSecurityGroupIds"]
    assert not sent.get("PubliclyAccessible")
    assert sent["DBParameterGroupName"] == "tls"
    assert parameter not in sent
    assert recovery.world.tags(TARGET)[TAG_EXECUTION]


def test_a_restore_that_is_refused_for_what_it_needs_fails_with_that(recovery: Recovery) -> None:
    gone = client_error("DBSubnetGroupNotFoundFault", "isolated is gone")
    recovery.world.refused = {("RestoreDBInstanceToPointInTime", "DBSubnetGroupName"): gone}
    _, run = recovery.local.restore(asked(recovery))
    assert (run.status, run.error) == ("FAILED", "aws-refused")
    assert "isolated is gone" in str(run.cause)
    assert "nothing is left over" in str(run.cause)


def test_a_restore_whose_answer_was_lost_is_recognised(recovery: Recovery) -> None:
    lost = [True, True]

    def lose(_answer: dict[str, Any]) -> None:
        if lost and lost.pop():
            lost.clear()
            raise client_error("DBInstanceAlreadyExists", "as the SDK repeated the call")

    recovery.world.after["RestoreDBInstanceToPointInTime"] = lose
    _, run = recovery.local.restore(asked(recovery))
    assert run.status == "SUCCEEDED", run.cause


@pytest.mark.parametrize("state", ["MatchSettings", "SetPassword", "Verify", "Seal", "Protect", "Report"])
def test_whatever_fails_once_it_serves_deletes_nothing(recovery: Recovery, state: str) -> None:
    real = recovery.local.call

    def failing(function: Any, event: Any, environment: Any) -> Any:
        steps = {"match-settings": "MatchSettings", "set-password": "SetPassword"}
        step = steps.get(event.get("step"), str(event.get("step")).title())
        if step == state:
            raise TaskFailedError("Runtime.ExitError", '{"errorMessage": "signal: killed"}')
        return real(function, event, environment)

    recovery.local.call = failing
    _, run = recovery.local.restore(asked(recovery))
    succeeds = state in ("MatchSettings", "Protect")
    assert run.status == ("SUCCEEDED" if succeeds else "FAILED")
    assert TARGET in recovery.world.databases
    assert not recovery.world.called("DeleteDBInstance")
    if succeeds:
        assert any("signal: killed" in each["why"] for each in run.output["differences"])
    else:
        assert f"The instance {TARGET} was kept" in str(run.cause)


@pytest.mark.parametrize("status", sorted(FINAL | USABLE))
def test_once_it_has_served_no_status_is_a_reason_to_delete(recovery: Recovery, status: str) -> None:
    entered(recovery, "SetPassword", lambda: recovery.world.statuses.update({TARGET: [status] * 60}))
    recovery.database.execute("DROP TABLE orders")
    _, run = recovery.local.restore(asked(recovery))
    assert run.status == "FAILED"
    assert not recovery.world.called("DeleteDBInstance")


def test_what_never_served_is_deleted_in_these_statuses_alone(recovery: Recovery) -> None:
    for status in sorted(FINAL - WITHOUT_DATA):
        target = f"ftry-prod-{status[:40]}"
        recovery.world.statuses[target] = [status] * 60
        _, run = recovery.local.restore(asked(recovery, target=target))
        assert (run.status, run.error) == ("FAILED", "instance-failed")
    assert not recovery.world.called("DeleteDBInstance")


@pytest.mark.parametrize("status", sorted(USABLE))
def test_an_instance_that_serves_is_not_waited_for_until_it_is_called_available(
    recovery: Recovery, status: str
) -> None:
    recovery.world.statuses[TARGET] = ["creating", *[status] * 500]
    _, run = recovery.local.restore(asked(recovery))
    assert run.status == "SUCCEEDED", run.cause
    assert run.seconds < 1800, "neither blocks that are moved for hours nor a first backup keep people from their data"


def test_an_instance_that_takes_no_orders_for_a_while_gets_its_password_later(recovery: Recovery) -> None:
    busy = client_error("InvalidDBInstanceState", "backing-up")

    def before(operation: str, parameters: dict[str, Any]) -> None:
        sent = len([each for each in recovery.world.called(operation) if "MasterUserPassword" in each])
        if "MasterUserPassword" in parameters and sent < 10:
            raise busy

    recovery.world.before = before  # type: ignore[method-assign]
    _, run = recovery.local.restore(asked(recovery))
    assert run.status == "SUCCEEDED", run.cause
    assert run.retries == ["SetPassword"] * 9


def test_the_same_request_goes_on_with_what_a_failed_one_has_left(recovery: Recovery) -> None:
    secret = recovery.local.local["DB_SECRET_ARN"]
    recovery.world.always["GetSecretValue"] = client_error("AccessDeniedException", "-")
    first, run = recovery.local.restore(asked(recovery))
    assert (run.status, run.error) == ("FAILED", "credentials")
    assert secret in str(run.cause)
    assert "the same request goes on with it" in str(run.cause)
    recovery.world.end_execution(first["execution_arn"], "FAILED")
    recovery.world.always.clear()
    again, run = recovery.local.restore(asked(recovery))
    assert run.status == "SUCCEEDED", run.cause
    assert again["execution_arn"] == first["execution_arn"] + "-2"
    assert len(recovery.world.called("RestoreDBInstanceToPointInTime")) == 1, "nobody waits for hours once more"
    recovery.world.end_execution(again["execution_arn"], "SUCCEEDED")
    _, promoted = recovery.local.promote({"target": TARGET, "confirm": PROD})
    assert promoted.status == "SUCCEEDED", promoted.cause


def test_another_request_does_not_take_what_this_one_has_left(recovery: Recovery) -> None:
    recovery.world.always["GetSecretValue"] = client_error("AccessDeniedException", "-")
    first, _ = recovery.local.restore(asked(recovery))
    recovery.world.end_execution(first["execution_arn"], "FAILED")
    earlier = format_time(recovery.world.latest - timedelta(hours=3))
    with pytest.raises(TaskFailedError) as refused:
        recovery.local.invoke("restore", asked(recovery, restore_time=earlier))
    assert refused.value.error == "target-taken"


def test_production_that_goes_meanwhile_does_not_cost_the_restored_one(recovery: Recovery) -> None:
    def remove() -> None:
        rds = boto3.client("rds")
        rds.modify_db_instance(DBInstanceIdentifier=PROD, DeletionProtection=False)
        rds.delete_db_instance(DBInstanceIdentifier=PROD, SkipFinalSnapshot=True)

    entered(recovery, "MatchSettings", remove)
    _, run = recovery.local.restore(asked(recovery))
    assert run.status == "SUCCEEDED", run.cause
    assert run.output["compared"] is False
    (told,) = recovery.world.told()
    assert any("compared with nothing" in line for line in told["details"])
    assert recovery.world.describe(TARGET)["DeletionProtection"] is True


def test_the_password_of_another_user_is_not_given_to_the_master(recovery: Recovery) -> None:
    boto3.client("secretsmanager").put_secret_value(
        SecretId=recovery.local.local["DB_SECRET_ARN"],
        SecretString=json.dumps({"username": "reader", "password": "of the reader"}),
    )
    _, run = recovery.local.restore(asked(recovery))
    assert (run.status, run.error) == ("FAILED", "connection")
    assert not [each for each in recovery.world.called("ModifyDBInstance") if "MasterUserPassword" in each]
