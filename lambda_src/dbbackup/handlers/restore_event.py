"""The event that asks for a restore of a dump."""

from __future__ import annotations

import re
from typing import Final

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


_FIELDS: Final = {
    "--to": '"to"',
    "--no-owner": '"owner": false',
    "--no-privileges": '"privileges": false',
    "--create-roles": '"create_roles": true',
    "--keep-old": '"keep_old": true',
    "--accept-incomplete": '"accept_incomplete": true',
}
"""What the options of the command are called in an event."""
_OPTION: Final = re.compile(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*(?![\w-])")


def said_of_an_event(text: str) -> str:
    """A message of the operations, which speak of the command's options, for whoever has sent an event."""
    return _OPTION.sub(lambda found: _FIELDS.get(found[0], found[0]), text)


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
