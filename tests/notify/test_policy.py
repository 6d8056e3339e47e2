"""What is told where it depends on what was before; in doubt everything is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from dbbackup.contract import Tier
from dbbackup.contract_notification import Kind, Outcome, Successes
from dbbackup.core.cloudwatch_alarm import parse_alarm
from dbbackup.core.errors import DbBackupError
from dbbackup.core.incoming import Arrival, Incoming, Work
from dbbackup.core.message import Message
from dbbackup.core.notification import Notification
from dbbackup.core.work_message import Around
from dbbackup.operations.notify import Policy, Told, notify
from tests.support.notifier import alarm

NOW = datetime(2026, 1, 11, 2, 5, tzinfo=UTC)
SUCCESS = Notification(
    kind=Kind.BACKUP,
    outcome=Outcome.SUCCEEDED,
    at=NOW,
    started_at=NOW - timedelta(minutes=5),
    database="ftry",
    tier=Tier.DAILY,
    previous_at=NOW - timedelta(days=1),
)


@dataclass
class _Channel:
    sent: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> None:
        self.sent.append(message)


@dataclass
class _Memory:
    failed: bool = False
    began: datetime | None = None
    silent: bool = False

    def failed_between(
        self, database: str, tier: Tier, start: datetime, end: datetime, *, before: datetime | None = None
    ) -> bool:
        assert (database, tier, start, end) == ("ftry", Tier.DAILY, SUCCESS.previous_at, NOW)
        assert before == SUCCESS.started_at
        self._speak()
        return self.failed

    def alarm_began(self, name: str, ended: datetime) -> datetime | None:
        self._speak()
        return self.began

    def _speak(self) -> None:
        if self.silent:
            raise DbBackupError("CloudWatch did not answer.")


def _told(
    item: Incoming, memory: _Memory, successes: Successes = Successes.FIRST_AFTER_FAILURE
) -> tuple[Told, list[Message]]:
    channel = _Channel()
    policy = Policy(successes, Around())
    return notify([Arrival(item)], policy, messenger=channel, history=memory, delivered=lambda _: None), channel.sent


@pytest.mark.parametrize(("failed", "sent"), [(False, 0), (True, 1)])
def test_a_success_is_told_after_a_failure(failed: bool, sent: int) -> None:
    told, messages = _told(Work(SUCCESS), _Memory(failed=failed))
    assert (told.sent, told.left_out, len(messages)) == (sent, 1 - sent, sent)
    assert all("again, after a failure" in message.text for message in messages)


def test_the_first_backup_of_all_is_told() -> None:
    told, _ = _told(Work(SUCCESS.model_copy(update={"previous_at": None})), _Memory())
    assert told.sent == 1


def test_in_doubt_a_success_is_told_without_a_claim() -> None:
    told, messages = _told(Work(SUCCESS), _Memory(silent=True))
    assert told.sent == 1
    assert told.doubts == ["CloudWatch did not answer."]
    assert "after a failure" not in messages[0].text


@pytest.mark.parametrize("successes", Successes)
@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.BACKUP])
def test_other_work_is_always_told(kind: Kind, successes: Successes) -> None:
    told, _ = _told(Work(SUCCESS.model_copy(update={"kind": kind})), _Memory(), successes)
    assert told.sent == 1


@pytest.mark.parametrize(
    ("former", "memory", "sent"),
    [
        ("ALARM", _Memory(began=NOW), 1),
        ("ALARM", _Memory(), 1),
        ("ALARM", _Memory(silent=True), 1),
        ("INSUFFICIENT_DATA", _Memory(began=NOW), 1),
        ("INSUFFICIENT_DATA", _Memory(), 0),
        ("INSUFFICIENT_DATA", _Memory(silent=True), 1),
    ],
)
def test_an_alarm_that_is_well_is_told_unless_it_was_never_raised(former: str, memory: _Memory, sent: int) -> None:
    well = parse_alarm(alarm(state="OK", OldStateValue=former))
    assert well is not None
    told, _ = _told(well, memory)
    assert told.sent == sent
