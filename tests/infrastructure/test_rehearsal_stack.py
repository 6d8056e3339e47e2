"""What the auditor reads about rehearsals: when, who may do what, and who is told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dbbackup.contract import METRICS_NAMESPACE, SCHEDULED_TIME_PLACEHOLDER, EnvKey
from dbbackup.contract_pitr import TAG_ROLE
from dbbackup.contract_rehearsal import (
    HANDLER_REHEARSAL_CHECK,
    HANDLER_REHEARSAL_RECORD,
    HANDLER_REHEARSAL_STEP,
    HANDLER_REHEARSAL_WATCH,
    ROLE_REHEARSAL,
    RehearsalEnvKey,
    rehearsal_dimensions,
)
from devtools.local_rehearsal import read_rehearsal_system
from stacks.settings.refusal import SettingsError
from tests.infrastructure.synthesis import Synthesized, Template, role_statements, settings_of, synthesize

ROOT = Path(__file__).resolve().parents[2]
FUNCTION = "AWS::Lambda::Function"
HANDLERS = {
    "step": HANDLER_REHEARSAL_STEP,
    "check": HANDLER_REHEARSAL_CHECK,
    "record": HANDLER_REHEARSAL_RECORD,
    "watch": HANDLER_REHEARSAL_WATCH,
}


@pytest.fixture(scope="module")
def rehearsal(prod: Synthesized) -> Template:
    return prod["rehearsal"]


@pytest.fixture(scope="module")
def alarms(rehearsal: Template) -> dict[str, dict[str, Any]]:
    return {
        found["AlarmName"].removeprefix("ftry-prod-rehearsal-"): found
        for found in rehearsal.all("AWS::CloudWatch::Alarm")
    }


def function(template: Template, name: str) -> dict[str, Any]:
    (found,) = [each for each in template.all(FUNCTION) if each["FunctionName"] == f"ftry-prod-rehearsal-{name}"]
    return dict(found)


def allowed(template: Template, name: str) -> list[dict[str, Any]]:
    """What one function may do."""
    role = function(template, name)["Role"]["Fn::GetAtt"][0]
    return [each for each in role_statements(template, role) if each["Effect"] == "Allow"]


def actions(template: Template, name: str, service: str) -> set[str]:
    return {action for each in allowed(template, name) for action in each["Action"] if action.startswith(service)}


def ends(resources: list[Any]) -> list[str]:
    """What ARNs end with."""
    return sorted(str(each["Fn::Join"][1][-1]).lstrip(":") for each in resources)


def statement(template: Template, name: str, sid: str) -> dict[str, Any]:
    (found,) = [each for each in allowed(template, name) if each.get("Sid") == sid]
    return found


def test_a_rehearsal_two_hours_after_the_monthly_dump_and_a_look_every_day(
    rehearsal: Template, prod: Synthesized
) -> None:
    schedules = {found["Name"]: found for found in rehearsal.all("AWS::Scheduler::Schedule")}
    assert {name: found["ScheduleExpression"] for name, found in schedules.items()} == {
        "rehearsal": "cron(0 6 1 * ? *)",
        "watch": "cron(0 7 * * ? *)",
    }
    monthly = [each for each in prod["backup"].all("AWS::Scheduler::Schedule") if each["Name"].startswith("monthly")]
    assert [each["ScheduleExpression"] for each in monthly] == ["cron(0 4 1 * ? *)"]
    for found in schedules.values():
        assert (found["State"], found["ScheduleExpressionTimezone"]) == ("ENABLED", "UTC")
        assert json.loads(found["Target"]["Input"]) == {"scheduled_time": SCHEDULED_TIME_PLACEHOLDER}
    (machine,) = rehearsal.resources("AWS::StepFunctions::StateMachine")
    assert schedules["rehearsal"]["Target"]["Arn"] == {"Ref": machine}


def test_the_schedules_may_start_these_two_only(rehearsal: Template) -> None:
    role = rehearsal.all("AWS::Scheduler::Schedule")[0]["Target"]["RoleArn"]["Fn::GetAtt"][0]
    found = {action: each["Resource"] for each in role_statements(rehearsal, role) for action in each["Action"]}
    (machine,) = rehearsal.resources("AWS::StepFunctions::StateMachine")
    assert set(found) == {"states:StartExecution", "lambda:InvokeFunction"}
    assert found["states:StartExecution"] == [{"Ref": machine}]
    assert "Watch" in found["lambda:InvokeFunction"][0]["Fn::GetAtt"][0]


@pytest.mark.parametrize("name", HANDLERS)
def test_each_function_has_its_handler_and_known_variables(rehearsal: Template, name: str) -> None:
    found = function(rehearsal, name)
    assert found["ImageConfig"] == {"Command": [HANDLERS[name]]}
    assert set(found["Environment"]["Variables"]) <= {key.value for key in (*EnvKey, *RehearsalEnvKey)}
    assert found["Environment"]["Variables"][RehearsalEnvKey.SOURCE.value] == "ftry-prod"


def test_only_what_speaks_sql_is_in_the_vpc_with_room_for_a_dump(rehearsal: Template) -> None:
    inside = [found["FunctionName"] for found in rehearsal.all(FUNCTION) if "VpcConfig" in found]
    assert inside == ["ftry-prod-rehearsal-check"]
    check = function(rehearsal, "check")
    assert (check["EphemeralStorage"], check["Timeout"]) == ({"Size": 10240}, 900)
    assert check["Environment"]["Variables"][EnvKey.DB_SSLMODE.value] == "verify-full"


def test_nothing_of_a_bucket_is_ever_deleted_and_evidence_is_all_that_is_written(rehearsal: Template) -> None:
    assert {name: actions(rehearsal, name, "s3:") for name in HANDLERS} == {
        "step": set(),
        "check": {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"},
        "record": {"s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:PutObjectRetention"},
        "watch": {"s3:GetObject", "s3:ListBucket"},
    }
    assert "s3:Delete" not in json.dumps(rehearsal.body)
    assert "BypassGovernance" not in json.dumps(rehearsal.body)
    written = statement(rehearsal, "record", "AddLockedEvidence")
    assert ends(written["Resource"]) == ["/evidence/*"]
    not_longer = {"NumericLessThanEquals": {"s3:object-lock-remaining-retention-days": "366"}}
    assert written["Condition"] == {**not_longer, "Null": {"s3:if-none-match": "false"}}
    assert statement(rehearsal, "record", "LockEvidence")["Condition"] == not_longer
    for name in ("record", "watch"):
        assert ends(statement(rehearsal, name, "ReadEvidence")["Resource"]) == ["/evidence/*"]
        assert statement(rehearsal, name, "FindEvidence")["Condition"] == {
            "StringLike": {"s3:prefix": ["evidence/", "evidence/*"]}
        }


def test_who_may_do_what_to_instances(rehearsal: Template) -> None:
    assert {name: actions(rehearsal, name, "rds:") for name in HANDLERS} == {
        "step": {
            "rds:DescribeDBInstances",
            "rds:DescribeDBInstanceAutomatedBackups",
            "rds:RestoreDBInstanceToPointInTime",
            "rds:ModifyDBInstance",
            "rds:DeleteDBInstance",
            "rds:AddTagsToResource",
        },
        "check": set(),
        "record": set(),
        "watch": {"rds:DescribeDBInstances"},
    }


def test_only_temporary_instances_can_be_marked_changed_or_deleted(rehearsal: Template) -> None:
    found = statement(rehearsal, "step", "ChangeAndRemoveWhatWasRestored")
    assert set(found["Action"]) == {"rds:ModifyDBInstance", "rds:DeleteDBInstance"}
    assert ends(found["Resource"]) == ["db:ftry-prod-rehearsal-*"]
    assert found["Condition"]["StringEquals"] == {f"aws:ResourceTag/{TAG_ROLE}": ROLE_REHEARSAL}
    made = statement(rehearsal, "step", "MarkWhatIsMade")["Condition"]
    assert made["StringEquals"] == {f"aws:RequestTag/{TAG_ROLE}": ROLE_REHEARSAL}
    assert made["Null"][f"aws:ResourceTag/{TAG_ROLE}"] == "true"
    assert ends(statement(rehearsal, "step", "MarkWhatIsMade")["Resource"]) == ["db:ftry-prod-rehearsal-*"]
    restore = ends(statement(rehearsal, "step", "Restore")["Resource"])
    assert [end for end in restore if end.startswith("db:")] == ["db:ftry-prod", "db:ftry-prod-rehearsal-*"]


def test_the_secret_is_read_by_two_functions(rehearsal: Template) -> None:
    assert [name for name in HANDLERS if actions(rehearsal, name, "secretsmanager:GetSecretValue")] == ["step", "check"]


def test_no_action_is_a_wildcard_and_a_resource_only_where_aws_has_none_finer(rehearsal: Template) -> None:
    finest = ("xray:", "ec2:")
    for name in HANDLERS:
        for each in allowed(rehearsal, name):
            assert not [action for action in each["Action"] if "*" in action]
            if "*" in each["Resource"]:
                assert all(action.startswith(finest) for action in each["Action"]), each


def test_every_failure_is_cleaned_up_recorded_and_ends_as_failed(prod: Synthesized) -> None:
    definition = read_rehearsal_system(prod.folder).definition
    states = definition["States"]
    caught = {
        name: state["Catch"][0]["Next"]
        for name, state in states.items()
        if state["Type"] == "Task" and state["Catch"][0]["ErrorEquals"] == ["States.ALL"]
    }
    tasks = {name for name, state in states.items() if state["Type"] == "Task"}
    # A setting that cannot be set is evidence, and no failure.
    last = {"MatchSettings": "SetPassword", "CleanUp": "Record", "IsGone": "Record", "Record": "Unrecorded"}
    assert caught == {name: last.get(name, "CleanUp") for name in tasks}
    assert states["RestoreDump1"]["Next"] == "CleanUp", "clean-up follows success, too"
    assert states["Failed"]["Type"] == states["Unrecorded"]["Type"] == "Fail"
    assert definition["TimeoutSeconds"] > 4 * 3600


def test_every_database_has_a_state_of_its_own() -> None:
    synthesized = synthesize(settings_of("prod", database__names=["ftry", "audit"]))
    states = read_rehearsal_system(synthesized.folder).definition["States"]
    assert [states[f"RestoreDump{number}"]["Parameters"]["database"] for number in (1, 2)] == ["ftry", "audit"]
    assert [states[f"RestoreDump{number}"]["Next"] for number in (1, 2)] == ["RestoreDump2", "CleanUp"]
    assert [states[f"RestoreDump{number}"]["ResultPath"] for number in (1, 2)] == ["$.plane_1", "$.plane_2"]


def test_there_are_four_alarms_that_are_heard_and_lead_to_a_page(
    alarms: dict[str, dict[str, Any]], prod: Synthesized
) -> None:
    assert set(alarms) == {"failed", "missing", "leftover", "too-slow"}
    index = (ROOT / "docs/runbooks/README.md").read_text()
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"], name
        assert "AlarmsTopic" in alarm["AlarmActions"][0]["Fn::ImportValue"]
        (page,) = re.findall(r"What to do: (docs/runbooks/[\w-]+\.md)$", alarm["AlarmDescription"])
        assert (ROOT / page).is_file(), page
        assert f"({Path(page).name})" in index
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"


@pytest.mark.parametrize(
    ("name", "metric", "threshold", "of", "missing"),
    [
        ("missing", "RehearsalAgeDays", 35, (2, 2), "breaching"),
        ("leftover", "RehearsalLeftovers", 0, (2, 1), "notBreaching"),
    ],
)
def test_what_the_watch_tells_is_evaluated_over_two_days(
    alarms: dict[str, dict[str, Any]], name: str, metric: str, threshold: int, of: tuple[int, int], missing: str
) -> None:
    alarm = alarms[name]
    assert (alarm["Namespace"], alarm["MetricName"]) == (METRICS_NAMESPACE, metric)
    assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == rehearsal_dimensions("prod", "ftry-prod")
    assert (alarm["Threshold"], alarm["TreatMissingData"], alarm["Period"]) == (threshold, missing, 86400)
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == of


def test_a_failure_is_heard_from_the_function_and_from_the_machine(alarms: dict[str, dict[str, Any]]) -> None:
    alarm = alarms["failed"]
    metrics = {
        each["MetricStat"]["Metric"]["MetricName"]: each["MetricStat"]["Metric"]["Namespace"]
        for each in alarm["Metrics"]
        if "MetricStat" in each
    }
    assert metrics == {
        "RehearsalFailure": METRICS_NAMESPACE,
        "ExecutionsFailed": "AWS/States",
        "ExecutionsTimedOut": "AWS/States",
        "ExecutionsAborted": "AWS/States",
    }
    assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (0, 1, "notBreaching")


def test_the_objective_is_that_of_the_settings() -> None:
    found = synthesize(settings_of("prod", restore__objective_minutes=45, rehearsal__missing_days=40))["rehearsal"]
    alarms = {each["AlarmName"]: each for each in found.all("AWS::CloudWatch::Alarm")}
    slow = alarms["ftry-prod-rehearsal-too-slow"]
    assert slow["Threshold"] == 45 * 60
    planes = [
        {each["Name"]: each["Value"] for each in found["MetricStat"]["Metric"]["Dimensions"]}
        for found in slow["Metrics"]
        if "MetricStat" in found
    ]
    assert planes == [rehearsal_dimensions("prod", "ftry-prod", plane) for plane in ("point-in-time", "dump")]
    assert alarms["ftry-prod-rehearsal-missing"]["Threshold"] == 40


def test_it_can_be_turned_off() -> None:
    assert "rehearsal" not in synthesize(settings_of("prod", rehearsal__enabled=False)).parts


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rehearsal__checks": [{"database": "other", "name": "x", "statement": "SELECT 1"}]}, "one of database.names"),
        (
            {"rehearsal__checks": [{"database": "ftry", "name": "x", "statement": "DELETE FROM x"}]},
            "begins with SELECT",
        ),
        ({"rehearsal__instance_class": "small"}, "db.FAMILY.SIZE"),
        ({"rehearsal__scratch_mib": 20480}, "/tmp"),
        ({"database__new_instance__identifier": "a" * 43}, "up to 42"),
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        settings_of("prod", **changes)
