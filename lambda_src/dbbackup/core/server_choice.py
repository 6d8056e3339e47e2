"""Whose backups ``latest`` means, where those of several servers lie in one place.

A restore onto another server is the worst day's normal one, so no rule here asks that the server is the one that was
backed up: only that nobody has to guess which one was.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from dbbackup.core.errors import RefusedError
from dbbackup.core.manifest import Manifest
from dbbackup.core.server import Server
from dbbackup.core.units import format_time


def of_server(manifests: Sequence[Manifest], ours: Server | None, *, place: str) -> list[Manifest]:
    """Those of one server, in the order that they came in.

    Of the following, the first that there are any of: backups of our very server; of the same cluster under another
    name, after a renaming or a failover; of a cluster that had our name before, after an upgrade or a loss; all.

    Args:
        manifests: of one database.
        ours: the server that we have to do with, as far as it is known.
        place: where they lie, for the message.

    Raises:
        RefusedError: they are of several servers, and nothing says which is meant; the message names the choices.
    """
    everything = list(manifests)
    if ours is None:
        return _one_of(everything, None, place)
    of_cluster = [each for each in everything if ours.system and each.source.system_identifier == ours.system]
    exact = [each for each in of_cluster if each.source.server == ours.name]
    if exact:
        # Through a tunnel or an alias, the same server is backed up under another name, and so is a copy of it.
        newest = max(of_cluster, key=_moment)
        if newest in exact or _is_known_everywhere(ours.name):
            return exact
        raise _several(of_cluster, ours, place)
    of_name = [each for each in everything if each.source.server == ours.name]
    return _one_of(of_cluster or of_name or everything, ours, place)


def _one_of(group: list[Manifest], ours: Server | None, place: str) -> list[Manifest]:
    if group and not _is_one(group):
        raise _several(group, ours, place)
    return group


def named(manifests: Sequence[Manifest], wanted: str, *, place: str) -> list[Manifest]:
    """Those of the server that a person names, by its name or its system identifier.

    Raises:
        RefusedError: there are none, or the name is one that several clusters have.
    """
    found = [each for each in manifests if each.source.origin.answers_to(wanted)]
    if manifests and not found:
        raise RefusedError(
            f"There is no backup of a server {wanted!r} in {place}.",
            untouched="Nothing was changed.",
            action=f"There are backups of these: {_choices(manifests)}.",
        )
    if found and not _is_one(found):
        raise _several(found, None, place)
    return found


def refuse_another(manifest: Manifest, target: str, ours: Server | None, *, how: str = "--server {}") -> None:
    """Refuse to replace a database by one of the same name that another server has, where nobody has said so.

    A new or empty server has nothing to replace, and a copy under another name was asked for by that name.

    Args:
        manifest: of the backup that was chosen.
        target: the database that is there.
        ours: the server that it is on.
        how: what to say to choose it all the same.

    Raises:
        RefusedError: it is another server's.
    """
    origin = manifest.source.origin
    if target != manifest.source.database or ours is None:
        return
    if origin.is_same(ours) or (ours.system is not None and origin.system == ours.system):
        return
    raise RefusedError(
        f"The latest backup of {target!r} is of {origin}, and the database {target!r} that would be replaced is on "
        f"{ours}, of which there is none.",
        untouched="Nothing was changed.",
        action=f"If that is meant, say so: {how.format(origin.system or origin.name)}. Or restore it beside, under "
        "another name.",
    )


def _is_one(manifests: Sequence[Manifest]) -> bool:
    """Whether all are of one server.

    Of one cluster they are, unless it has several names that mean something everywhere: then one is a copy. Of several
    clusters they are where these had such a name one after the other: it was upgraded, or replaced. Clusters that are
    backed up in turn are several servers, and of two with a name like ``localhost`` nobody knows.
    """
    names = {each.source.server for each in manifests}
    systems = {each.source.system_identifier for each in manifests}
    if len(systems) == 1 and None not in systems:
        return sum(map(_is_known_everywhere, names)) < 2
    if len(names) > 1:
        return False
    return len(systems - {None}) < 2 or (_is_known_everywhere(names.pop()) and _one_after_the_other(manifests))


def _is_known_everywhere(name: str) -> bool:
    """Whether a name cannot well be another server's: an RDS instance or a full host name, no ``localhost``."""
    host, colon, _ = name.rpartition(":")
    return not colon or ("." in host and not host.replace(".", "").isdecimal())


def _moment(manifest: Manifest) -> datetime:
    return manifest.snapshot_at


def _one_after_the_other(manifests: Sequence[Manifest]) -> bool:
    ordered = sorted(manifests, key=_moment)
    changes = sum(one.source.system_identifier != other.source.system_identifier for one, other in pairwise(ordered))
    return changes < len({each.source.system_identifier for each in manifests})


def _several(manifests: Sequence[Manifest], ours: Server | None, place: str) -> RefusedError:
    us = f", and which of them is {ours} is not certain" if ours else ""
    database = manifests[0].source.database
    return RefusedError(
        f"Backups of {database!r} in {place} are of several servers{us}.",
        untouched="Nothing was changed.",
        action=f"Say which is meant, with one of: {_choices(manifests)}.",
    )


def _choices(manifests: Sequence[Manifest]) -> str:
    """What to write for each server, with its newest backup: its name, or its system where the name is not enough."""
    newest: dict[Server, Manifest] = {}
    for each in sorted(manifests, key=_moment):
        newest[each.source.origin] = each
    names = [origin.name for origin in newest]
    lines = []
    for origin, manifest in newest.items():
        ambiguous = names.count(origin.name) > 1 and origin.system
        word, rest = (origin.system, f"once {origin.name}, ") if ambiguous else (origin.name, "")
        lines.append(f"--server {word} ({rest}newest data of {format_time(manifest.snapshot_at)})")
    return "; ".join(lines)
