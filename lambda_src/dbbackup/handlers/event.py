"""The event that starts a backup."""

from __future__ import annotations

from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from dbbackup.contract import EventField, Tier
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.git_commit import COMMIT_PATTERN
from dbbackup.core.problems import problems_of
from dbbackup.core.receipt import REQUESTED_BY_MAX


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
