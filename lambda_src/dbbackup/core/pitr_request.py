"""What people ask of point-in-time recovery: restore, promote, go back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.pitr_names import check_identifier
from dbbackup.core.problems import problems_of

LATEST = "latest"
_CLASS = re.compile(r"db\.[a-z0-9-]+\.[a-z0-9-]+")
_UNTOUCHED = "Nothing was restored and nothing was renamed."


def _moment(value: object) -> datetime | None:
    """A time, cut to whole seconds, as RDS restores to whole seconds: never later than what was asked for."""
    if value == LATEST:
        return None
    if not isinstance(value, str):
        raise ValueError('write "latest" or a time such as "2025-01-11T14:30:00Z"')  # noqa: TRY004 - pydantic's way
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f'{value!r} is not a time; write "2025-01-11T14:30:00Z" or "latest"') from None
    if moment.tzinfo is None:
        raise ValueError(f'{value!r} has no zone; write "...Z" for UTC or an offset such as "+05:30"')
    try:
        return moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise ValueError(f"{value!r} is not a time that can be restored to") from None


def _instance_class(value: object) -> object:
    if isinstance(value, str) and not _CLASS.fullmatch(value):
        raise ValueError(f"{value!r} is not an instance class such as db.t4g.medium")
    return value


class RestoreRequest(BaseModel):
    """``{"restore_time": ...}``, and what may be chosen besides.

    Attributes:
        restore_time: UTC, whole seconds; None for the latest restorable time.
        target: identifier of the restored instance; None for one made of the source and the time.
        source: identifier of the instance to restore from; None for production.
        instance_class: class of the restored instance; None for the source's.
        promote: always false: a restored instance is promoted by a call of its own, after it was verified.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    restore_time: Annotated[datetime | None, BeforeValidator(_moment)]
    target: str | None = None
    source: str | None = None
    instance_class: Annotated[str | None, BeforeValidator(_instance_class)] = None
    promote: Literal[False] = False


class PromoteRequest(BaseModel):
    """``{"target": ..., "confirm": ...}``: which instance becomes production, and production's name once more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str = Field(min_length=1)
    confirm: str
    rollback: Literal[False] = False


class RollbackRequest(BaseModel):
    """``{"rollback": true, "confirm": ...}``: the replaced instance becomes production again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rollback: Literal[True]
    confirm: str
    target: str | None = None


_Request = TypeVar("_Request", bound=BaseModel)


def parse_restore(event: object) -> RestoreRequest:
    """Read a request to restore.

    Raises:
        InvalidRequestError: a field is unknown or cannot be understood; the message names it.
    """
    if isinstance(event, Mapping) and event.get("promote") is True:
        raise InvalidRequestError(
            "A restored instance is not promoted in the same call.",
            untouched=_UNTOUCHED,
            action='Leave "promote" out, wait for the verification, and then promote with a call of its own.',
        )
    request = _parsed(RestoreRequest, event, example='{"restore_time": "2025-01-11T14:30:00Z"}')
    for what, name in (("target", request.target), ("source", request.source)):
        if name is not None:
            check_identifier(name, what=what)
    return request


def parse_promotion(event: object, *, production: str) -> PromoteRequest | RollbackRequest:
    """Read a request to promote or to go back.

    Raises:
        InvalidRequestError: a field is unknown, or production's identifier was not repeated.
    """
    back = isinstance(event, Mapping) and event.get("rollback") is True
    request: PromoteRequest | RollbackRequest = (
        _parsed(RollbackRequest, event, example='{"rollback": true, "confirm": "<production>"}')
        if back
        else _parsed(PromoteRequest, event, example='{"target": "<restored>", "confirm": "<production>"}')
    )
    if request.confirm != production:
        raise InvalidRequestError(
            f"This replaces the production instance, and {request.confirm!r} is not its identifier.",
            untouched=_UNTOUCHED,
            action=f'If you mean it, repeat the request with "confirm": "{production}".',
        )
    if request.target is not None:
        check_identifier(request.target, what="target")
    return request


def _parsed(model: type[_Request], event: object, *, example: str) -> _Request:
    try:
        return model.model_validate(event)
    except ValidationError as error:
        problems = problems_of(error, "the event")
    raise InvalidRequestError(
        f"The request cannot be carried out: {problems}.",
        untouched=_UNTOUCHED,
        action=f"Send {example}; known fields are {', '.join(model.model_fields)}.",
    )
