"""An event of RDS, as its subscription publishes it, and its message.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dbbackup.core.message import Block, Message, code, contacts_block, escaped, facts, header, links, paragraph
from dbbackup.core.message_links import RDS_EVENTS, page_of
from dbbackup.core.work_message import Around

_SERIOUS: Final = re.compile(
    r"fail|storage|incompatible|unable|cannot|not enough|corrupt|inaccessible|deleted", re.IGNORECASE
)


class Weight(StrEnum):
    """What an event asks of whoever reads it."""

    ACT = "🚨"
    """The instance is gone, down or about to be: somebody must look now."""
    LOOK = "⚠️"
    """Something is less than it was, and RDS is at it, or it can wait for the morning."""
    OVER = "🟢"
    """It is well again."""
    NEWS = "ℹ️"
    """Good to know."""
    ROUTINE = "💤"
    """Every night."""


_WEIGHTS: Final = {
    Weight.ACT: (
        "0003",  # deleted
        "0013",  # failover started
        "0020",  # recovery of the instance started: it is down until that is complete
        "0031",  # failed; RDS recommends a point-in-time restore
        *("0035", "0036", "0315"),  # incompatible parameters or network
        *("0007", "0089", "0221", "0222", "0330", "0331"),  # storage low or exhausted
        *("0223", "0224", "0254"),  # storage cannot grow
        *("0418", "0419"),  # the key cannot be used
    ),
    Weight.LOOK: (
        *("0050", "0052"),  # activation, or recovery of a Multi-AZ instance, started
        *("0079", "0080"),  # enhanced monitoring switched off
        "0086",  # the option group cannot be associated
    ),
    Weight.OVER: (
        *("0015", "0049", "0051", "0065"),  # failover or activation completed
        *("0021", "0053"),  # recovery complete
        "0420",  # the key can be used again
    ),
    Weight.NEWS: (
        "0023",  # a snapshot was asked for while one is made
        "0034",  # a failover that was asked for is not made, as one has just been
        *("0219", "0220", "0237"),  # storage grows later, by itself
    ),
    Weight.ROUTINE: ("0001", "0002"),  # backup started, backup finished
}
_BY_NUMBER: Final = {f"RDS-EVENT-{number}": weight for weight, numbers in _WEIGHTS.items() for number in numbers}
"""Of the categories that the subscription names; the page above has the table."""


class RdsEvent(BaseModel):
    """One event."""

    model_config = ConfigDict(frozen=True)

    source: str = Field(alias="Source ID", min_length=1)
    kind: str = Field(default="", alias="Event Source")
    text: str = Field(alias="Event Message")
    time: str = Field(default="", alias="Event Time")
    page: str = Field(default="", alias="Identifier Link")
    explained: str = Field(default="", alias="Event ID", description="URL that ends with the number of the event")

    @property
    def number(self) -> str:
        """For example ``RDS-EVENT-0049``."""
        return self.explained.rpartition("#")[2]

    @property
    def weight(self) -> Weight:
        """By its number; of one that is not known, by its words: an event does not say its category."""
        by_words = Weight.ACT if _SERIOUS.search(self.text) else Weight.NEWS
        return _BY_NUMBER.get(self.number, by_words)


def parse_rds_event(document: Mapping[str, Any]) -> RdsEvent | None:
    """An event, or None where the document is something else."""
    try:
        return RdsEvent.model_validate(document)
    except ValidationError:
        return None


def rds_message(event: RdsEvent, around: Around) -> Message:
    """The message of an event."""
    title = f"{event.weight.value} RDS: {event.source}"
    blocks: list[Block] = [header(title), paragraph(escaped(event.text))]
    blocks += facts(
        [
            ("When", f"{escaped(event.time, 40)} UTC" if event.time else None),
            ("Of", escaped(event.kind, 40) if event.kind else None),
            ("Event", code(event.number) if event.number else None),
            ("Environment", escaped(around.environment, 100) if around.environment else None),
        ]
    )
    blocks += links(
        [
            ("console", event.page or None),
            ("what it means", event.explained or None),
            ("runbook", page_of(around.runbooks, RDS_EVENTS)),
        ]
    )
    if event.weight is Weight.ACT:
        blocks += contacts_block(around.contacts)
    return Message(escaped(f"{title}: {event.text}", 300), tuple(blocks))
