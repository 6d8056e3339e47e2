"""What the auditor reads about restores to a point in time: who may do what, and where it runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import pytest

from dbbackup.contract import EnvKey
from dbbackup.contract_pitr import (
    HANDLER_PITR,
    HANDLER_PITR_PROMOTE,
    HANDLER_PITR_STEP,
    HANDLER_PITR_SWAP,
    HANDLER_PITR_VERIFY,
    ROLE_PRODUCTION,
    ROLE_REPLACED,
    ROLE_RESTORED,
    TAG_KEEP,
    TAG_ROLE,
    TAG_VERIFIED,
    PitrEnvKey,
    Repeated,
)
from dbbackup.core.pitr_names import aside_name, default_target
from devtools.local_pitr import read_recovery_system
from tests.infrastructure.synthesis import (
    Synthesized,
    Template,
    role_statements,
    settings_of,
    statements_of,
    synthesize,
)
from tests.infrastructure.test_real_cases import EXISTING_INSTANCE

FUNCTION = "AWS::Lambda::Function"
MACHINE = "AWS::StepFunctions::StateMachine"
HANDLERS = {
    "restore": HANDLER_PITR,
    "promote": HANDLER_PITR_PROMOTE,
    "step": HANDLER_PITR_STEP,
    "swap": HANDLER_PITR_SWAP,
    "verify": HANDLER_PITR_VERIFY,
}
INTERFACES = {
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}
NETWORK = {
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeVpcs",
}
OF_OTHERS = ("aws:ResourceTag/aws:cloudformation:stack-id", f"aws:ResourceTag/{TAG_KEEP}")
MOMENT = datetime(2026, 1, 11, 2, tzinfo=UTC)
TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


@pytest.fixture(scope="module")
def restore(prod: Synthesized) -> Template:
    return prod["restore"]


def function(template: Template, name: str) -> dict[str, Any]:
    (found,) = [each for each in template.all(FUNCTION) if each["FunctionName"] == f"ftry-prod-pitr-{name}"]
    return dict(found)


def allowed(template: Template, name: str) -> list[dict[str, Any]]:
    """What one function may do."""
    return [each for each in _statements(template, name) if each["Effect"] == "Allow"]


def _statements(template: Template, name: str) -> list[dict[str, Any]]:
    return role_statements(template, function(template, name)["Role"]["Fn::GetAtt"][0])


def statement(template: Template, name: str, sid: str) -> dict[str, Any]:
    (found,) = [each for each in _statements(template, name) if each.get("Sid") == sid]
    return found


def ends(resources: list[Any]) -> list[str]:
    """What ARNs end with."""
    return sorted(str(each["Fn::Join"][1][-1]).lstrip(":") for each in resources)


@pytest.mark.parametrize("name", HANDLERS)
def test_each_function_has_its_handler(restore: Template, name: str) -> None:
    found = function(restore, name)
    assert found["ImageConfig"] == {"Command": [HANDLERS[name]]}
    assert found["TracingConfig"] == {"Mode": "Active"}
    assert found["Environment"]["Variables"][PitrEnvKey.SOURCE.value] == "ftry-prod"
    known = {key.value for key in (*EnvKey, *PitrEnvKey)}
    assert set(found["Environment"]["Variables"]) <= known


def test_only_the_verification_is_inside_the_vpc(restore: Template) -> None:
    inside = [found["FunctionName"] for found in restore.all(FUNCTION) if "VpcConfig" in found]
    assert inside == ["ftry-prod-pitr-verify"]
    out, into = restore.only("AWS::EC2::SecurityGroupEgress"), restore.only("AWS::EC2::SecurityGroupIngress")
    assert out["DestinationSecurityGroupId"] == into["GroupId"]
    assert (into["FromPort"], into["ToPort"]) == (5432, 5432)
    variables = function(restore, "verify")["Environment"]["Variables"]
    assert variables[EnvKey.DB_SSLMODE.value] == "verify-full"
    assert variables[EnvKey.DB_SSLROOTCERT.value]


def test_no_action_is_a_wildcard_in_any_policy(restore: Template) -> None:
    policies = restore.all("AWS::IAM::Policy")
    assert len(policies) == 7
    for policy in policies:
        for each in statements_of(policy["PolicyDocument"]):
            assert not [action for action in each["Action"] if "*" in action], each
    for role in restore.all("AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in role
        assert "Policies" not in role


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("restore", TRACES),
        ("promote", TRACES),
        ("swap", TRACES),
        ("step", TRACES | NETWORK),
        ("verify", TRACES | INTERFACES),
    ],
)
def test_a_resource_is_a_wildcard_only_where_aws_has_none_finer(
    restore: Template, name: str, expected: set[str]
) -> None:
    found = {action for each in allowed(restore, name) if "*" in each["Resource"] for action in each["Action"]}
    assert found == expected


def test_only_what_was_restored_can_be_changed_or_deleted_by_a_restore(restore: Template) -> None:
    found = statement(restore, "step", "ChangeAndRemoveWhatWasRestored")
    assert set(found["Action"]) == {"rds:ModifyDBInstance", "rds:DeleteDBInstance"}
    assert ends(found["Resource"]) == ["db:ftry-prod-*"]
    assert found["Condition"] == {
        "StringEquals": {f"aws:ResourceTag/{TAG_ROLE}": ROLE_RESTORED},
        "Null": dict.fromkeys(OF_OTHERS, "true"),
    }


def test_an_instance_is_marked_as_restored_only_while_it_is_made(restore: Template) -> None:
    """Else production, put aside under a name that begins with its own, could be marked and then deleted."""
    marking = [each for each in allowed(restore, "step") if "rds:AddTagsToResource" in each["Action"]]
    assert {each["Sid"] for each in marking} == {"MarkWhatIsMade", "MarkAsVerified"}
    made, verified = (statement(restore, "step", sid) for sid in ("MarkWhatIsMade", "MarkAsVerified"))
    assert made["Condition"] == {
        "Null": dict.fromkeys((f"aws:ResourceTag/{TAG_ROLE}", *OF_OTHERS), "true"),
        "StringEquals": {f"aws:RequestTag/{TAG_ROLE}": ROLE_RESTORED},
    }
    assert verified["Condition"] == {
        "StringEquals": {f"aws:ResourceTag/{TAG_ROLE}": ROLE_RESTORED},
        "ForAllValues:StringEquals": {"aws:TagKeys": [TAG_VERIFIED]},
    }


def test_what_a_promotion_put_aside_is_out_of_reach_of_a_restore(restore: Template) -> None:
    refused = statement(restore, "step", "LeaveWhatWasPutAside")
    assert refused["Effect"] == "Deny"
    assert set(refused["Action"]) == {"rds:AddTagsToResource", "rds:ModifyDBInstance", "rds:DeleteDBInstance"}
    (name,) = ends(refused["Resource"])
    assert name == "db:ftry-prod-old-*"
    assert fnmatchcase(f"db:{aside_name('ftry-prod', MOMENT)}", name)
    assert not fnmatchcase(f"db:{default_target('ftry-prod', MOMENT)}", name)


def test_of_a_long_identifier_the_shorter_names_are_out_of_reach_too() -> None:
    long = "p" * 50
    settings = settings_of("prod", database__new_instance__identifier=long, rehearsal__enabled=False)
    found = synthesize(settings)["restore"]
    patterns = ends(statement(found, "step", "LeaveWhatWasPutAside")["Resource"])
    assert any(fnmatchcase(f"db:{aside_name(long, MOMENT)}", pattern) for pattern in patterns)
    assert not any(fnmatchcase(f"db:{default_target(long, MOMENT)}", pattern) for pattern in patterns)


def test_a_promotion_marks_what_is_to_be_kept_and_nothing_of_others_for_removal(restore: Template) -> None:
    kept, again = (statement(restore, "swap", sid) for sid in ("MarkAsKept", "MarkAsRestoredAgain"))
    assert kept["Condition"] == {"StringEquals": {f"aws:RequestTag/{TAG_ROLE}": [ROLE_PRODUCTION, ROLE_REPLACED]}}
    assert again["Condition"] == {
        "StringEquals": {
            f"aws:RequestTag/{TAG_ROLE}": ROLE_RESTORED,
            f"aws:ResourceTag/{TAG_ROLE}": ROLE_PRODUCTION,
        },
        "Null": dict.fromkeys(OF_OTHERS, "true"),
    }
    assert "db:ftry-prod" not in ends(again["Resource"])


def test_a_restore_reads_production_and_makes_what_is_named_after_it(restore: Template) -> None:
    assert ends(statement(restore, "step", "Restore")["Resource"]) == [
        "auto-backup:*",
        "db:ftry-prod",
        "db:ftry-prod-*",
        "og:*",
        "pg:*",
        "subgrp:*",
    ]
    assert ends(statement(restore, "step", "MarkWhatIsMade")["Resource"]) == ["db:ftry-prod-*"]


def test_who_may_do_what_to_instances(restore: Template) -> None:
    rights = {
        name: {action for each in allowed(restore, name) for action in each["Action"] if action.startswith("rds:")}
        for name in HANDLERS
    }
    see = {"rds:DescribeDBInstances"}
    assert rights == {
        "restore": see | {"rds:DescribeDBInstanceAutomatedBackups"},
        "promote": see,
        "step": see
        | {
            "rds:RestoreDBInstanceToPointInTime",
            "rds:ModifyDBInstance",
            "rds:DeleteDBInstance",
            "rds:AddTagsToResource",
        },
        "swap": see | {"rds:ModifyDBInstance", "rds:AddTagsToResource"},
        "verify": set(),
    }


def test_every_instance_that_is_named_is_production_or_named_after_it(restore: Template) -> None:
    for name in HANDLERS:
        for each in allowed(restore, name):
            named = [end for end in ends([one for one in each["Resource"] if "Fn::Join" in one]) if "db:" in end]
            assert set(named) <= {"db:ftry-prod", "db:ftry-prod-*"}, each


def test_entry_points_start_their_own_machine_only(restore: Template) -> None:
    machines = {
        found["StateMachineName"]: name
        for name, found in restore.resources(MACHINE).items()
        for found in [found["Properties"]]
    }
    for name, machine in (("restore", "ftry-prod-pitr"), ("promote", "ftry-prod-pitr-promote")):
        found = statement(restore, name, "StartExecutions")
        assert found["Resource"] == [{"Ref": machines[machine]}]
        assert ends(statement(restore, name, "SeeExecutions")["Resource"]) == [f"execution:{machine}:*"]


def test_the_role_handed_on_is_that_of_monitoring(restore: Template) -> None:
    found = statement(restore, "step", "HandOnMonitoringRole")
    assert found["Condition"] == {"StringEquals": {"iam:PassedToService": "monitoring.rds.amazonaws.com"}}
    assert "MonitoringRole" in found["Resource"][0]["Fn::ImportValue"]


def test_the_key_of_the_storage_is_given_to_rds_only(restore: Template) -> None:
    found = statement(restore, "step", "LetRdsUseStorageKey")
    assert found["Action"] == ["kms:CreateGrant"]
    assert found["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}
    assert found["Condition"]["StringEquals"] == {"kms:ViaService": "rds.us-east-1.amazonaws.com"}
    assert "PostgresKey" in found["Resource"][0]["Fn::ImportValue"]


def test_the_key_is_used_for_insights_and_nothing_else_by_a_restore(restore: Template) -> None:
    found = statement(restore, "step", "UseStorageKeyForInsights")
    assert found["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert found["Condition"] == {
        "StringEquals": {"kms:ViaService": "rds.us-east-1.amazonaws.com", "kms:EncryptionContext:service": "pi"}
    }


def test_the_secret_is_read_by_those_who_set_or_try_the_password_and_in_no_template(restore: Template) -> None:
    readers = [
        name
        for name in HANDLERS
        if any("secretsmanager:GetSecretValue" in each["Action"] for each in allowed(restore, name))
    ]
    assert sorted(readers) == ["step", "swap", "verify"]
    assert "{{resolve:" not in json.dumps(restore.body)


def test_machines_call_their_functions_only(restore: Template) -> None:
    ids = {found["Properties"]["FunctionName"]: name for name, found in restore.resources(FUNCTION).items()}
    for machine, functions in (("RestoreMachine", {"step", "verify"}), ("PromotionMachine", {"swap", "verify"})):
        (role,) = [name for name in restore.resources("AWS::IAM::Role") if machine in name]
        calls = [each for each in role_statements(restore, role) if "lambda:InvokeFunction" in each["Action"]]
        (found,) = calls
        assert {each["Fn::GetAtt"][0] for each in found["Resource"]} == {
            ids[f"ftry-prod-pitr-{name}"] for name in functions
        }


def test_machines_are_standard_traced_and_log_no_data(restore: Template) -> None:
    for found in restore.all(MACHINE):
        assert found["StateMachineType"] == "STANDARD"
        assert found["TracingConfiguration"] == {"Enabled": True}
        assert found["LoggingConfiguration"]["IncludeExecutionData"] is False
        assert found["LoggingConfiguration"]["Level"] == "ALL"
    for group in restore.all("AWS::Logs::LogGroup"):
        assert group["KmsKeyId"]
        assert group["RetentionInDays"] == 90
    assert len(restore.all("AWS::Logs::LogGroup")) == 7


SUCCEED_ALL_THE_SAME = {"MatchSettings", "Protect", "LogInAsProduction"}
"""What is not set is a difference in the report; where nobody gets in, the password is set once more."""


def test_every_task_is_caught_and_every_failure_ends_as_failed(prod: Synthesized) -> None:
    machines = read_recovery_system(prod.folder).machines
    assert set(machines) == {"ftry-prod-pitr", "ftry-prod-pitr-promote"}
    for definition in machines.values():
        states = definition["States"]
        for name, state in states.items():
            if state["Type"] == "Task":
                (catch,) = state["Catch"]
                assert catch["ErrorEquals"] == ["States.ALL"], name
                if name not in SUCCEED_ALL_THE_SAME:
                    assert not _can_succeed(states, catch["Next"]), f"a failure of {name} may end as succeeded"
                named = {error for each in state["Retry"] for error in each["ErrorEquals"]}
                assert {error for error in named if "." not in error} <= {each.value for each in Repeated}, name
                assert state["Retry"], name
        assert definition["TimeoutSeconds"] > 3600


def _can_succeed(states: dict[str, Any], start: str) -> bool:
    seen, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        state = states[name]
        if state["Type"] == "Succeed":
            return True
        following = [state.get("Next"), state.get("Default")]
        following += [each["Next"] for each in (*state.get("Choices", ()), *state.get("Catch", ()))]
        waiting += [each for each in following if each]
    return False


def test_an_existing_instance_is_restored_too() -> None:
    existing = {
        **EXISTING_INSTANCE,
        "storage_key_arn": "arn:aws:kms:us-east-1:123456789012:key/99999999-2222-3333-4444-555555555555",
        "monitoring_role_arn": "arn:aws:iam::123456789012:role/monitoring",
    }
    found = synthesize(
        settings_of(
            "prod", database__new_instance=None, database__existing_instance=existing, database__names=["orders"]
        )
    )["restore"]
    assert function(found, "step")["Environment"]["Variables"][PitrEnvKey.SOURCE.value] == "orders-main"
    assert statement(found, "step", "HandOnMonitoringRole")["Resource"] == [existing["monitoring_role_arn"]]
    assert statement(found, "step", "LetRdsUseStorageKey")["Resource"] == [existing["storage_key_arn"]]
    assert ends(statement(found, "step", "MarkWhatIsMade")["Resource"]) == ["db:orders-main-*"]


def test_settings_reach_the_functions() -> None:
    table = {"database": "ftry", "table": "public.orders", "timestamp_column": "created_at"}
    found = synthesize(
        settings_of(
            "prod",
            restore__verify_tables=[table],
            restore__time_limit_minutes=90,
            restore__objective_minutes=60,
            restore__rename_limit_minutes=10,
            restore__keep_failed_instance=True,
        )
    )["restore"]
    step = function(found, "step")["Environment"]["Variables"]
    assert step[PitrEnvKey.TIME_LIMIT_SECONDS.value] == "5400"
    assert step[PitrEnvKey.OBJECTIVE_SECONDS.value] == "3600"
    assert step[PitrEnvKey.KEEP_FAILED.value] == "true"
    assert function(found, "swap")["Environment"]["Variables"][PitrEnvKey.RENAME_LIMIT_SECONDS.value] == "600"
    verify = function(found, "verify")["Environment"]["Variables"]
    assert json.loads(verify[PitrEnvKey.VERIFY_TABLES.value]) == [table]
