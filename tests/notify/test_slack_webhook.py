"""Slack's webhook against a real server that misbehaves."""

from __future__ import annotations

import logging
import socket
import traceback
from email.utils import formatdate
from time import monotonic, time

import pytest

from dbbackup.adapters import slack as slack_adapter
from dbbackup.adapters.slack import MOST_REPEATS, SlackWebhook
from dbbackup.core.deadline import Deadline
from dbbackup.core.message import Message, header
from dbbackup.core.webhook import UndeliveredError
from tests.support.misbehaving_slack import (
    OK,
    SECRET_PATH,
    Answer,
    MisbehavingSlack,
    drop_by_drop,
    endless_body,
    hang_up,
    misbehaving_slack,
    reset,
    silence,
    status,
)

MESSAGE = Message("hello", (header("hello"),))


def _webhook(slack: MisbehavingSlack, pauses: list[float] | None = None, **given: float) -> SlackWebhook:
    noted = pauses if pauses is not None else []
    timing = {"total_seconds": 20.0, "attempt_seconds": 0.3, **given}
    return SlackWebhook(slack.url, where="the test", pause=noted.append, **timing)  # type: ignore[arg-type]


def _everything_of(error: BaseException) -> str:
    """All that a log would show of an exception: its text, its chain and whatever hangs on that."""
    seen, text, now = set(), "", error
    todo: list[BaseException | None] = [now]
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        text += f"{each} {each!r} {vars(each)}" + "".join(traceback.format_exception(each))
        todo += [each.__cause__, each.__context__]
    return text


def test_a_message_arrives_whole_with_names_that_are_not_looked_for() -> None:
    with misbehaving_slack() as slack:
        _webhook(slack).send(MESSAGE)
    (received,) = slack.received
    assert received["text"] == "hello"
    assert received["blocks"] == [header("hello")]
    assert received["link_names"] is False
    assert received["parse"] == "none"


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(status(500, "oops"), id="500"),
        pytest.param(status(502), id="502"),
        pytest.param(status(503), id="503"),
        pytest.param(status(504), id="504"),
        pytest.param(status(408), id="408"),
        pytest.param(status(429, Retry_After="0"), id="429"),
        pytest.param(reset, id="reset"),
        pytest.param(hang_up, id="hangs up"),
        pytest.param(silence(0.6), id="time-out"),
        pytest.param(endless_body(500, 1), id="endless body of a 500"),
    ],
)
def test_after_trouble_that_may_pass_the_message_is_sent_again(trouble: Answer) -> None:
    pauses: list[float] = []
    with misbehaving_slack(trouble, OK) as slack:
        _webhook(slack, pauses).send(MESSAGE)
    assert len(slack.received) == 2
    assert slack.received[0] == slack.received[1]
    assert len(pauses) == 1


def test_the_waits_grow() -> None:
    pauses: list[float] = []
    with misbehaving_slack(status(500), status(500), status(500), OK) as slack:
        _webhook(slack, pauses).send(MESSAGE)
    assert pauses[0] >= 1
    assert pauses[2] >= 4
    assert pauses == sorted(pauses)


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        (15, 5, 16),
        (-60, 0, 0),
        ("soon", 1, 3),
        ("-3", 1, 3),
        ("1.5", 1, 3),
    ],
)
def test_a_rate_limit_is_waited_for_as_long_as_slack_asks(asked: str | int, least: float, most: float) -> None:
    # A number stands for a date so many seconds from now, which is not the same in every worker.
    asked = asked if isinstance(asked, str) else formatdate(time() + asked, usegmt=True)
    pauses: list[float] = []
    with misbehaving_slack(status(429, "rate_limited", Retry_After=asked), OK) as slack:
        _webhook(slack, pauses).send(MESSAGE)
    assert len(pauses) == 1
    assert least <= pauses[0] <= most


def test_a_wait_beyond_the_time_there_is_ends_at_once() -> None:
    pauses: list[float] = []
    with misbehaving_slack(status(429, Retry_After="300"), OK) as slack, pytest.raises(UndeliveredError) as caught:
        _webhook(slack, pauses).send(MESSAGE)
    assert pauses == []
    assert len(slack.received) == 1
    assert "asks to wait 300 s" in caught.value.what


