"""The role that holds a restore's memberships for its time, and how a later run tells that its restore is gone.

Its name says which session of the server made it. A session that has ended never comes back, so the role of one that
has ended is left over, whatever ended it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_PREFIX = "__dbbackup_acting_"
_NAME = re.compile(rf"{_PREFIX}([0-9]+)_([0-9]+)")
PATTERN = f"^{_NAME.pattern}$"
"""The same for the server."""
COMMENT = "Holds the memberships that a restore needs, for its time; if that was killed, the next one removes it."


def acting_role(process: int, started: int) -> str:
    """The name for a session.

    Args:
        process: the server's process that serves it.
        started: when that began, in microseconds since 1970.
    """
    return f"{_PREFIX}{process}_{started}"


def is_acting_role(name: str) -> bool:
    """Whether a restore gives its role such names."""
    return _NAME.fullmatch(name) is not None


def left_over(names: Iterable[str], sessions: Mapping[int, int | None]) -> tuple[str, ...]:
    """Of these roles the ones whose session has ended.

    Args:
        names: of roles.
        sessions: that the server has, by process; None where we may not see when one began, which may be any.
    """
    found = []
    for name in sorted(names):
        if (parts := _NAME.fullmatch(name)) is None:
            continue
        process, started = map(int, parts.groups())
        if process not in sessions or sessions[process] not in (None, started):
            found.append(name)
    return tuple(found)
