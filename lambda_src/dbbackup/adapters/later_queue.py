"""The queue that gives an event to the notifier again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import boto3
from botocore.config import Config

from dbbackup.adapters.rds import calling

SECONDS_LATER: Final = 60
"""Before the first time: what was slow just now may have recovered."""


def make_client() -> Any:
    """An SQS client that gives up within seconds, as the function's time is nearly up when it is needed."""
    return boto3.client(
        "sqs", config=Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=3)
    )


class SqsLaterQueue:
    """One queue, whose messages are documents with the event in one field.

    Args:
        client: an SQS client.
        url: of the queue.
        field: name of the field.
    """

    def __init__(self, client: Any, url: str, *, field: str) -> None:
        self._client = client
        self._url = url
        self._field = field

    def put(self, event: Mapping[str, Any]) -> None:
        """Keep an event.

        Raises:
            DbBackupError: SQS refuses.
        """
        with calling("SendMessage", self._url):
            self._client.send_message(
                QueueUrl=self._url, MessageBody=json.dumps({self._field: event}), DelaySeconds=SECONDS_LATER
            )
