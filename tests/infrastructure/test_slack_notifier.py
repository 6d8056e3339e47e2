"""The function that tells Slack: who calls it, what it may do, and where the webhook is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from constructs_lib.function_errors import PERIOD
from constructs_lib.notifier_alarms import PERIODS
from dbbackup.contract import EnvKey
from dbbackup.contract_notification import KILLED_FILTER, LOG_FILTER, Kind, NotifyEnvKey, killed_filter_name
from stacks.settings.monitoring import MonitoringSettings
from tests.infrastructure.synthesis import Synthesized, Template, role_statements, settings_of, synthesize

SECRET = {"Ref": "SlackWebhook2D5A9A71"}
FUNCTION = "SlackNotifyFunctionD6524451"
RETRIES = {"Fn::GetAtt": ["SlackRetriesEACD3734", "Arn"]}
LOG_OF = {"backup": "BackupLogEBA2CD38", "restore-dump": "DumpRestoreLog"}


@pytest.fixture(scope="module")
def notification(prod: Synthesized) -> Template:
    return prod["notification"]


@pytest.fixture(scope="module")
def statements(notification: Template) -> dict[str, dict[str, Any]]:
    (role,) = [name for name in notification.resources("AWS::IAM::Role") if "SlackNotifyRole" in name]
    return {found.get("Sid", str(found["Action"])): found for found in role_statements(notification, role)}


def _queue(notification: Template, name: str) -> dict[str, Any]:
    (found,) = [queue for queue in notification.all("AWS::SQS::Queue") if queue["QueueName"] == name]
    return found


def test_the_secret_is_made_empty_and_encrypted_with_the_key_of_the_topic(notification: Template) -> None:
    assert notification.only("AWS::SecretsManager::Secret") == {
        "Name": "ftry-prod/slack-webhook",
        "Description": "Slack webhook of the notifier: put its URL here",
        "KmsKeyId": {"Fn::GetAtt": ["AlarmsKey3C2381B3", "Arn"]},
        "Tags": [
            {"Key": "Environment", "Value": "prod"},
            {"Key": "ManagedBy", "Value": "postgres-recovery"},
            {"Key": "System", "Value": "ftry"},
        ],
    }


def test_the_webhook_is_in_no_template_and_no_variable(prod: Synthesized, notification: Template) -> None:
    variables = notification.only("AWS::Lambda::Function")["Environment"]["Variables"]
    assert variables[NotifyEnvKey.SECRET_ARN.value] == SECRET
    for part in prod.parts:
        text = json.dumps(prod[part].body)
        assert "hooks.slack.com" not in text
        assert "resolve:secretsmanager" not in text or part == "database"


def test_the_function_is_told_all_it_reads(notification: Template) -> None:
    variables = notification.only("AWS::Lambda::Function")["Environment"]["Variables"]
    assert {key.value for key in NotifyEnvKey} <= set(variables)
    assert variables[EnvKey.ENVIRONMENT.value] == "prod"
    assert variables[NotifyEnvKey.SUCCESSES.value] == "first-after-failure"
    assert variables[NotifyEnvKey.RUNBOOK_BASE_URL.value] == MonitoringSettings().runbook_base_url
    contacts = json.loads(variables[NotifyEnvKey.CONTACTS.value])
    assert [contact["role"] for contact in contacts] == ["DB Admin", "DevOps", "AWS Support", "On-Call"]


def test_the_function_is_outside_the_vpc_and_few_run_at_once(notification: Template) -> None:
    function = notification.only("AWS::Lambda::Function")
    assert "VpcConfig" not in function
    assert function["ReservedConcurrentExecutions"] == 3
    assert function["ImageConfig"]["Command"] == ["dbbackup.handlers.notify.handler"]
    assert function["Timeout"] == 180


def test_an_event_that_fails_is_repeated_and_then_kept(notification: Template) -> None:
    assert notification.only("AWS::Lambda::EventInvokeConfig") == {
        "DestinationConfig": {"OnFailure": {"Destination": RETRIES}},
        "FunctionName": {"Ref": FUNCTION},
        "MaximumEventAgeInSeconds": 3600,
        "MaximumRetryAttempts": 2,
        "Qualifier": "$LATEST",
    }


def test_what_was_kept_is_given_to_it_again_one_by_one_for_a_day(notification: Template) -> None:
    source = notification.only("AWS::Lambda::EventSourceMapping")
    assert source["EventSourceArn"] == RETRIES
    assert source["FunctionName"] == {"Ref": FUNCTION}
    # An event that fails is then an error of the function, and an answer about parts of a batch would be none.
    assert source["BatchSize"] == 1
    assert "FunctionResponseTypes" not in source
    # What is repeated leaves room for what is new.
    function = notification.only("AWS::Lambda::Function")
    assert source["ScalingConfig"]["MaximumConcurrency"] < function["ReservedConcurrentExecutions"]
    queue = _queue(notification, "ftry-prod-notify-retries")
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
    assert queue["VisibilityTimeout"] < 60 * PERIODS * PERIOD.to_minutes(), "the alarm would end between two repeats"
    times = queue["RedrivePolicy"]["maxReceiveCount"]
    assert 24 <= times * queue["VisibilityTimeout"] / 3600 < 25
    assert queue["MessageRetentionPeriod"] > times * queue["VisibilityTimeout"]
    assert notification.only("AWS::Lambda::Function")["Environment"]["Variables"][NotifyEnvKey.QUEUE_URL.value] == {
        "Ref": RETRIES["Fn::GetAtt"][0]
    }


def test_what_was_given_up_is_kept_and_never_in_the_clear(notification: Template) -> None:
    last = _queue(notification, "ftry-prod-notify-dead-letters")
    policy = _queue(notification, "ftry-prod-notify-retries")["RedrivePolicy"]
    (name,) = [name for name, found in notification.resources("AWS::SQS::Queue").items() if found["Properties"] == last]
    assert policy["deadLetterTargetArn"] == {"Fn::GetAtt": [name, "Arn"]}
    assert last["MessageRetentionPeriod"] == 14 * 86400
    for queue in notification.all("AWS::SQS::Queue"):
        assert queue["SqsManagedSseEnabled"] is True
    denied = [found["PolicyDocument"]["Statement"] for found in notification.all("AWS::SQS::QueuePolicy")]
    assert len(denied) == 2
    for (statement,) in denied:
        assert statement["Effect"] == "Deny"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_it_may_use_one_queue_and_not_the_last(statements: dict[str, dict[str, Any]]) -> None:
    queues = [found for found in statements.values() if any(each.startswith("sqs:") for each in found["Action"])]
    assert queues
    for found in queues:
        assert found["Resource"] == [RETRIES]
    actions = {action for found in queues for action in found["Action"]}
    assert {"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"} <= actions
    assert "sqs:PurgeQueue" not in actions


def test_the_topic_calls_it_and_nobody_else_may_in_its_stack(notification: Template) -> None:
    (subscription,) = notification.all("AWS::SNS::Subscription")
    assert subscription["Protocol"] == "lambda"
    assert subscription["Endpoint"] == {"Fn::GetAtt": [FUNCTION, "Arn"]}
    permission = notification.only("AWS::Lambda::Permission")
    assert permission["Principal"] == "sns.amazonaws.com"
    assert permission["SourceArn"] == subscription["TopicArn"]


@pytest.mark.parametrize("part", ["backup", "restore-dump"])
def test_the_log_of_each_function_in_the_vpc_is_read_and_no_other(prod: Synthesized, part: str) -> None:
    template = prod[part]
    subscriptions = template.all("AWS::Logs::SubscriptionFilter")
    subscription = subscriptions[0]
    assert {found["FilterPattern"] for found in subscriptions} == {LOG_FILTER, KILLED_FILTER}
    assert len(subscriptions) == 2, "a log group takes no more"
    for found in subscriptions:
        assert found["LogGroupName"] == subscription["LogGroupName"]
        assert found["DestinationArn"] == subscription["DestinationArn"]
    assert subscription["LogGroupName"]["Ref"].startswith(LOG_OF[part])
    (permission,) = [
        found for found in template.all("AWS::Lambda::Permission") if found["Principal"] == "logs.amazonaws.com"
    ]
    assert permission["SourceArn"] == {"Fn::GetAtt": [subscription["LogGroupName"]["Ref"], "Arn"]}
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert permission["FunctionName"] == subscription["DestinationArn"]
    for resource in template.resources("AWS::Logs::SubscriptionFilter").values():
        assert resource["DependsOn"] == [
            name
            for name, found in template.resources("AWS::Lambda::Permission").items()
            if found["Properties"] == permission
        ]


@pytest.mark.parametrize(("part", "kind"), [("backup", Kind.BACKUP), ("restore-dump", Kind.RESTORE)])
def test_a_killed_run_is_handed_over_as_what_it_was(prod: Synthesized, part: str, kind: Kind) -> None:
    (killed,) = [
        found for found in prod[part].all("AWS::Logs::SubscriptionFilter") if found["FilterPattern"] == KILLED_FILTER
    ]
    assert killed["FilterName"] == killed_filter_name(kind)
    # What the pattern looks for is the text that Lambda writes in its text format, which is the default.
    functions = [found for found in prod[part].all("AWS::Lambda::Function") if "LoggingConfig" in found]
    assert [found["LoggingConfig"].get("LogFormat", "Text") for found in functions] == ["Text"]


def test_it_may_read_one_secret(statements: dict[str, dict[str, Any]]) -> None:
    assert statements["ReadWebhook"]["Action"] == ["secretsmanager:GetSecretValue"]
    assert statements["ReadWebhook"]["Resource"] == [SECRET]
    decrypt = statements["DecryptWebhook"]
    assert decrypt["Action"] == ["kms:Decrypt"]
    assert decrypt["Resource"] == [{"Fn::GetAtt": ["AlarmsKey3C2381B3", "Arn"]}]
    assert decrypt["Condition"] == {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}


def test_it_may_do_to_everything_only_what_has_nothing_finer(statements: dict[str, dict[str, Any]]) -> None:
    wide = [action for found in statements.values() if found["Resource"] == ["*"] for action in found["Action"]]
    assert sorted(wide) == [
        # Refused for composite alarms where it is scoped to anything below *.
        "cloudwatch:DescribeAlarmHistory",
        "cloudwatch:GetMetricData",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ]
    assert not any("*" in action for found in statements.values() for action in found["Action"])


def test_nobody_reads_slack_of_dev(dev: Synthesized) -> None:
    assert dev["notification"].all("AWS::Lambda::Function") == []
    assert dev["notification"].all("AWS::SecretsManager::Secret") == []
    assert dev["backup"].all("AWS::Logs::SubscriptionFilter") == []


def test_a_secret_of_one_s_own_is_read_with_its_key_and_none_is_made() -> None:
    secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:team/slack-AbCdEf"
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    slack = {"secret_arn": secret, "secret_key_arn": key, "successes": "all"}
    template = synthesize(settings_of("prod", notification__slack=slack))["notification"]
    assert template.all("AWS::SecretsManager::Secret") == []
    variables = template.only("AWS::Lambda::Function")["Environment"]["Variables"]
    assert variables[NotifyEnvKey.SECRET_ARN.value] == secret
    assert variables[NotifyEnvKey.SUCCESSES.value] == "all"
    (role,) = [name for name in template.resources("AWS::IAM::Role") if "SlackNotifyRole" in name]
    found = {each.get("Sid"): each for each in role_statements(template, role)}
    assert found["ReadWebhook"]["Resource"] == [secret]
    assert found["DecryptWebhook"]["Resource"] == [key]