@pytest.mark.parametrize(
    ("refusal", "word", "action"),
    [
        (status(404, "no_service"), "no_service", "make a new one"),
        (status(410, "channel_is_archived"), "channel_is_archived", "make a new one"),
        (status(403, "action_prohibited"), "action_prohibited", "make a new one"),
        (status(400, "invalid_payload"), "invalid_payload", "report it"),
    ],
)
def test_a_refusal_is_not_repeated_and_says_what_to_do(refusal: Answer, word: str, action: str) -> None:
    with misbehaving_slack(refusal) as slack, pytest.raises(UndeliveredError) as caught:
        _webhook(slack).send(MESSAGE)
    assert len(slack.received) == 1
    assert word in caught.value.what
    assert action in caught.value.action


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_as_it_would_lose_the_message(code: int) -> None:
    with misbehaving_slack(status(code, Location="/elsewhere"), OK) as slack, pytest.raises(UndeliveredError) as caught:
        _webhook(slack).send(MESSAGE)
    assert [verb for verb, _ in slack.requests] == ["POST"]
    assert f"status {code}" in caught.value.what


def test_what_follows_a_yes_is_not_waited_for() -> None:
    began = monotonic()
    with misbehaving_slack(endless_body(200, 2)) as slack:
        _webhook(slack).send(MESSAGE)
    assert len(slack.received) == 1
    assert monotonic() - began < 1.5


def test_it_gives_up_after_some_repeats() -> None:
    with misbehaving_slack(status(500)) as slack, pytest.raises(UndeliveredError) as caught:
        _webhook(slack, total_seconds=2000).send(MESSAGE)
    assert len(slack.received) == MOST_REPEATS + 1
    assert f"after {MOST_REPEATS + 1} attempts" in caught.value.what


@pytest.mark.parametrize("trouble", [drop_by_drop(3), silence(3)], ids=["drop by drop", "silence"])
def test_it_takes_no_longer_than_it_may(trouble: Answer) -> None:
    began = monotonic()
    with misbehaving_slack(trouble) as slack, pytest.raises(UndeliveredError) as caught:
        _webhook(slack, total_seconds=0.4, attempt_seconds=5).send(MESSAGE)
    assert monotonic() - began < 2
    assert "Slack did not take" in caught.value.what


def test_the_deadline_of_the_whole_bounds_each_message() -> None:
    began = monotonic()
    with misbehaving_slack(drop_by_drop(3)) as slack, pytest.raises(UndeliveredError):
        SlackWebhook(slack.url, where="the test", deadline=Deadline.after(0.3)).send(MESSAGE)
    assert monotonic() - began < 2


def test_without_time_left_nothing_is_sent_and_the_reason_is_true() -> None:
    with misbehaving_slack() as slack, pytest.raises(UndeliveredError) as caught:
        SlackWebhook(slack.url, where="the test", deadline=Deadline.after(0)).send(MESSAGE)
    assert slack.received == []
    assert "there was no time left" in caught.value.what
    assert "no answer" not in caught.value.what


def test_nobody_there_is_said_so() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}{SECRET_PATH}"
        with pytest.raises(UndeliveredError) as caught:
            SlackWebhook(url, where="the test", pause=lambda _: None).send(MESSAGE)
    assert "ConnectionRefusedError" in caught.value.what
    assert "SECRET" not in _everything_of(caught.value)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(status(404, "no_service"), id="refusal"),
        pytest.param(status(404, "http://127.0.0.1/services/xoxSECRETxox"), id="a body that repeats it"),
        pytest.param(status(302, Location="http://127.0.0.1:1/services/xoxSECRETxox"), id="redirect"),
        pytest.param(status(500), id="500"),
        pytest.param(reset, id="reset"),
        pytest.param(silence(0.5), id="time-out"),
    ],
)
def test_the_webhook_is_in_no_exception_and_no_log(trouble: Answer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with misbehaving_slack(trouble) as slack, pytest.raises(UndeliveredError) as caught:
        _webhook(slack, total_seconds=3, attempt_seconds=0.1).send(MESSAGE)
    assert "SECRET" not in _everything_of(caught.value)
    assert "SECRET" not in caplog.text


def test_an_error_that_quotes_the_webhook_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    webhook = f"https://hooks.slack.com{SECRET_PATH}"

    def refuse(*_: object, **__: object) -> None:
        raise ValueError(f"unknown url type: {webhook}")

    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(slack_adapter, "build_opener", refuse)
    with pytest.raises(UndeliveredError) as caught:
        SlackWebhook(webhook, where="the test").send(MESSAGE)
    assert "ValueError" in caught.value.what
    assert "SECRET" not in _everything_of(caught.value)
    assert "SECRET" not in caplog.text
