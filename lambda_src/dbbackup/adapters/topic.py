"""The topic that tells people how it ended."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config

from dbbackup.adapters.rds import calling
from dbbackup.contract_notification import LOG_FIELD
from dbbackup.core.message_links import execution_page
from dbbackup.core.notification import Notification

LONGEST_SUBJECT = 99
"""SNS takes fewer than 100 characters. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""


def make_client() -> Any:
    """An SNS client."""
    return boto3.client(
        "sns", config=Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=10)
    )


class SnsTopic:
    """One topic; none where the ARN is empty.

    Args:
        client: an SNS client.
        arn: of the topic.
        execution: ARN of the execution that all this is about; None where it is about none.
    """

    def __init__(self, client: Any, arn: str, *, execution: str | None = None) -> None:
        self._client = client
        self._arn = arn
        self._execution = execution

    def publish(self, subject: str, text: str, notification: Notification) -> None:
        """Tell everybody who listens: people read the text, functions the notification.

        Each protocol may get a text of its own: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html

        Raises:
            DbBackupError: SNS refuses.
        """
        if self._arn:
            told = notification.model_copy(update={"execution": self._execution})
            document = {LOG_FIELD: told.model_dump(mode="json", exclude_none=True)}
            page = execution_page(self._execution)
            messages = {
                "default": f"{text}\nExecution: {page}" if page else text,
                "lambda": json.dumps(document),
            }
            with calling("Publish", self._arn):
                self._client.publish(
                    TopicArn=self._arn,
                    Subject=subject[:LONGEST_SUBJECT],
                    MessageStructure="json",
                    Message=json.dumps(messages),
                )
