"""What reaches the notifier: work that has ended or was killed, an alarm, an event of RDS, or any other text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from dbbackup.contract_notification import LOG_FIELD
from dbbackup.core.cloudwatch_alarm import Alarm, parse_alarm
from dbbackup.core.killed_run import KilledRun
from dbbackup.core.message import Block, Message, escaped, header, links, paragraph
from dbbackup.core.message_links import LogPlace, log_page
from dbbackup.core.notification import Notification
from dbbackup.core.rds_event import RdsEvent, parse_rds_event
from dbbackup.core.work_message import Around


@dataclass(frozen=True, slots=True)
class Work:
    """Work that has ended."""

    notification: Notification
    log: LogPlace | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """Anything else: shown as it is, as hiding it could hide an alarm."""

    subject: str
    text: str
    log: LogPlace | None = None


Incoming = Work | KilledRun | Alarm | RdsEvent | Text


@dataclass(frozen=True, slots=True)
class Arrival:
    """One thing, as it has reached the notifier.

    Attributes:
        item: what it is.
        said_at: when the topic or the log had it; None where nobody says.
        late: whether it was tried before, and waited since.
        alone: an event that holds this and nothing else, to be sent on its way again.
    """

    item: Incoming
    said_at: datetime | None = None
    late: bool = False
    alone: Mapping[str, Any] = field(default_factory=dict)


def understood(text: str, *, subject: str = "", log: LogPlace | None = None) -> Incoming:
    """What a text of a topic or a log is."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if isinstance(document, dict):
        found = _notification(document.get(LOG_FIELD))
        if found is not None:
            return Work(found, log)
        known = parse_alarm(document) or parse_rds_event(document)
        if known is not None:
            return known
    return Text(subject, text, log)


def _notification(document: object) -> Notification | None:
    if not isinstance(document, Mapping):
        return None
    try:
        return Notification.model_validate(document)
    except ValidationError:
        return None


def text_message(told: Text, around: Around) -> Message:
    """The message of a text."""
    title = f"📨 {told.subject or 'A message without a subject'}"
    blocks: list[Block] = [header(title), paragraph(escaped(told.text))]
    blocks += links([("log", log_page(told.log, around.region))])
    return Message(escaped(f"{title}: {told.text}", 300), tuple(blocks))
