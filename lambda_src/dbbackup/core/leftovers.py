"""Databases that a restore makes beside its target, and how a later run recognizes them.

Each carries a mark as its comment, which moves with the database when it is renamed. So whatever moment a restore
was killed at, the next run sees what is there and what it is for.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dbbackup.core.naming import TIME_FORMAT

MAX_NAME_BYTES = 63
"""NAMEDATALEN - 1: https://www.postgresql.org/docs/current/limits.html"""
_TAG = "dbbackup"
_SIDE = re.compile(r".*__dbbackup_new_[0-9a-f]{8}", re.DOTALL)  # a name may hold a line break


class State(StrEnum):
    """What a database beside the target is."""

    RESTORING = "restoring"
    """Being filled; worthless if its run is gone."""
    VERIFIED = "verified"
    """Complete and compared, not yet under its name."""
    REPLACED = "replaced"
    """What the target was before."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a database beside a target says of itself."""

    target: str
    state: State
    backup: str
    """The archive it was, or was to be, filled from."""
    original_comment: str | None = None

    def to_comment(self) -> str:
        """The mark as the database's comment."""
        return json.dumps(
            {
                "tool": _TAG,
                "target": self.target,
                "state": self.state.value,
                "backup": self.backup,
                "comment": self.original_comment,
            }
        )


def parse_mark(comment: str | None) -> Mark | None:
    """The mark in a comment, or None where it is a comment of somebody else."""
    try:
        document = json.loads(comment or "")
        if document.get("tool") != _TAG:
            return None
        return Mark(document["target"], State(document["state"]), document["backup"], document.get("comment"))
    except (ValueError, KeyError, AttributeError):
        return None


def beside(target: str, suffix: str) -> str:
    """A name beside a target, cut to what PostgreSQL takes, between characters."""
    room = MAX_NAME_BYTES - len(suffix)
    return target.encode()[:room].decode(errors="ignore") + suffix


def new_name(target: str) -> str:
    """A name for the copy that is being filled."""
    return beside(target, f"__dbbackup_new_{secrets.token_hex(4)}")


def old_name(target: str, moment: datetime) -> str:
    """A name for what the target was before."""
    return beside(target, f"__dbbackup_old_{moment.strftime(TIME_FORMAT)}")


def is_unmarked_copy(name: str, target: str) -> bool:
    """Whether a database without a mark was created by a run that was killed before it could mark it."""
    return _SIDE.fullmatch(name) is not None and beside(target, "__dbbackup_new_" + name[-8:]) == name


@dataclass(frozen=True, slots=True)
class Leftover:
    """A database that an earlier run has left beside the target."""

    name: str
    mark: Mark
    size_bytes: int
