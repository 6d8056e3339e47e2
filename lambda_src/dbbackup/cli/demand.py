"""What options and environment demand of a receipt."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from dbbackup.cli.connection import asked_connection
from dbbackup.cli.location import LATEST
from dbbackup.cli.migration import commit_asked
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.naming import ARCHIVE_SUFFIX, MANIFEST_SUFFIX, RECEIPT_SUFFIX
from dbbackup.operations.receipt_check import Demand

DEFAULT_AGE: Final = "60m"
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def demand_asked(
    database: str | None,
    commit: str | None,
    max_age: str,
    *,
    any_commit: bool = False,
    unused: bool = False,
    through_proxy: bool = False,
    receipt: str = LATEST,
) -> Demand:
    """What a receipt must be for.

    Raises:
        InvalidRequestError: database or commit are not known, or something is not understood.
    """
    connection = asked_connection()
    named = database or connection.database
    if not named:
        raise InvalidRequestError(
            "No database is named.", untouched="Nothing was read.", action="Give --database, or set POSTGRES_DB."
        )
    if any_commit and commit is not None:
        raise InvalidRequestError(
            "A commit is named, and any will do.", untouched="Nothing was read.", action="Leave one of them out."
        )
    wanted = None if any_commit else commit_asked(commit, os.environ)
    if wanted is None and not any_commit:
        raise InvalidRequestError(
            "The commit to migrate to is not known: none is named, and this folder is in no git repository.",
            untouched="Nothing was read.",
            action="Give --commit, or --any-commit where it does not matter.",
        )
    return Demand(
        named,
        wanted,
        _age(max_age),
        datetime.now(UTC),
        host=None if through_proxy else connection.where,
        unused=unused,
        key=None if receipt == LATEST else backup_key(receipt),
    )


def backup_key(key: str) -> str:
    """Key of the backup that a key of it, of its manifest or of its receipt means."""
    return re.sub(f"({re.escape(RECEIPT_SUFFIX)}|{re.escape(MANIFEST_SUFFIX)})$", ARCHIVE_SUFFIX, key)


def _age(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if match is None or not int(match[1]):
        raise InvalidRequestError(
            f"The age {text!r} is not a number with a unit.", untouched="Nothing was read.", action="Write it as 60m."
        )
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
