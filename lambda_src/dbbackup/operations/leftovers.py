"""What restores that were killed have left beside a target."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from dbbackup.core.errors import NotFoundError, RestoreFailedError
from dbbackup.core.leftovers import Leftover, State, old_name
from dbbackup.core.restore_ports import Cluster


def tidy(cluster: Cluster, target: str) -> list[Leftover]:
    """Remove copies that nobody fills any more, and what a finished swap has replaced.

    The caller holds the lock of the target, so the runs that made them are gone. What the target was before is
    removed only while the target answers.

    Returns:
        What was removed.
    """
    removed = []
    for leftover in cluster.leftovers(target):
        if leftover.mark.state is State.REPLACED and not cluster.answers(target):
            raise RestoreFailedError(
                f"{target!r} does not answer, and {leftover.name!r} is what it was before.",
                untouched="Nothing was changed.",
                action=f"Look at the server's log. To go back, rename {leftover.name!r} to {target!r}.",
            )
        cluster.drop(leftover.name)
        removed.append(leftover)
    return removed


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a resumption has done."""

    finished: Leftover | None
    removed: tuple[Leftover, ...]
    old_database: str | None


def resume(cluster: Cluster, target: str) -> Resumed:
    """Finish a restore that was stopped after its copy was complete, or tidy up after one that was not.

    What a finished restore replaces is kept under another name, always: it may have been written to since its
    safety backup, for as long as nobody noticed that the restore was stopped.

    Raises:
        NotFoundError: nothing was left beside this target.
        RestoreFailedError: the names could not be exchanged.
    """
    with cluster.lock(target):
        found = cluster.leftovers(target)
        if not found:
            raise NotFoundError(
                f"No restore into {target!r} has left anything to resume.",
                untouched="Nothing was changed.",
                action="Start a restore: dbbackup restore latest.",
            )
        complete = [each for each in found if each.mark.state is State.VERIFIED]
        if not complete:
            return Resumed(None, tuple(tidy(cluster, target)), None)
        copy = complete[0]
        existing = cluster.state(target).existing
        old = old_name(target, datetime.now(UTC)) if existing else None
        cluster.swap(copy.name, target, old, backup=copy.mark.backup, keep_old=True)
        return Resumed(copy, tuple(tidy(cluster, target)), old)
