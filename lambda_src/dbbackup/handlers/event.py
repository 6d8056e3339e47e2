"""The event that starts a backup."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from dbbackup.contract import EventField, Tier
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.git_commit import COMMIT_PATTERN
from dbbackup.core.problems import problems_of
from dbbackup.core.receipt import REQUESTED_BY_MAX
from dbbackup.core.units import format_time

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""How far in the future a scheduled time may lie by our clock."""


class BackupEvent(BaseModel):
    """``{"tier": ..., "scheduled_time": ..., "database": ...}``; all but the tier may be left out.

    With tier ``pre-migration`` also ``commit`` and ``requested_by``, for the receipt.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tier: Tier
    scheduled_time: AwareDatetime | None = None
    database: str | None = None
    commit: str | None = Field(default=None, pattern=COMMIT_PATTERN)
    requested_by: str | None = Field(default=None, min_length=1, max_length=REQUESTED_BY_MAX)

    @field_validator("commit", mode="before")
    @classmethod
    def _in_small_letters(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _only_before_a_migration(self) -> Self:
        if self.tier is not Tier.PRE_MIGRATION and (self.commit is not None or self.requested_by is not None):
            raise ValueError(f"commit and requested_by go with tier {Tier.PRE_MIGRATION.value}")
        return self


def check_scheduled_time(event: BackupEvent, *, kept_days: Mapping[Tier, int], now: datetime) -> None:
    """Refuse a moment that a backup cannot sensibly be filed under: under its name nobody would look for it.

    Args:
        event: what is asked for.
        kept_days: how many days each tier is kept; of one that is not named any moment of the past will do.
        now: this moment.

    Raises:
        InvalidRequestError: the moment lies in the future, or further back than the tier is kept.
    """
    due, kept = event.scheduled_time, kept_days.get(event.tier)
    if due is None:
        return
    if due > now + CLOCKS_DIFFER:
        problem = f"lies in the future, and a backup holds what there is now, {format_time(now)}"
    elif kept is not None and due < now - timedelta(days=kept):
        problem = f"lies {(now - due).days} days back, and {event.tier.value} backups are kept {kept} days"
    else:
        return
    raise InvalidRequestError(
        f"{EventField.SCHEDULED_TIME.value} {format_time(due)} {problem}.",
        untouched="Nothing was connected to and nothing was written.",
        action=f"Give the moment when this backup was due, or leave {EventField.SCHEDULED_TIME.value} out: then it is "
        "filed under the moment when it begins.",
    )


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
        f'"2025-01-11T02:00:00Z"}}, with a tier of {", ".join(Tier)} and a time with a zone; with {Tier.PRE_MIGRATION} '
        "also a commit of 7 to 64 hexadecimal digits and requested_by.",
    )
