"""What restores that were killed have left beside a target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from dbbackup.core.archive_toc_reader import read_contents
from dbbackup.core.errors import NotFoundError, RestoreFailedError
from dbbackup.core.leftovers import Leftover, State, old_name
from dbbackup.core.restore_plan import RestoreOptions, Skip
from dbbackup.core.restore_ports import Cluster
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.restore_compare import compare


def tidy(cluster: Cluster, target: str) -> list[Leftover]:
    """Remove copies that nobody fills any more, and what a finished swap has replaced.

    The caller holds the lock of the target, so the runs that made them are gone. What the target was before is
    removed only while the target answers.

    Returns:
        What was removed.
    """
    removed = []
    for leftover in cluster.beside(target).leftovers:
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
    """What a resumption has done.

    Attributes:
        finished: the copy that is in the target's place now.
        removed: what was removed.
        old_database: what the target is called now, where there was one.
        refused: what the server refused of the database's properties.
        left_alone: what looks like a restore's and is none, as sentences.
    """

    finished: Leftover | None
    removed: tuple[Leftover, ...]
    old_database: str | None
    refused: tuple[Skip, ...] = ()
    left_alone: tuple[str, ...] = ()


def resume(cluster: Cluster, target: str, find: Callable[[str], ArchiveSource | None]) -> Resumed:
    """Finish a restore that was stopped after its copy was complete, or tidy up after one that was not.

    The copy is compared with the manifest once more: since it was, anybody may have written into it. What a finished
    restore replaces is kept under another name, always: it may have been written to since its safety backup, for as
    long as nobody noticed that the restore was stopped.

    Args:
        cluster: the server.
        target: the database that was restored into.
        find: the archive that a mark names, with its manifest.

    Raises:
        NotFoundError: nothing was left beside this target.
        RestoreFailedError: the names could not be exchanged, or the copy is not what its manifest says.
    """
    with cluster.lock(target):
        beside = cluster.beside(target)
        if not beside.leftovers:
            alone = f" {'; '.join(beside.left_alone)}." if beside.left_alone else ""
            raise NotFoundError(
                f"No restore into {target!r} has left anything to resume.{alone}",
                untouched="Nothing was changed.",
                action="Start a restore: dbbackup restore latest.",
            )
        complete = [each for each in beside.leftovers if each.mark.state is State.VERIFIED]
        if not complete:
            return Resumed(None, tuple(tidy(cluster, target)), None, left_alone=beside.left_alone)
        copy = complete[0]
        source = _source(copy, target, find)
        properties = None
        if source is not None and source.manifest is not None:
            _compare_again(cluster, copy, target, source)
            known = source.manifest.source.known_properties
            properties = known.restricted(owner=copy.mark.owner, privileges=copy.mark.privileges)
        names = cluster.names()
        old = old_name(target, datetime.now(UTC), names) if target in names else None
        refused = cluster.swap(copy.name, target, old, properties=properties, mark=None)
        return Resumed(copy, tuple(tidy(cluster, target)), old, tuple(refused), beside.left_alone)


def _source(copy: Leftover, target: str, find: Callable[[str], ArchiveSource | None]) -> ArchiveSource | None:
    """The archive that the copy was compared with; None where it has no manifest, so that nobody vouches for either."""
    if copy.mark.manifest_sha256 is None:
        return None
    found = find(copy.mark.backup)
    manifest = found.manifest if found else None
    if manifest is None or manifest.digest != copy.mark.manifest_sha256:
        what = "cannot be found" if manifest is None else "is not the one that the copy was compared with"
        raise _not_to_be_trusted(copy, target, f"the manifest of its backup {copy.mark.backup} {what}")
    return found


def _compare_again(cluster: Cluster, copy: Leftover, target: str, source: ArchiveSource) -> None:
    manifest = source.manifest
    with source.store.read(source.key, manifest.archive.version_id if manifest else None) as chunks:
        contents = read_contents(_reader(chunks))
    skipped = frozenset(copy.mark.skipped)
    differences = compare(cluster.database(copy.name), contents, manifest, skipped, RestoreOptions(target)).differences
    if differences:
        raise _not_to_be_trusted(copy, target, f"it is not what was backed up: {'; '.join(differences[:10])}")


def _reader(chunks: Iterator[bytes]) -> Callable[[int], bytes]:
    waiting = bytearray()

    def read(size: int) -> bytes:
        while len(waiting) < size and (chunk := next(chunks, b"")):
            waiting.extend(chunk)
        taken = bytes(waiting[:size])
        del waiting[:size]
        return taken

    return read


def _not_to_be_trusted(copy: Leftover, target: str, why: str) -> RestoreFailedError:
    return RestoreFailedError(
        f"The copy {copy.name!r} is not put in the place of {target!r}: {why}.",
        untouched=f"The database {target!r} and the copy are as they were.",
        action="Restore anew, which removes the copy: dbbackup restore latest.",
    )
