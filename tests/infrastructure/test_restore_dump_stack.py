"""The function and the machine that restore dumps, in the templates of prod."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.logical_restore import restore_definition
from dbbackup.contract import HANDLER_RESTORE, EnvKey
from devtools.state_machine import TaskFailedError, execute
from tests.infrastructure.synthesis import Synthesized, Template, role_statements, statements_of

WILDCARDS = {
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


@pytest.fixture
def template(prod: Synthesized) -> Template:
    """The stack."""
    return prod["restore-dump"]


@pytest.fixture
def statements(template: Template) -> list[dict[str, Any]]:
    """What the function may do."""
    role = template.only("AWS::Lambda::Function")["Role"]["Fn::GetAtt"][0]
    return [each for each in role_statements(template, role) if each["Effect"] == "Allow"]


def test_the_function_runs_beside_the_database_with_room_for_an_archive(template: Template) -> None:
    found = template.only("AWS::Lambda::Function")

    assert found["FunctionName"] == "ftry-prod-restore"
    assert found["PackageType"] == "Image"
    assert found["ImageConfig"]["Command"] == [HANDLER_RESTORE]
    assert found["VpcConfig"]["SubnetIds"]
    assert found["EphemeralStorage"] == {"Size": 10240}
    assert (found["Timeout"], found["MemorySize"]) == (900, 3538)
    variables = found["Environment"]["Variables"]
    assert set(variables) <= {key.value for key in EnvKey}
    assert variables[EnvKey.DB_SSLMODE] == "verify-full"


def test_the_database_lets_the_function_in(template: Template) -> None:
    rule = template.only("AWS::EC2::SecurityGroupIngress")

    assert (rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) == (5432, 5432, "tcp")
    assert "SourceSecurityGroupId" in rule


def test_it_may_write_a_safety_backup_and_ask_archives_back_and_delete_nothing(
    statements: list[dict[str, Any]],
) -> None:
    actions = {action for each in statements for action in each["Action"]}

    assert {"s3:PutObject", "s3:GetObject", "s3:RestoreObject", "secretsmanager:GetSecretValue"} <= actions
    for action in actions:
        assert "*" not in action
        assert action.split(":")[1].startswith(("Delete", "Bypass")) is (action == "ec2:DeleteNetworkInterface")
    writing = [each for each in statements if "s3:PutObject" in each["Action"]]
    assert len(writing) == 3
    assert all("Condition" in each for each in writing), "it creates backups and writes over none"
    wild = {action for each in statements if "*" in each["Resource"] for action in each["Action"]}
    assert wild == WILDCARDS


def test_no_policy_of_the_stack_has_a_wildcard_action(template: Template) -> None:
    for policy in template.all("AWS::IAM::Policy"):
        for each in statements_of(policy["PolicyDocument"]):
            assert not [action for action in each["Action"] if "*" in action]


def test_the_machine_is_standard_traced_and_logs_no_data(template: Template) -> None:
    machine = template.only("AWS::StepFunctions::StateMachine")

    assert machine["StateMachineType"] == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False


def test_the_machine_waits_while_the_archive_is_on_its_way() -> None:
    event = {"to": "ftry_staging", "tier": "monthly"}
    answers = iter([{"status": "retrieving"}, {"status": "retrieving"}, {"status": "restored", "rows": 3}])
    asked = []

    def invoke(_resource: str, payload: Any) -> Any:
        asked.append(payload)
        return next(answers)

    run = execute(restore_definition(function_arn="restore"), event, name="x", invoke=invoke)

    assert (run.status, run.output) == ("SUCCEEDED", {"status": "restored", "rows": 3})
    assert asked == [event, event, event], "each call gets the event as it was sent"
    assert run.states.count("WaitForArchive") == 2


def test_a_failed_restore_ends_the_machine_as_failed_with_its_reason() -> None:
    def invoke(_resource: str, _payload: Any) -> Any:
        raise TaskFailedError("refused", "The database exists and is not confirmed.")

    run = execute(restore_definition(function_arn="restore"), {"to": "ftry"}, name="x", invoke=invoke)

    assert (run.status, run.error) == ("FAILED", "refused")
    assert "not confirmed" in str(run.cause)
