"""Names of restored instances, of executions and of what a promotion moves aside."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from dbbackup.core.errors import InvalidRequestError

LONGEST: Final = 63
"""Longest identifier of an RDS instance."""
_FORM = re.compile(r"[a-z](-?[a-z0-9])*")
_OF_REQUEST = re.compile(r"(.+-[0-9a-f]{8})(?:-\d+)?")
"""What :func:`execution_name` makes: the request, and the number of the try."""
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def identifier_rule(name: str) -> str | None:
    """The rule of RDS that an identifier breaks, or None.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceToPointInTime.html
    """
    if not 1 <= len(name) <= LONGEST:
        return f"an identifier has 1 to {LONGEST} characters, this has {len(name)}"
    if not _FORM.fullmatch(name):
        return (
            "an identifier has lower-case letters, digits and single hyphens, begins with a letter and does not end "
            "with a hyphen"
        )
    return None


def check_identifier(name: str, *, what: str) -> str:
    """The identifier, as it is.

    Raises:
        InvalidRequestError: RDS would refuse it.
    """
    rule = identifier_rule(name)
    if rule is not None:
        raise InvalidRequestError(
            f"The {what} {name!r} cannot be used: {rule}.",
            untouched="Nothing was restored and nothing was renamed.",
            action="Correct it and repeat.",
        )
    return name


def default_target(production: str, moment: datetime) -> str:
    """``<production>-pitr-<YYYYMMDD-HHMMSS>``: the same time asked for twice gives the same name.

    Raises:
        InvalidRequestError: the production identifier leaves no room.
    """
    return _timed(production, "pitr", moment)


def aside_name(production: str, moment: datetime) -> str:
    """``<production>-old-<YYYYMMDD-HHMMSS>``: where a promotion puts the instance it replaces.

    Raises:
        InvalidRequestError: the production identifier leaves no room.
    """
    return _timed(production, "old", moment)


def _timed(production: str, purpose: str, moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    readable = f"{production}-{purpose}-{utc:%Y%m%d-%H%M%S}"
    # For a long identifier: the first letter of the purpose and the seconds since 1970 in base 36.
    compact = f"{production}-{purpose[0]}{_base36(max(0, int(utc.timestamp())))}"
    chosen = readable if len(readable) <= LONGEST else compact
    if len(chosen) > LONGEST:
        raise InvalidRequestError(
            f"The identifier {production} leaves no room for a time in {LONGEST} characters.",
            untouched="Nothing was restored and nothing was renamed.",
            action=f"Restore by hand, or give the instance an identifier of up to {LONGEST - 9} characters.",
        )
    return chosen


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text


def belongs_to(production: str, name: str) -> bool:
    """Whether a name is one that our permissions cover: ``<production>-...``."""
    return name.startswith(f"{production}-")


def execution_name(label: str, *parts: str, attempt: int = 1) -> str:
    """A name of an execution, made of what was asked: a label to read and a digest that keeps requests apart.

    Step Functions keeps a name for 90 days and allows 80 characters.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html

    Args:
        label: what a person recognises, such as the target.
        parts: everything that makes the request what it is.
        attempt: 2 and more for the same request after an earlier run failed.
    """
    digest = sha256("\0".join((label, *parts)).encode()).hexdigest()[:8]
    suffix = "" if attempt == 1 else f"-{attempt}"
    return f"{label}-{digest}{suffix}"


def same_request(one: str, other: str) -> bool:
    """Whether two executions, by their names, carry out the same request: each is one try of it."""
    return _request_of(one) == _request_of(other)


def _request_of(execution: str) -> str:
    found = _OF_REQUEST.fullmatch(execution)
    return found[1] if found else execution
