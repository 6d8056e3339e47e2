"""How work has ended, as a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dbbackup.contract_notification import Kind, Outcome
from dbbackup.core.message import (
    Block,
    Contact,
    Message,
    code,
    contacts_block,
    escaped,
    facts,
    header,
    links,
    paragraph,
)
from dbbackup.core.message_links import LogPlace, execution_page, log_page, object_page, runbook
from dbbackup.core.notification import Notification
from dbbackup.core.repeats import BY_HAND, REPEATED
from dbbackup.core.units import format_bytes, format_seconds, format_time

MOST_DETAILS: Final = 15
_TITLES: Final = {
    (Kind.BACKUP, Outcome.SUCCEEDED): "✅ Backup verified",
    (Kind.BACKUP, Outcome.FAILED): "❌ Backup failed",
    (Kind.RESTORE, Outcome.SUCCEEDED): "✅ Database restored",
    (Kind.RESTORE, Outcome.FAILED): "❌ Restore failed",
    (Kind.RECOVERY, Outcome.SUCCEEDED): "✅ Point-in-time recovery verified",
    (Kind.RECOVERY, Outcome.FAILED): "❌ Point-in-time recovery failed",
    (Kind.PROMOTION, Outcome.SUCCEEDED): "✅ Promotion finished",
    (Kind.PROMOTION, Outcome.FAILED): "❌ Promotion failed",
    (Kind.REHEARSAL, Outcome.SUCCEEDED): "✅ Rehearsal passed",
    (Kind.REHEARSAL, Outcome.FAILED): "❌ Rehearsal failed",
}


@dataclass(frozen=True, slots=True)
class Around:
    """What a message says besides what has happened.

    Attributes:
        region: of AWS, for links to its console; None for a local run.
        environment: said where the notification itself says none.
        runbooks: where runbooks are read, without a slash at the end; None where nobody said.
        contacts: whom to call.
    """

    region: str | None = None
    environment: str | None = None
    runbooks: str | None = None
    contacts: Sequence[Contact] = ()


def message_of(
    told: Notification, around: Around, *, log: LogPlace | None = None, after_failure: bool = False
) -> Message:
    """The message of a notification.

    Args:
        told: what has ended.
        around: links and contacts.
        log: where it was logged.
        after_failure: whether it is known to be the first success after a failure.
    """
    failed = told.outcome is Outcome.FAILED
    environment = told.environment or around.environment
    title = _TITLES[told.kind, told.outcome]
    if after_failure and not failed:
        title += " again, after a failure"
    about = told.database or told.instance
    whole = title + (f": {about}" if about else "") + (f" ({environment})" if environment else "")
    whole += f" on {told.host}" if told.host else ""
    blocks: list[Block] = [header(whole)]
    if told.headline:
        blocks.append(paragraph(escaped(told.headline)))
    if told.failure:
        said = [told.failure.what, told.failure.untouched, told.failure.action]
        # A local run has no log of ours, and nothing but its own schedule repeats it.
        if told.kind is Kind.BACKUP and log is not None:
            said.append(REPEATED if told.due_at else BY_HAND)
        blocks.append(paragraph("\n".join(escaped(line, 900) for line in said if line)))
    blocks += facts(_facts(told))
    if told.details:
        shown = [escaped(line, 180) for line in told.details[:MOST_DETAILS]]
        rest = len(told.details) - len(shown)
        blocks.append(paragraph("\n".join([*shown, *([f"… and {rest} more"] if rest else [])])))
    blocks += links(_links(told, around, log))
    if failed:
        blocks += contacts_block(around.contacts)
    return Message(_line(whole, told), tuple(blocks))


def _facts(told: Notification) -> list[tuple[str, str | None]]:
    rows = None
    if told.rows is not None:
        rows = f"{told.rows:,}" + (f" in {told.tables} tables" if told.tables is not None else "")
    return [
        ("Tier", told.tier.value if told.tier else None),
        ("Due", format_time(told.due_at) if told.due_at else None),
        ("Size", _size(told)),
        ("Took", format_seconds(told.duration_seconds) if told.duration_seconds is not None else None),
        ("Rows", rows),
        ("Database size", format_bytes(told.database_size_bytes) if told.database_size_bytes is not None else None),
        ("Recovery point", format_time(told.recovery_point) if told.recovery_point else None),
        ("Instance", code(told.instance) if told.instance and told.database else None),
        ("Error", code(told.failure.error) if told.failure else None),
        ("Note", "had been made already by an earlier run" if told.repeated else None),
        ("Stored as" if told.kind is Kind.BACKUP else "From", code(told.location) if told.location else None),
    ]


def _size(told: Notification) -> str | None:
    if told.size_bytes is None:
        return None
    size, ratio = format_bytes(told.size_bytes), told.size_ratio
    return size if ratio is None else f"{size}, {_change(ratio)}"


def _change(ratio: float) -> str:
    """The change against the last one, for example ``+4 %``."""
    percent = (ratio - 1) * 100
    if abs(percent) < 0.05:
        return "unchanged"
    sign = "+" if percent > 0 else "−"
    return f"{sign}{abs(percent):,.1f} %" if abs(percent) < 9.95 else f"{sign}{abs(percent):,.0f} %"


def _links(told: Notification, around: Around, log: LogPlace | None) -> list[tuple[str, str | None]]:
    named = "evidence" if told.kind is Kind.REHEARSAL else "object"
    page = runbook(around.runbooks, told.kind, told.failure.error) if around.runbooks and told.failure else None
    return [
        (named, object_page(told.location, around.region)),
        ("execution", execution_page(told.execution)),
        ("log", log_page(log, around.region)),
        ("runbook", page),
    ]


def _line(title: str, told: Notification) -> str:
    if told.failure:
        return escaped(f"{title}: {told.failure.what}", 300)
    size = _size(told)
    tier = told.tier.value if told.tier else None
    more = ", ".join(each for each in (tier, size) if each)
    return escaped(f"{title}: {more}" if more else title, 300)
