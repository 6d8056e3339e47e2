"""The event that asks for a restore of a dump."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dbbackup.contract import Tier
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.glacier import Retrieval
from dbbackup.core.problems import problems_of


class RestoreEvent(BaseModel):
    """``{"to": "ftry_staging", "backup": "latest"}``; a database that exists must be named twice, in ``confirm``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: str = Field(min_length=1, max_length=63)
    backup: str = Field(default="latest", min_length=1)
    tier: Tier | None = None
    database: str | None = None
    server: str | None = None
    confirm: str | None = None
    jobs: int = Field(default=2, ge=1, le=16)
    owner: bool = True
    privileges: bool = True
    create_roles: bool = False
    keep_old: bool = False
    accept_incomplete: bool = False
    retrieval: Retrieval = Retrieval.STANDARD


def parse_restore_event(event: object) -> RestoreEvent:
    """Read an event.

    Raises:
        InvalidRequestError: it is not one; the message says which field and why.
    """
    try:
        return RestoreEvent.model_validate(event)
    except ValidationError as error:
        problems = problems_of(error, "the event")
    raise InvalidRequestError(
        f"The event cannot be carried out: {problems}.",
        untouched="Nothing was connected to and nothing was changed.",
        action='Send {"to": "ftry_staging"}, or to replace a database {"to": "ftry", "confirm": "ftry"}.',
    )
