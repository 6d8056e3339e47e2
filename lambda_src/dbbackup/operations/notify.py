"""Tells people what has reached the notifier, each thing once, whatever becomes of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from dbbackup.contract_notification import Kind, Outcome, Successes
from dbbackup.core.cloudwatch_alarm import Alarm, AlarmState
from dbbackup.core.cloudwatch_alarm_message import alarm_message
from dbbackup.core.errors import DbBackupError
from dbbackup.core.incoming import Incoming, Text, Work, text_message
from dbbackup.core.killed_run import KilledRun, killed_message
from dbbackup.core.message import Message
from dbbackup.core.message_ports import History, Messenger
from dbbackup.core.notification import Notification
from dbbackup.core.rds_event import RdsEvent, Weight, rds_message
from dbbackup.core.webhook import UndeliveredError
from dbbackup.core.work_message import Around, message_of


@dataclass(frozen=True, slots=True)
class Policy:
    """What is told, and what besides.

    Attributes:
        successes: which verified backups are told; the nightly ones of RDS only with all.
        around: links and contacts.
    """

    successes: Successes
    around: Around


@dataclass(slots=True)
class Told:
    """What became of what there was to tell.

    Attributes:
        sent: how many messages were taken.
        left_out: how many there was no need to send.
        doubts: what could not be found out about them.
        undelivered: why others were not taken.
    """

    sent: int = 0
    left_out: int = 0
    doubts: list[str] = field(default_factory=list)
    undelivered: list[str] = field(default_factory=list)


def notify(
    items: Iterable[Incoming],
    policy: Policy,
    *,
    messenger: Messenger,
    history: History,
    delivered: Callable[[Incoming], None],
) -> Told:
    """Tell everything there is to tell.

    Args:
        items: what has reached us.
        policy: which of it is told.
        messenger: the channel.
        history: asked where the policy depends on what was before.
        delivered: called with everything that was taken.

    Returns:
        What became of it; look at ``undelivered``.
    """
    told = Told()
    for item in items:
        message = _message(item, policy, history, told)
        if message is None:
            told.left_out += 1
            continue
        try:
            messenger.send(message)
        except UndeliveredError as error:
            told.undelivered.append(str(error))
            continue
        told.sent += 1
        delivered(item)
    return told


def _message(item: Incoming, policy: Policy, history: History, told: Told) -> Message | None:
    match item:
        case Work(notification, log):
            wanted, after_failure = _wanted(notification, policy, history, told)
            if not wanted:
                return None
            return message_of(notification, policy.around, log=log, after_failure=after_failure)
        case KilledRun():
            return killed_message(item, policy.around)
        case Alarm():
            wanted, began = _began(item, history, told)
            return alarm_message(item, policy.around, began=began) if wanted else None
        case RdsEvent():
            # RDS's own nightly backup is a success like any other.
            told_always = item.weight is not Weight.ROUTINE or policy.successes is Successes.ALL
            return rds_message(item, policy.around) if told_always else None
        case Text():
            return text_message(item, policy.around)


def _wanted(told: Notification, policy: Policy, history: History, doubts: Told) -> tuple[bool, bool]:
    """Whether it is told, and whether it is known to be the first success after a failure. In doubt it is told."""
    if told.kind is not Kind.BACKUP or told.outcome is not Outcome.SUCCEEDED or policy.successes is Successes.ALL:
        return True, False
    if policy.successes is Successes.NONE:
        return False, False
    if told.previous_at is None or told.database is None or told.tier is None:
        return True, False
    try:
        failed = history.failed_between(told.database, told.tier, told.previous_at, told.at, before=told.started_at)
    except DbBackupError as error:
        doubts.doubts.append(error.what)
        return True, False
    return failed, failed


def _began(alarm: Alarm, history: History, doubts: Told) -> tuple[bool, datetime | None]:
    """Whether a change is told, and when what is over began.

    An alarm that is new goes from no data to OK, which is no news; one that was raised, had no data and is well now is.
    """
    if alarm.state is not AlarmState.OK:
        return True, None
    try:
        began = history.alarm_began(alarm.name, alarm.changed_at)
    except DbBackupError as error:
        doubts.doubts.append(error.what)
        return True, None
    return began is not None or alarm.former != AlarmState.INSUFFICIENT_DATA, began
