"""An event of RDS, as its subscription publishes it, and its message.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dbbackup.core.message import Block, Message, code, contacts_block, escaped, facts, header, links, paragraph
from dbbackup.core.work_message import Around

_SERIOUS: Final = re.compile(r"fail|storage|incompatible|unable|cannot|not enough|corrupt|inaccessible", re.IGNORECASE)


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
    def serious(self) -> bool:
        """Whether somebody may have to act, going by its words: an event does not say its category."""
        return bool(_SERIOUS.search(self.text))


def parse_rds_event(document: Mapping[str, Any]) -> RdsEvent | None:
    """An event, or None where the document is something else."""
    try:
        return RdsEvent.model_validate(document)
    except ValidationError:
        return None


def rds_message(event: RdsEvent, around: Around) -> Message:
    """The message of an event."""
    title = f"{'⚠️' if event.serious else 'ℹ️'} RDS: {event.source}"
    blocks: list[Block] = [header(title), paragraph(escaped(event.text))]
    blocks += facts(
        [
            ("When", f"{escaped(event.time, 40)} UTC" if event.time else None),
            ("Of", escaped(event.kind, 40) if event.kind else None),
            ("Event", code(event.number) if event.number else None),
            ("Environment", escaped(around.environment, 100) if around.environment else None),
        ]
    )
    blocks += links([("console", event.page or None), ("what it means", event.explained or None)])
    if event.serious:
        blocks += contacts_block(around.contacts)
    return Message(escaped(f"{title}: {event.text}", 300), tuple(blocks))
