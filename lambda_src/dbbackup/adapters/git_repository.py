"""What git knows of the folder that a command is run in."""

from __future__ import annotations

import os
import re
from pathlib import Path

from dbbackup.adapters.process import Process, child_environment
from dbbackup.core.git_commit import COMMIT_PATTERN, GitCommit


class GitRepository:
    """A folder that may be part of a repository; without git, or outside of one, nothing is known."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def head(self) -> GitCommit | None:
        """The commit that is checked out, and whether tracked files differ from it."""
        found = self._ask("rev-parse", "--verify", "--quiet", "HEAD")
        if found is None or not re.fullmatch(COMMIT_PATTERN, found):
            return None
        # What git does not track is not part of a commit that could be checked out again, and builds leave much of it.
        changed = self._ask("status", "--porcelain", "--untracked-files=no")
        return GitCommit(found, dirty=None if changed is None else bool(changed))

    def commits_between(self, older: str, newer: str) -> int | None:
        """How many commits ``newer`` is ahead of its ancestor ``older``."""
        if self._ask("merge-base", "--is-ancestor", older, newer) is None:
            return None
        counted = self._ask("rev-list", "--count", f"{older}..{newer}")
        return int(counted) if counted and counted.isdecimal() else None

    def _ask(self, *arguments: str) -> str | None:
        """What git answers; None where it fails or is not there."""
        environment = child_environment(os.environ, {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"})
        try:
            with Process(("git", "-C", str(self._folder), *arguments), environment, collect=True) as git:
                return git.output.decode(errors="replace").strip() if git.wait() == 0 else None
        except OSError:
            return None
