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

    def invoke(self, event: Any, *, seconds: float = 180) -> dict[str, Any]:
        """One invocation with this much time left."""
        log_here()
        return handler(event, cast("LambdaContext", _Context(seconds)))

    def store_secret(self, content: str) -> None:
        """Change what the secret holds."""
        self.aws.client("secretsmanager").put_secret_value(SecretId=self.secret, SecretString=content)


def deploy_notifier(aws: LocalAws, monkeypatch: pytest.MonkeyPatch, webhook: str | None, **changes: str) -> Notifier:
    """Set everything that the infrastructure sets; without a webhook the secret is as the stack makes it."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    given = {"SecretString": webhook} if webhook is not None else {}
    secret = aws.client("secretsmanager").create_secret(Name=f"test/slack-webhook-{next(_numbers)}", **given)["ARN"]
    environment: dict[str, str] = {
        EnvKey.ENVIRONMENT: "test",
        NotifyEnvKey.SECRET_ARN: secret,
        NotifyEnvKey.SUCCESSES: "first-after-failure",
        NotifyEnvKey.RUNBOOK_BASE_URL: "https://wiki.example.com/runbooks",
        NotifyEnvKey.CONTACTS: json.dumps(CONTACTS),
        EnvKey.METRICS_NAMESPACE: METRICS_NAMESPACE,
        EnvKey.SERVICE_NAME: SERVICE,
        "AWS_REGION": "us-east-1",
    }
    for name, value in {**environment, **changes}.items():
        monkeypatch.setenv(name, value)
    return Notifier(aws, secret)


def by_topic(*messages: str | dict[str, Any], subject: str | None = None) -> dict[str, Any]:
    """The event of messages of a topic."""
    texts = [message if isinstance(message, str) else json.dumps(message) for message in messages]
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Subject": subject, "Message": text}} for text in texts]}


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
