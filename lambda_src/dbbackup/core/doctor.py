"""Checks of a machine or an environment: what each found, what to do, and which could not be made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from dbbackup.core.errors import DbBackupError


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    """A backup works, and something about it should be better."""
    FAILED = "failed"
    """No backup, or none that could be relied on, before this is mended."""
    SKIPPED = "skipped"
    """Not made, as a check before it failed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found."""

    status: Status
    found: str
    action: str = ""


def fine(found: str) -> Finding:
    """Nothing to do."""
    return Finding(Status.OK, found)


def warning(found: str, action: str) -> Finding:
    """Something to do when there is time."""
    return Finding(Status.WARNING, found, action)


def failed(found: str, action: str) -> Finding:
    """Something to do first."""
    return Finding(Status.FAILED, found, action)


@dataclass(frozen=True, slots=True)
class Check:
    """One question, and the checks without whose success it cannot be asked."""

    name: str
    ask: Callable[[], Finding]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """One answered question."""

    name: str
    finding: Finding

    @property
    def status(self) -> Status:
        """How it ended."""
        return self.finding.status

    def as_dict(self) -> dict[str, str]:
        """The answer as a document for ``--json``."""
        return {
            "name": self.name,
            "status": self.status.value,
            "found": self.finding.found,
            "action": self.finding.action,
        }


def examine(checks: Iterable[Check]) -> tuple[Result, ...]:
    """Make each check in order; one whose need has failed is skipped and says because of what."""
    results: dict[str, Result] = {}
    for check in checks:
        missing = [name for name in check.needs if results[name].status in (Status.FAILED, Status.SKIPPED)]
        if missing:
            finding = Finding(Status.SKIPPED, f"not looked at, because of: {', '.join(missing)}")
        else:
            try:
                finding = check.ask()
            except DbBackupError as error:
                finding = failed(error.what, error.action)
        results[check.name] = Result(check.name, finding)
    return tuple(results.values())


def to_do(results: Iterable[Result], status: Status) -> tuple[tuple[str, str], ...]:
    """Names and remedies of what ended so, in the order to mend it; one remedy of several checks is named once."""
    remedies: dict[str, list[str]] = {}
    for result in results:
        if result.status is status:
            remedies.setdefault(result.finding.action, []).append(result.name)
    return tuple((", ".join(names), action) for action, names in remedies.items())
