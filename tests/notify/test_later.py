"""What Slack does not take now is taken later, once, and says how old it is."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from dbbackup.contract_notification import Kind, Outcome, Successes
from dbbackup.contract_watch import ALERT_DELIVERED
from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import CredentialsError, DbBackupError, InvalidRequestError
from dbbackup.core.incoming import Arrival, Text
from dbbackup.core.message import Message
from dbbackup.core.notification import Failure, Notification
from dbbackup.core.webhook import UndeliveredError
from dbbackup.core.work_message import Around
from dbbackup.operations import notify as operation
from dbbackup.operations.notify import LEAST_SECONDS, Policy, notify
from devtools.aws import LocalAws
from tests.support.misbehaving_slack import OK, MisbehavingSlack, status
from tests.support.notifier import (
    Notifier,
    alarm,
    by_log,
    by_queue,
    by_topic,
    deploy_notifier,
    given_up,
)

GONE = status(404, "no_service")


def _failed(database: str) -> Notification:
    failure = Failure(error="connection", what="The server cannot be reached.")
    return Notification(kind=Kind.BACKUP, outcome=Outcome.FAILED, database=database, failure=failure)


def _lines(slack: MisbehavingSlack) -> list[str]:
    return [message["text"] for message in slack.received]


def test_of_several_only_what_was_not_taken_comes_again(notifier: Notifier, slack: MisbehavingSlack) -> None:
    slack.answers[:] = [OK, GONE, OK]
    assert notifier.invoke(by_topic("first", "second", "third"))["later"] == 1
    (again,) = notifier.kept()
    slack.received.clear()
    assert notifier.invoke(again) == {"sent": 1, "left_out": 0, "later": 0, "doubts": []}
    assert [line.split()[-1] for line in _lines(slack)] == ["second"]
    assert notifier.kept() == []


def test_lines_of_a_log_come_again_one_by_one_with_their_place(notifier: Notifier, slack: MisbehavingSlack) -> None:
    slack.answers[:] = [GONE, OK, GONE, OK]
    assert notifier.invoke(by_log(_failed("one"), _failed("two"), _failed("three")))["later"] == 2
    kept = notifier.kept()
    slack.received.clear()
    for event in kept:
        notifier.invoke(event)
    assert [name for line in _lines(slack) for name in ("one", "two", "three") if f": {name} " in line] == [
        "one",
        "three",
    ]
    assert all("|log>" in text for text in slack.texts())


def test_what_comes_late_says_so_and_when_it_was_said(notifier: Notifier, slack: MisbehavingSlack) -> None:
    notifier.invoke(given_up(by_topic(alarm())))
    (line,) = _lines(slack)
    assert line.startswith("⏳ Delayed 2026-01-11T02:05:01Z: 🚨 ALARM: ftry-test-backup-errors")
    assert slack.texts()[0].startswith("⏳ *Delayed:* 2026-01-11T02:05:01Z; it could not be sent before")
    notifier.invoke(given_up(by_log(_failed("ftry"))))
    assert "Delayed 2026-01-11T02:00:00Z: ❌ Backup failed" in _lines(slack)[1]


def test_what_comes_in_time_says_nothing_of_a_delay(notifier: Notifier, slack: MisbehavingSlack) -> None:
    notifier.invoke(by_topic(alarm()))
    assert "Delayed" not in _lines(slack)[0] + slack.texts()[0]


@pytest.mark.parametrize("timestamp", [None, "soon", "2026-01-11"], ids=["none", "word", "day"])
def test_a_delay_is_said_also_where_nobody_knows_since_when(
    notifier: Notifier, slack: MisbehavingSlack, timestamp: str | None
) -> None:
    event = by_topic("news")
    event["Records"][0]["Sns"]["Timestamp"] = timestamp
    notifier.invoke(given_up(event))
    assert _lines(slack)[0].startswith("⏳ Delayed: ")


def test_a_single_message_that_is_not_taken_is_an_error_so_that_it_is_counted_and_repeated(
    notifier: Notifier, slack: MisbehavingSlack
) -> None:
    slack.answers[:] = [GONE]
    for event in (by_topic("news"), given_up(by_topic("news"))):
        with pytest.raises(UndeliveredError, match="no_service"):
            notifier.invoke(event)
    assert notifier.kept() == []


def test_an_event_that_lambda_gave_up_is_told_whole(notifier: Notifier, slack: MisbehavingSlack) -> None:
    assert notifier.invoke(given_up(by_topic("one", "two")))["sent"] == 2
    assert [line.split()[-1] for line in _lines(slack)] == ["one", "two"]


def test_a_rehearsed_alert_that_comes_late_is_delivered(notifier: Notifier, capsys: pytest.CaptureFixture[str]) -> None:
    notifier.invoke(given_up(by_topic(alarm("ftry-test-alert-rehearsal-failed"))))
    assert f'"{ALERT_DELIVERED}":[1' in capsys.readouterr().out.replace(" ", "")


@pytest.mark.parametrize(
    "body",
    ["{}", "not JSON", '{"requestPayload": {}}', '{"requestPayload": null}', "[]"],
    ids=["empty", "text", "empty payload", "no payload", "list"],
)
def test_a_message_of_the_queue_without_an_event_is_refused(notifier: Notifier, body: str) -> None:
    with pytest.raises(InvalidRequestError, match="neither a message of a topic nor lines of a log"):
        notifier.invoke(by_queue(body))


def test_a_queue_that_takes_nothing_makes_the_event_fail(
    notifier: Notifier, slack: MisbehavingSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_QUEUE_URL", f"{notifier.queue}-that-is-not-there")
    slack.answers[:] = [OK, GONE]
    with pytest.raises(DbBackupError, match="SendMessage"):
        notifier.invoke(by_topic("one", "two"))


def test_without_a_webhook_nothing_is_split(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = deploy_notifier(aws, monkeypatch, None)
    with pytest.raises(CredentialsError):
        empty.invoke(by_topic("one", "two"))
    assert empty.kept() == []


@dataclass
class _SlowChannel:
    """Takes a message, and 30 seconds for it."""

    clock: list[float]
    sent: list[str] = field(default_factory=list)

    def send(self, message: Message) -> None:
        self.clock[0] += 30
        self.sent.append(message.text)


@dataclass
class _Queue:
    kept: list[Any] = field(default_factory=list)

    def put(self, event: Any) -> None:
        self.kept.append(json.loads(json.dumps(event)))


def test_a_slow_slack_gets_each_message_once_and_the_last_ones_later(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("dbbackup.core.deadline.time.monotonic", lambda: clock[0])
    channel, queue, texts = _SlowChannel(clock), _Queue(), [f"line {number}" for number in range(8)]
    waiting = [Arrival(Text("", text), alone={"text": text}) for text in texts]
    while waiting:
        told = notify(
            waiting,
            Policy(Successes.ALL, Around()),
            messenger=channel,
            history=None,  # type: ignore[arg-type]
            delivered=lambda _: None,
            deadline=Deadline.after(160),
        )
        assert clock[0] - 1000 <= 160 - LEAST_SECONDS + 30
        assert all("time of this run was up" in each.reason for each in told.undelivered)
        operation.settle(told, queue)
        waiting = [Arrival(Text("", event["text"]), alone=event) for event in queue.kept]
        queue.kept.clear()
        clock[0] = 1000
    assert [line.rpartition(": ")[2] for line in channel.sent] == texts
