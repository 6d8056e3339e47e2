"""What restores that were killed have left beside a target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.archive_toc_reader import read_contents
from dbbackup.core.database_properties import DatabaseProperties
from dbbackup.core.errors import NotFoundError, RestoreFailedError
from dbbackup.core.leftovers import Leftover, State, old_name
from dbbackup.core.manifest import Manifest
from dbbackup.core.needed_roles import needs_of
from dbbackup.core.restore_plan import RestoreOptions, Skip
from dbbackup.core.restore_ports import Cluster
from dbbackup.core.restore_rights import Questions
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.restore_compare import compare


@dataclass(frozen=True, slots=True)
class Tidied:
    """What of earlier runs was removed.

    Attributes:
        databases: copies, and what a swap had replaced.
        roles: roles that held memberships, with which those were given back.
        refused: what the server refused to remove.
    """

    databases: tuple[Leftover, ...] = ()
    roles: tuple[str, ...] = ()
    refused: tuple[Skip, ...] = ()

    @property
    def names(self) -> list[str]:
        """All that was removed."""
        return [*(leftover.name for leftover in self.databases), *self.roles]


def tidy(cluster: Cluster, target: str) -> Tidied:
    """Remove copies that nobody fills any more, what a finished swap has replaced, and memberships of runs gone.

    The caller holds the lock of the target, so the runs that made the databases are gone. What the target was before
    is removed only while the target answers.
    """
    removed = []
    beside = cluster.beside(target)
    for leftover in beside.leftovers:
        if leftover.mark.state is State.REPLACED and not cluster.answers(target):
            raise RestoreFailedError(
                f"{target!r} does not answer, and {leftover.name!r} is what it was before.",
                untouched="Nothing was changed.",
                action=f"Look at the server's log. To go back, rename {leftover.name!r} to {target!r}.",
            )
        cluster.drop(leftover.name)
        removed.append(leftover)
    refused = {role: cluster.remove_acting_role(role) for role in beside.roles}
    return Tidied(
        tuple(removed),
        tuple(role for role, skips in refused.items() if not skips),
        tuple(skip for skips in refused.values() for skip in skips),
    )


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a resumption has done.

    Attributes:
        finished: the copy that is in the target's place now; or what it replaced, where it was there already.
        removed: what was removed.
        old_database: what the target is called now, where there was one.
        refused: what the server refused of the database's properties.
        left_alone: what looks like a restore's and is none, as sentences.
        without: entries of the archive that the copy has not got: they were left out by plan, failed and were
            accepted, or were to follow once the copy had its name.
    """

    finished: Leftover | None
    removed: Tidied
    old_database: str | None
    refused: tuple[Skip, ...] = ()
    left_alone: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


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
        if not beside.leftovers and not beside.roles:
            alone = f" {'; '.join(beside.left_alone)}." if beside.left_alone else ""
            raise NotFoundError(
                f"No restore into {target!r} has left anything to resume.{alone}",
                untouched="Nothing was changed.",
                action="Start a restore: dbbackup restore latest.",
            )
        complete = [each for each in beside.leftovers if each.mark.state is State.VERIFIED]
        if not complete:
            replaced = next((each for each in beside.leftovers if each.mark.state is State.REPLACED), None)
            tidied = tidy(cluster, target)
            without = _without(replaced, _contents_if_known(replaced, find)) if replaced else ()
            return Resumed(replaced, tidied, None, tidied.refused, beside.left_alone, without)
        copy = complete[0]
        source = _source(copy, target, find)
        contents, properties = None, None
        if source is not None and source.manifest is not None:
            contents = _contents(source)
            known = source.manifest.source.known_properties
            properties = known.restricted(owner=copy.mark.owner, privileges=copy.mark.privileges)
        acting = _acting(copy, contents, cluster.properties(target, properties))
        with cluster.acting_as(cluster.rights(Questions(acting=acting)).acting) as not_given_back:
            if source is not None and contents is not None:
                _compare_again(cluster, copy, target, source.manifest, contents)
            names = cluster.names()
            old = old_name(target, datetime.now(UTC), names) if target in names else None
            refused = cluster.swap(copy.name, target, old, properties=properties, mark=None)
        tidied = tidy(cluster, target)
        refused += [*not_given_back, *tidied.refused]
        return Resumed(copy, tidied, old, tuple(refused), beside.left_alone, _without(copy, contents))


def _without(copy: Leftover, contents: TableOfContents | None) -> tuple[str, ...]:
    skipped = frozenset(copy.mark.skipped)
    if contents is None:
        return (f"{len(skipped)} entries of its archive",) if skipped else ()
    return tuple(entry.description for entry in contents.items if entry.dump_id in skipped)


def _acting(copy: Leftover, contents: TableOfContents | None, properties: DatabaseProperties | None) -> frozenset[str]:
    """Roles in whose name the copy is read, given away, and put in the place of what it replaces."""
    found = properties.acting_roles if properties else frozenset[str]()
    if contents is not None:
        found |= needs_of(contents.items).acting(owner=copy.mark.owner, privileges=copy.mark.privileges)
    return found


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


def _contents(source: ArchiveSource) -> TableOfContents:
    version = source.manifest.archive.version_id if source.manifest else None
    with source.store.read(source.key, version) as chunks:
        return read_contents(_reader(chunks))


def _contents_if_known(replaced: Leftover, find: Callable[[str], ArchiveSource | None]) -> TableOfContents | None:
    """Of the archive that what replaced it was filled from; None where that is not there any more."""
    source = find(replaced.mark.backup) if replaced.mark.skipped else None
    if source is None or source.manifest is None or source.manifest.digest != replaced.mark.manifest_sha256:
        return None
    return _contents(source)


def _compare_again(
    cluster: Cluster, copy: Leftover, target: str, manifest: Manifest | None, contents: TableOfContents
) -> None:
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
