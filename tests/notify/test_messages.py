"""Messages: nothing in them calls people together, breaks out of its place or is longer than Slack takes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dbbackup.contract_notification import Kind, Outcome
from dbbackup.core.cloudwatch_alarm import parse_alarm
from dbbackup.core.cloudwatch_alarm_message import alarm_message
from dbbackup.core.incoming import Text, text_message
from dbbackup.core.message import Contact, Message, link
from dbbackup.core.message_links import RDS_EVENTS, RUNBOOKS, RUNBOOKS_BY_ERROR, console, object_page
from dbbackup.core.notification import Failure, Notification
from dbbackup.core.rds_event import parse_rds_event, rds_message
from dbbackup.core.work_message import Around, message_of
from tests.support.misbehaving_slack import readable
from tests.support.notifier import alarm

ROOT = Path(__file__).resolve().parent.parent.parent
EVIL = "a`*<!channel>|<@U1>&<https://evil.example|click> @channel @here @Everyone\n#"
AROUND = Around(
    region="us-east-1",
    environment="prod",
    runbooks="https://wiki.example.com/runbooks",
    contacts=[Contact(EVIL, EVIL, EVIL)] * 30,
)


def _failed(text: str) -> Notification:
    failure = Failure(error=text, what=text, untouched=text, action=text)
    return Notification(
        kind=Kind.RESTORE,
        outcome=Outcome.FAILED,
        environment=text,
        database=text,
        instance=text,
        location=text,
        headline=text,
        details=(text,) * 40,
        failure=failure,
    )


def _all(text: str) -> list[Message]:
    raised = parse_alarm(alarm(text, AlarmDescription=text, NewStateReason=text))
    event = parse_rds_event(
        {"Source ID": text, "Event Message": f"failed {text}", "Event ID": text, "Event Time": text}
    )
    assert raised is not None
    assert event is not None
    return [
        message_of(_failed(text), AROUND),
        alarm_message(raised, AROUND),
        rds_message(event, AROUND),
        text_message(Text(text, text), AROUND),
    ]


def _texts(part: Any) -> list[dict[str, Any]]:
    if isinstance(part, list):
        return [text for each in part for text in _texts(each)]
    if not isinstance(part, dict):
        return []
    here = [part] if part.get("type") in ("mrkdwn", "plain_text") else []
    return here + [text for each in part.values() for text in _texts(each)]


@pytest.mark.parametrize("number", range(4))
def test_nobody_is_called_by_a_name_or_an_error(number: int) -> None:
    message = _all(EVIL)[number]
    marked = [text for text in _texts(list(message.blocks)) if text["type"] == "mrkdwn"]
    assert marked
    assert all(text["verbatim"] is True for text in marked)
    everything = [text["text"] for text in marked] + [message.text]
    for text in everything:
        assert "<!" not in text
        assert "<@" not in text
        assert "|click>" not in text  # an address may be a link, but none that says something else
        assert "@channel" not in text
        assert "@here" not in text
        assert "@Everyone" not in text
    for text in _texts(list(message.blocks)):
        assert "@channel" not in text["text"]
    assert message.body()["link_names"] is False


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("text", ["x" * 50_000, "&<" * 20_000, "long\n" * 9000], ids=["letters", "markup", "lines"])
def test_nothing_is_longer_than_slack_takes(number: int, text: str) -> None:
    message = _all(text)[number]
    assert len(message.blocks) <= 50
    assert 0 < len(message.text) <= 4000
    for block in message.blocks:
        if block["type"] == "header":
            assert len(block["text"]["text"]) <= 150
            assert "\n" not in block["text"]["text"]
        elif "text" in block:
            assert len(block["text"]["text"]) <= 3000
        assert len(block.get("fields", [])) <= 10
        assert all(0 < len(field["text"]) <= 2000 for field in block.get("fields", []))
    assert len(json.dumps(message.body())) < 60_000


@pytest.mark.parametrize(
    ("size", "before", "shown"),
    [
        (2048, 1024, "2.0 KiB, +100 %"),
        (1024, 2048, "1.0 KiB, −50 %"),
        (1024, 1024, "1.0 KiB, unchanged"),
        (1044, 1024, "1.0 KiB, +2.0 %"),
        (1024, None, "1.0 KiB"),
        (1024, 0, "1.0 KiB"),
    ],
)
def test_a_size_is_shown_with_its_change(size: int, before: int | None, shown: str) -> None:
    told = Notification(
        kind=Kind.BACKUP, outcome=Outcome.SUCCEEDED, database="d", size_bytes=size, previous_size_bytes=before
    )
    assert f"*Size*\n{shown}" in readable(message_of(told, Around()).body())


def test_how_long_an_alarm_lasted_is_said_where_it_is_known() -> None:
    over = parse_alarm(alarm(state="OK"))
    assert over is not None
    message = alarm_message(over, AROUND, began=over.changed_at - timedelta(minutes=23))
    assert "is over, lasted 23 min 0 s" in message.text
    assert "lasted" not in alarm_message(over, AROUND).text


def test_a_path_is_no_link() -> None:
    assert link("docs/runbooks/backup-errors.md", "runbook") == "runbook: `docs/runbooks/backup-errors.md`"
    assert object_page("/srv/backups/x.dump", "us-east-1") is None
    assert object_page("s3://bucket/x.dump", None) is None


def test_the_console_is_that_of_the_partition() -> None:
    assert console("eu-central-1") == "https://eu-central-1.console.aws.amazon.com"
    assert console("cn-north-1").endswith(".console.amazonaws.cn")
    assert console("us-gov-west-1").endswith(".console.amazonaws-us-gov.com")


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("kind", Kind)
def test_every_end_of_every_work_has_a_message(kind: Kind, outcome: Outcome) -> None:
    told = Notification(kind=kind, outcome=outcome, at=datetime(2026, 1, 11, tzinfo=UTC))
    text = message_of(told, Around()).text
    assert ("❌" in text) == (outcome is Outcome.FAILED)


def test_every_runbook_that_a_message_links_is_there() -> None:
    for name in {*RUNBOOKS.values(), *RUNBOOKS_BY_ERROR.values(), RDS_EVENTS}:
        assert (ROOT / "docs/runbooks" / f"{name}.md").is_file(), name
