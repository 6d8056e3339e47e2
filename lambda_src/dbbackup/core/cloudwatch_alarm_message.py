"""An alarm, raised or over, as a message."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from dbbackup.core.cloudwatch_alarm import Alarm, AlarmState, lasted_seconds
from dbbackup.core.message import (
    Block,
    Message,
    code,
    contacts_block,
    escaped,
    facts,
    header,
    link,
    links,
    paragraph,
)
from dbbackup.core.message_links import alarm_page
from dbbackup.core.units import format_seconds, format_time
from dbbackup.core.work_message import Around

REHEARSAL: Final = "🧪 REHEARSAL of the alert path — nothing to do"
"""What people recognise a rehearsal by."""
_TITLES: Final = {
    AlarmState.ALARM: "🚨 ALARM",
    AlarmState.OK: "🟢 Over",
    AlarmState.INSUFFICIENT_DATA: "❔ No data",
}
_ADDRESS: Final = re.compile(r"https?://[^\s<>|]+[^\s<>|.,;:!?)\]]")


def alarm_message(alarm: Alarm, around: Around, *, began: datetime | None = None) -> Message:
    """The message of a change of state.

    Args:
        alarm: the change.
        around: links and contacts.
        began: when an alarm that is over was raised, where that is known.
    """
    title = f"{_TITLES[alarm.state]}: {alarm.name}"
    blocks: list[Block] = [header(REHEARSAL if alarm.rehearsed else title)]
    if alarm.rehearsed:
        blocks.append(paragraph(f"{escaped(title, 300)}\nNo backup has failed and none is missing."))
    lasted = lasted_seconds(alarm, began)
    over = "" if lasted is None else f"is over, lasted {format_seconds(lasted)}"
    if over:
        blocks.append(paragraph(f"{code(alarm.name)} {over}."))
    if alarm.description and alarm.state is not AlarmState.OK:
        blocks.append(paragraph(_linked(alarm.description)))
    blocks += facts(
        [
            ("When", format_time(alarm.changed_at)),
            ("Environment", escaped(around.environment, 100) if around.environment else None),
            ("Raised by" if alarm.state is AlarmState.ALARM else "By", _names(alarm.raised_by)),
        ]
    )
    if alarm.reason:
        blocks.append(paragraph(f"_CloudWatch:_ {escaped(alarm.reason, 600)}"))
    blocks += links([("alarm", alarm_page(alarm.name, around.region))])
    if alarm.state is AlarmState.ALARM and not alarm.rehearsed:
        blocks += contacts_block(around.contacts)
    line = f"{title}{f' {over}' if over else ''}"
    return Message(escaped(f"{REHEARSAL}: {line}" if alarm.rehearsed else line, 300), tuple(blocks))


def _names(names: tuple[str, ...]) -> str | None:
    return ", ".join(code(name) for name in names[:10]) or None


def _linked(text: str) -> str:
    """A description with its addresses as links: Slack is told to make none by itself."""
    cut = text[:1500]
    parts, at = [], 0
    for found in _ADDRESS.finditer(cut):
        parts += [escaped(cut[at : found.start()]), link(found.group(), found.group())]
        at = found.end()
    return "".join([*parts, escaped(cut[at:])])
