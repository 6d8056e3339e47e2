"""Names of git commits, and whether two of them mean the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Protocol

from dbbackup.core.errors import InvalidRequestError

COMMIT_PATTERN: Final = r"^[0-9a-f]{7,64}$"
"""SHA-1 has 40 digits and SHA-256 has 64; git shows no fewer than 7.

https://git-scm.com/docs/git-config#Documentation/git-config.txt-coreabbrev
"""
SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class GitCommit:
    """A commit.

    Attributes:
        id: hexadecimal, in small letters, 7 to 64 digits.
        dirty: whether the files of the work tree differed from it; None where nobody looked.
    """

    id: str
    dirty: bool | None = None

    def __str__(self) -> str:
        return self.id[:SHOWN] + (" with uncommitted changes" if self.dirty else "")


class Repository(Protocol):
    """The git repository that a command is run in, where it is one."""

    def head(self) -> GitCommit | None:
        """The commit that is checked out; None where there is no git, repository or commit."""

    def commits_between(self, older: str, newer: str) -> int | None:
        """How many commits ``newer`` is ahead of its ancestor ``older``; None where it is no ancestor or not known."""


def parse_commit(text: str) -> GitCommit:
    """A commit that a person or job has named.

    Raises:
        InvalidRequestError: it does not look like one.
    """
    lower = text.strip().lower()
    if not re.fullmatch(COMMIT_PATTERN, lower):
        raise InvalidRequestError(
            f"{text[:80]!r} is not a commit: it takes 7 to 64 hexadecimal digits.",
            untouched="Nothing was connected to.",
            action="Give what `git rev-parse HEAD` prints, not a branch or a tag.",
        )
    return GitCommit(lower)


def is_same(one: str, other: str) -> bool:
    """Whether two names, one of them perhaps shortened, mean the same commit."""
    return one.startswith(other) or other.startswith(one)


def relation(found: str, wanted: str, repository: Repository) -> str:
    """How another commit stands to the wanted one, in words; without its history just that it is another."""
    if ahead := repository.commits_between(found, wanted):
        return f"which is {ahead} commit(s) older than {wanted[:SHOWN]}"
    if ahead := repository.commits_between(wanted, found):
        return f"which is {ahead} commit(s) newer than {wanted[:SHOWN]}"
    return f"which is another than {wanted[:SHOWN]}"
