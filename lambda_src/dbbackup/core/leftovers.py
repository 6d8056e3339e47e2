"""Databases that a restore makes beside its target, and how a later run recognizes them.

Each carries a mark as its comment, which moves with the database when it is renamed. So whatever moment a restore
was killed at, the next run sees what is there and what it is for.

A database's owner may write any comment. So a mark counts only in a database that belongs to whoever restores, which
nobody else can bring about, and under a name that a restore into this target gives.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dbbackup.core.naming import TIME_FORMAT

MAX_NAME_BYTES = 63
"""NAMEDATALEN - 1: https://www.postgresql.org/docs/current/limits.html"""
MAX_MARK = 1_000_000
"""Characters. A longer comment is none of ours."""
_MAX_COMMENT = 2_000  # of the original one, which helps whoever goes back by hand; each may take twelve
_TAG = "dbbackup"
_NEW = "__dbbackup_new_"
_OLD = "__dbbackup_old_"
_NEW_SUFFIX = re.compile(r"[0-9a-f]{8}")
_OLD_SUFFIX = re.compile(r"[0-9]{8}_[0-9]{6}")


class State(StrEnum):
    """What a database beside the target is."""

    RESTORING = "restoring"
    """Being filled; worthless if its run is gone."""
    VERIFIED = "verified"
    """Complete and compared, not yet under its name."""
    REPLACED = "replaced"
    """What the target was before, and not to be kept."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a database beside a target says of itself.

    Attributes:
        target: the database that it is beside.
        state: what it is.
        backup: the archive it was, or was to be, filled from.
        original_comment: what the comment was before.
        manifest_sha256: of the backup's manifest; None for an archive without one.
        owner: whether it is to get the owner that was recorded.
        privileges: whether it is to get the grants.
        skipped: numbers of the archive's entries that it was not to get.
    """

    target: str
    state: State
    backup: str
    original_comment: str | None = None
    manifest_sha256: str | None = None
    owner: bool = True
    privileges: bool = True
    skipped: tuple[int, ...] = ()

    def to_comment(self) -> str:
        """The mark as the database's comment."""
        return json.dumps(
            {
                "tool": _TAG,
                "target": self.target,
                "state": self.state.value,
                "backup": self.backup,
                "comment": None if self.original_comment is None else self.original_comment[:_MAX_COMMENT],
                "manifest_sha256": self.manifest_sha256,
                "owner": self.owner,
                "privileges": self.privileges,
                "skipped": self.skipped,
            }
        )


def parse_mark(comment: str | None) -> Mark | None:
    """The mark in a comment, or None where it is a comment of somebody else."""
    if comment is None or len(comment) > MAX_MARK:
        return None
    try:
        document = json.loads(comment)
        if document.get("tool") != _TAG:
            return None
        return Mark(
            target=_text(document["target"]),
            state=State(document["state"]),
            backup=_text(document["backup"]),
            original_comment=_text_or_none(document.get("comment")),
            manifest_sha256=_text_or_none(document.get("manifest_sha256")),
            owner=_flag(document.get("owner", True)),
            privileges=_flag(document.get("privileges", True)),
            skipped=tuple(_number(number) for number in _list(document.get("skipped", []))),
        )
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no number")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def beside(target: str, suffix: str) -> str:
    """A name beside a target, cut to what PostgreSQL takes, between characters."""
    room = MAX_NAME_BYTES - len(suffix)
    return target.encode()[:room].decode(errors="ignore") + suffix


def new_name(target: str) -> str:
    """A name for the copy that is being filled."""
    return beside(target, _NEW + secrets.token_hex(4))


def old_name(target: str, moment: datetime, taken: Collection[str] = ()) -> str:
    """A name for what the target was before: the moment, or the first second after it that no other has taken."""
    while (name := beside(target, _OLD + moment.strftime(TIME_FORMAT))) in taken:
        moment += timedelta(seconds=1)
    return name


def is_new_name(name: str, target: str) -> bool:
    """Whether a restore into the target gives its copies such names."""
    return _NEW_SUFFIX.fullmatch(name[-8:]) is not None and beside(target, _NEW + name[-8:]) == name


def is_old_name(name: str, target: str) -> bool:
    """Whether a restore gives such names to what the target was before."""
    return _OLD_SUFFIX.fullmatch(name[-15:]) is not None and beside(target, _OLD + name[-15:]) == name


@dataclass(frozen=True, slots=True)
class Found:
    """A database of the server.

    Attributes:
        name: its name.
        owner: whose it is.
        ours: whether that is whoever restores.
        comment: its comment, or the beginning of one that is too long to be a mark.
    """

    name: str
    owner: str
    ours: bool
    comment: str | None


@dataclass(frozen=True, slots=True)
class Leftover:
    """A database that an earlier run has left beside the target."""

    name: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Beside:
    """What there is beside a target.

    Attributes:
        leftovers: what earlier runs have left, for the next one to remove or to finish.
        left_alone: what looks like it and is none, as sentences.
        roles: that held memberships for restores of ours, into whatever target, that are gone.
    """

    leftovers: tuple[Leftover, ...] = ()
    left_alone: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


def sort_out(target: str, databases: Iterable[Found]) -> Beside:
    """Tell what earlier restores into a target have left from what others have made, renamed or kept."""
    leftovers = []
    left_alone = []
    for found in databases:
        if found.name == target:
            continue
        mark = parse_mark(found.comment)
        if mark is not None and mark.target != target:
            continue
        fits = is_new_name(found.name, target), is_old_name(found.name, target)
        if mark is None and fits == (False, False):
            continue
        if mark is None and fits[1]:
            left_alone.append(f"{found.name!r} is what an earlier restore has replaced and kept; it stays")
        elif not found.ours:
            left_alone.append(f"{found.name!r} looks like a restore's and belongs to {found.owner}; it is left alone")
        elif mark is None:  # created by a run that was killed before it could mark it
            leftovers.append(Leftover(found.name, Mark(target, State.RESTORING, "")))
        elif fits[mark.state is State.REPLACED]:
            leftovers.append(Leftover(found.name, mark))
        else:
            left_alone.append(f"{found.name!r} has the mark of a restore and another name; it is left alone")
    return Beside(tuple(leftovers), tuple(left_alone))
