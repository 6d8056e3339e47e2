"""What the options and the environment say of a migration: of which database, to which commit, by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dbbackup.adapters.git_repository import GitRepository
from dbbackup.adapters.requester import requester
from dbbackup.core.git_commit import GitCommit, parse_commit


@dataclass(frozen=True, slots=True)
class Migration:
    """What a receipt says besides the backup."""

    commit: GitCommit | None
    requested_by: str


def repository() -> GitRepository:
    """The repository of the folder that we are started in."""
    return GitRepository(Path.cwd())


def commit_asked(named: str | None, environment: Mapping[str, str]) -> GitCommit | None:
    """The commit of the option, else of the GitHub workflow, else the one that is checked out; None without any.

    Raises:
        InvalidRequestError: what is named is not a commit.
    """
    if named is not None:  # an empty one, of a variable that is not set, is refused and not guessed
        return parse_commit(named)
    of_workflow = environment.get("GITHUB_SHA")
    return parse_commit(of_workflow) if of_workflow else repository().head()


def migration_asked(named: str | None, environment: Mapping[str, str]) -> Migration:
    """What is about to be done, and by whom.

    Raises:
        InvalidRequestError: what is named is not a commit.
    """
    return Migration(commit_asked(named, environment), requester(environment))
