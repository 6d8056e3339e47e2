"""How long the work may take before it must be given up in order."""

from __future__ import annotations

import time
from dataclasses import dataclass

from dbbackup.core.errors import DeadlineExceededError


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, in seconds; None for work that may take as long as it needs."""

    at: float | None = None

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """A deadline this many seconds from now; not in the past."""
        return cls(time.monotonic() + max(0.0, seconds))

    def remaining(self) -> float | None:
        """Seconds left, at least 0; None where there is no deadline."""
        return None if self.at is None else max(0.0, self.at - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the moment has come."""
        return self.at is not None and time.monotonic() >= self.at

    def check(self, doing: str) -> None:
        """Raise when the moment has come.

        Raises:
            DeadlineExceededError: naming what was being done.
        """
        if self.passed:
            raise DeadlineExceededError(
                f"The time limit came near while {doing}, so the work was given up in order.",
                untouched="The database and earlier backups are as they were; nothing was stored under a final name.",
                action="Give the function more memory (which is more processor), run it off-peak, or do the same with "
                "the command `dbbackup` from the same image outside Lambda, where no 15-minute limit applies.",
            )


NO_DEADLINE = Deadline()
"""For work that may take as long as it needs."""
