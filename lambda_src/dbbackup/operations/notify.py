"""Tells people what has reached the notifier, each thing by itself, whatever becomes of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from dbbackup.contract_notification import Kind, Outcome, Successes
from dbbackup.core.cloudwatch_alarm import Alarm, AlarmState
from dbbackup.core.cloudwatch_alarm_message import alarm_message
from dbbackup.core.deadline import NO_DEADLINE, Deadline
from dbbackup.core.errors import DbBackupError
from dbbackup.core.incoming import Arrival, Incoming, Text, Work, text_message
from dbbackup.core.killed_run import KilledRun, killed_message
from dbbackup.core.message import Message, delayed
from dbbackup.core.message_ports import History, LaterQueue, Messenger
from dbbackup.core.notification import Notification
from dbbackup.core.rds_event import RdsEvent, Weight, rds_message
from dbbackup.core.webhook import UndeliveredError
from dbbackup.core.work_message import Around, message_of

LEAST_SECONDS: Final = 20
"""With less left nothing is begun: CloudWatch may take so long to answer what was before."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is told, and what besides.

    Attributes:
        successes: which verified backups are told; the nightly ones of RDS only with all.
        around: links and contacts.
    """

    successes: Successes
    around: Around


@dataclass(frozen=True, slots=True)
class Undelivered:
    """What was not taken, and why."""

    arrival: Arrival
    reason: str


@dataclass(slots=True)
class Told:
    """What became of what there was to tell.

    Attributes:
        sent: how many messages were taken.
        left_out: how many there was no need to send.
        doubts: what could not be found out about them.
        undelivered: what was not taken.
    """

    sent: int = 0
    left_out: int = 0
    doubts: list[str] = field(default_factory=list)
    undelivered: list[Undelivered] = field(default_factory=list)

    @property
    def problem(self) -> str:
        """How many messages were not delivered, and why the first was not; nothing where all were."""
        if not self.undelivered:
            return ""
        count = len(self.undelivered)
        return f"{count} of {count + self.sent} messages were not delivered. {self.undelivered[0].reason}"


def notify(
    arrivals: Iterable[Arrival],
    policy: Policy,
    *,
    messenger: Messenger,
    history: History,
    delivered: Callable[[Incoming], None],
    deadline: Deadline = NO_DEADLINE,
) -> Told:
    """Tell everything there is to tell, as long as there is time.

    Args:
        arrivals: what has reached us.
        policy: which of it is told.
        messenger: the channel.
        history: asked where the policy depends on what was before.
        delivered: called with everything that was taken.
        deadline: when everything must have ended.

    Returns:
        What became of it; give it to :func:`settle`.
    """
    told = Told()
    for arrival in arrivals:
        left = deadline.remaining()
        if left is not None and left < LEAST_SECONDS:
            reason = "The time of this run was up, with the messages before it, so it was not tried."
            told.undelivered.append(Undelivered(arrival, reason))
            continue
        message = _message(arrival.item, policy, history, told)
        if message is None:
            told.left_out += 1
            continue
        try:
            messenger.send(delayed(message, arrival.said_at) if arrival.late else message)
        except UndeliveredError as error:
            told.undelivered.append(Undelivered(arrival, str(error)))
            continue
        told.sent += 1
        delivered(arrival.item)
    return told


def settle(told: Told, queue: LaterQueue) -> None:
    """See that what was not taken comes again, and what was taken does not.

    Of several things of one event, each that was not taken goes into the queue by itself, and the event has been dealt
    with: repeated as a whole it would bring the taken ones again, and never reach its end where the beginning is slow.
    A single one is left to whoever has brought the event, which counts as an error and is repeated as it is.

    Raises:
        UndeliveredError: the one thing that there was to tell was not taken.
        DbBackupError: the queue did not take it; then the whole event must be repeated.
    """
    if not told.undelivered:
        return
    if told.sent + told.left_out + len(told.undelivered) == 1:
        raise UndeliveredError(told.problem)
    for each in told.undelivered:
        queue.put(each.arrival.alone)


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
