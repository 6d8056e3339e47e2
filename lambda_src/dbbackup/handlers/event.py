"""The event that starts a backup."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from dbbackup.contract import EventField, Tier
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.problems import problems_of


class BackupEvent(BaseModel):
    """``{"tier": ..., "scheduled_time": ..., "database": ...}``; all but the tier may be left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tier: Tier
    scheduled_time: AwareDatetime | None = None
    database: str | None = None


def parse_event(event: object) -> BackupEvent:
    """Read an event.

    Raises:
        InvalidRequestError: it is not one; the message says which field and why.
    """
    try:
        return BackupEvent.model_validate(event)
    except ValidationError as error:
        problems = problems_of(error, "the event")
    raise InvalidRequestError(
        f"The event cannot be carried out: {problems}.",
        untouched="Nothing was connected to and nothing was written.",
        action=f'Send {{"{EventField.TIER.value}": "{Tier.DAILY.value}", "{EventField.SCHEDULED_TIME.value}": '
        f'"2025-01-11T02:00:00Z"}}, with a tier of {", ".join(Tier)} and a time with a zone.',
    )
