"""The topic: people read a text, the notifier a document, in one message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dbbackup.adapters.topic import SnsTopic
from dbbackup.contract_notification import Kind, Outcome
from dbbackup.core.incoming import Work, understood
from dbbackup.core.notification import Failure, Notification
from tests.support.buckets import Bucket

FAILED = Notification(
    kind=Kind.RECOVERY,
    outcome=Outcome.FAILED,
    instance="ftry-prod",
    failure=Failure(error="wait", what="It took too long. Größe: <&>"),
)


class _Client:
    """Takes down what is published."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def publish(self, **call: Any) -> None:
        self.calls.append(call)


def test_the_notifier_reads_the_notification_and_everybody_else_the_text() -> None:
    client = _Client()
    SnsTopic(client, "arn:topic").publish("Restore failed: ftry-prod", "It took too long.", FAILED)
    (call,) = client.calls
    assert call["MessageStructure"] == "json"
    messages = json.loads(call["Message"])
    assert messages.keys() == {"default", "lambda"}
    assert messages["default"] == "It took too long."
    assert understood(messages["lambda"]) == Work(FAILED)


def test_a_subject_is_cut_where_sns_cuts() -> None:
    client = _Client()
    SnsTopic(client, "arn:topic").publish("x" * 150, "text", FAILED)
    assert client.calls[0]["Subject"] == "x" * 99


def test_without_a_topic_nobody_is_told() -> None:
    client = _Client()
    SnsTopic(client, "").publish("subject", "text", FAILED)
    assert client.calls == []


@pytest.mark.parametrize("text", ["one line", 'two\nlines with "quotes"'])
def test_subscribers_that_are_no_function_get_the_text_as_it_is(bucket: Bucket, text: str) -> None:
    sns, sqs = bucket.aws.client("sns"), bucket.aws.client("sqs")
    topic = sns.create_topic(Name=f"topic-{bucket.name}")["TopicArn"]
    queue = sqs.create_queue(QueueName=f"queue-{bucket.name}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    SnsTopic(sns, topic).publish("subject", text, FAILED)
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["Message"] == text
