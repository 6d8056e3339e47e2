"""The notifier, invoked as a topic and a log do it, with a secret and a Slack of its own."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from dbbackup.adapters import later_queue
from dbbackup.contract import METRICS_NAMESPACE, SERVICE, EnvKey
from dbbackup.contract_notification import LOG_FIELD, NotifyEnvKey
from dbbackup.core.notification import Notification
from dbbackup.handlers.notify import handler
from devtools.aws import LocalAws
from tests.support.function import log_here

_numbers = count(1)
CONTACTS = [
    {"role": "DB Admin", "contact": "dba@example.com", "responsibility": "restores, roles and schema"},
    {"role": "On-Call", "contact": "oncall@example.com", "responsibility": "first to be called, at any hour"},
]


class _Context:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


@dataclass(frozen=True)
class Notifier:
    """A deployed notifier: its environment is set, its secret exists."""

    aws: LocalAws
    secret: str
    queue: str

    def invoke(self, event: Any, *, seconds: float = 180) -> dict[str, Any]:
        """One invocation with this much time left."""
        log_here()
        return handler(event, cast("LambdaContext", _Context(seconds)))

    def kept(self) -> list[dict[str, Any]]:
        """The events that wait in the queue; it is empty afterwards, as if their time had come."""
        sqs, found = self.aws.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(by_queue(message["Body"]))
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return found

    def store_secret(self, content: str) -> None:
        """Change what the secret holds."""
        self.aws.client("secretsmanager").put_secret_value(SecretId=self.secret, SecretString=content)


def deploy_notifier(aws: LocalAws, monkeypatch: pytest.MonkeyPatch, webhook: str | None, **changes: str) -> Notifier:
    """Set everything that the infrastructure sets; without a webhook the secret is as the stack makes it."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(later_queue, "SECONDS_LATER", 0)
    given = {"SecretString": webhook} if webhook is not None else {}
    secret = aws.client("secretsmanager").create_secret(Name=f"test/slack-webhook-{next(_numbers)}", **given)["ARN"]
    queue = aws.client("sqs").create_queue(QueueName=f"retries-{next(_numbers)}")["QueueUrl"]
    environment: dict[str, str] = {
        EnvKey.ENVIRONMENT: "test",
        NotifyEnvKey.SECRET_ARN: secret,
        NotifyEnvKey.SUCCESSES: "first-after-failure",
        NotifyEnvKey.RUNBOOK_BASE_URL: "https://wiki.example.com/runbooks",
        NotifyEnvKey.CONTACTS: json.dumps(CONTACTS),
        NotifyEnvKey.QUEUE_URL: queue,
        EnvKey.METRICS_NAMESPACE: METRICS_NAMESPACE,
        EnvKey.SERVICE_NAME: SERVICE,
        "AWS_REGION": "us-east-1",
    }
    for name, value in {**environment, **changes}.items():
        monkeypatch.setenv(name, value)
    return Notifier(aws, secret, queue)


def by_topic(*messages: str | dict[str, Any], subject: str | None = None) -> dict[str, Any]:
    """The event of messages of a topic."""
    texts = [message if isinstance(message, str) else json.dumps(message) for message in messages]
    shared = {"Subject": subject, "Timestamp": "2026-01-11T02:05:01.500Z"}
    return {"Records": [{"EventSource": "aws:sns", "Sns": {**shared, "Message": text}} for text in texts]}


def by_queue(body: str) -> dict[str, Any]:
    """The event of a message of the queue.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    record = {"messageId": "1", "receiptHandle": "x", "body": body, "eventSource": "aws:sqs", "awsRegion": "us-east-1"}
    return {"Records": [record]}


def given_up(event: dict[str, Any]) -> dict[str, Any]:
    """The event with what Lambda puts into the queue when it has repeated another event in vain.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    kept = {
        "version": "1.0",
        "timestamp": "2026-01-11T02:08:05.568Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:ftry-test-notify:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "x", "errorType": "UndeliveredError"},
    }
    return by_queue(json.dumps(kept))


def by_log(*notifications: Notification, group: str = "/aws/lambda/ftry-test-backup") -> dict[str, Any]:
    """The event of lines of a log, as the functions write them."""
    lines = [
        {"level": "INFO", "message": "x", LOG_FIELD: told.model_dump(mode="json", exclude_none=True)}
        for told in notifications
    ]
    return log_event([json.dumps(line) for line in lines], group=group)


def log_event(
    lines: list[str], *, group: str = "/aws/lambda/g", kind: str = "DATA_MESSAGE", subscription: str = "notices"
) -> dict[str, Any]:
    """The event of a subscription of a log."""
    document = {
        "messageType": kind,
        "logGroup": group,
        "logStream": "2026/01/11/[$LATEST]abc",
        "subscriptionFilters": [subscription],
        "logEvents": [{"id": "1", "timestamp": 1768096800123, "message": line} for line in lines],
    }
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()}}


def alarm(name: str = "ftry-test-backup-errors", state: str = "ALARM", **changes: Any) -> dict[str, Any]:
    """What CloudWatch publishes when an alarm changes its state."""
    return {
        "AlarmName": name,
        "AlarmDescription": "A backup failed. What to do: https://wiki.example.com/runbooks/backup-errors.md",
        "AWSAccountId": "123456789012",
        "NewStateValue": state,
        "OldStateValue": "OK" if state == "ALARM" else "ALARM",
        "NewStateReason": "Threshold Crossed: 1 datapoint [1.0 (11/01/26 02:00:00)] was greater than the threshold.",
        "StateChangeTime": "2026-01-11T02:05:00.123+0000",
        "Region": "US East (N. Virginia)",
        "AlarmArn": f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}",
        "Trigger": {"MetricName": "BackupFailure", "Namespace": "DatabaseBackup"},
        **changes,
    }
