"""The topic: people read a text, the notifier a document, in one message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dbbackup.adapters.topic import SnsTopic
from dbbackup.contract_notification import Kind, Outcome
from dbbackup.core.incoming import Work, understood
from dbbackup.core.message_links import execution_page
from dbbackup.core.notification import Failure, Notification
from dbbackup.core.work_message import Around, message_of
from tests.support.buckets import Bucket
from tests.support.misbehaving_slack import readable

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


EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:ftry-prod-pitr:20260111-143000"
PAGE = f"https://eu-central-1.console.aws.amazon.com/states/home?region=eu-central-1#/v2/executions/details/{EXECUTION}"


def test_everybody_gets_the_page_of_the_execution() -> None:
    client = _Client()
    SnsTopic(client, "arn:topic", execution=EXECUTION).publish("Restore failed", "It took too long.", FAILED)
    messages = json.loads(client.calls[0]["Message"])
    assert messages["default"] == f"It took too long.\nExecution: {PAGE}"
    work = understood(messages["lambda"])
    assert isinstance(work, Work)
    assert work.notification == FAILED.model_copy(update={"execution": EXECUTION})
    assert f"<{PAGE}|execution>" in readable(message_of(work.notification, Around()).body())


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "by-hand",
        "arn:aws:states:us-east-1:123456789012:stateMachine:m",
        "arn:aws:lambda:us-east-1:1:execution:a:b",
        "::::::::",
    ],
    ids=["empty", "name", "machine", "lambda", "colons"],
)
def test_what_is_no_execution_has_no_page(arn: str) -> None:
    assert execution_page(arn) is None


def test_a_name_in_the_page_of_an_execution_cannot_lead_elsewhere() -> None:
    page = execution_page("arn:aws:states:us-east-1:1:execution:m:x|y> <z")
    assert page is not None
    assert not set("|<> ") & set(page)


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
