"""The newest backup of each database in a tier, by reading as little as possible: this runs every few minutes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dbbackup.contract import Tier
from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import MANIFEST_SUFFIX, archive_key, parse_file_name
from dbbackup.core.ports import BackupStore
from dbbackup.operations.catalog import read_manifest

MOST_READ: Final = 10
"""How many sound manifests of one database and tier are read at most: more would cost the probe its time, every five
minutes, where a bucket was filled from another one."""


@dataclass(frozen=True, slots=True)
class Newest:
    """What lies in a tier.

    Attributes:
        manifests: the newest sound backup of each database that has one.
        damaged: what is wrong with newer manifests that cannot be read.
    """

    manifests: dict[str, Manifest]
    damaged: tuple[str, ...]


def newest_backups(store: BackupStore, tier: Tier, databases: Collection[str], server: str) -> Newest:
    """Look a tier through for backups of one server, by its name: what another one has must not hide what is missing.

    A backup is one whose manifest can be read and whose archive is there in the size that was verified. What a restore
    has set aside is none: it is what somebody wanted to get away from.

    Raises:
        StorageError: the store cannot be listed or read.
    """
    found = {item.key: item for item in store.objects(tier)}
    named = []
    for key, item in found.items():
        if key.endswith(MANIFEST_SUFFIX):
            archive = archive_key(key)
            parsed = parse_file_name(archive)
            if parsed and parsed[0] in databases and archive in found:
                named.append(_Candidate(parsed[0], archive, found[archive].size_bytes, parsed[1], item.modified))
    manifests: dict[str, Manifest] = {}
    damaged: list[str] = []
    for database in sorted({each.database for each in named}):
        candidates = _in_order([each for each in named if each.database == database])
        newest = _newest(store, tier, server, candidates, damaged)
        if newest is not None:
            manifests[database] = newest
    return Newest(manifests, tuple(damaged))


@dataclass(frozen=True, slots=True)
class _Candidate:
    database: str
    archive: str
    size_bytes: int
    named: datetime
    written: datetime
    """When its manifest was written, which is after the moment of its data."""


def _in_order(candidates: list[_Candidate]) -> list[_Candidate]:
    """The one with the newest name, then the others by when they were written, newest first.

    Its name says for when a backup was asked, which may be any moment. In a bucket that was filled from another one
    all were written in the same hour; there the name is the best guess.
    """
    by_name = max(candidates, key=lambda each: each.named)
    others = sorted(candidates, key=lambda each: (each.written, each.named), reverse=True)
    return [by_name, *(each for each in others if each is not by_name)]


def _newest(
    store: BackupStore, tier: Tier, server: str, candidates: list[_Candidate], damaged: list[str]
) -> Manifest | None:
    """The sound backup whose data are the newest, among the first :data:`MOST_READ` sound ones.

    What was written before the moment of the best one's data cannot be newer, so as a rule two manifests are read at
    most: a bucket that was filled at once is the only place where the bound ends the search.
    """
    best: Manifest | None = None
    read = 0
    for candidate in candidates:
        if best is not None and (candidate.written <= best.age_reference or read == MOST_READ):
            continue
        try:
            manifest = read_manifest(store, candidate.archive)
        except VerificationFailedError as error:
            damaged.append(str(error))
            continue
        # The life cycle may have taken it since it was listed.
        if manifest and manifest.source.server == server and _is_sound(manifest, tier, candidate):
            read += 1
            if best is None or manifest.age_reference > best.age_reference:
                best = manifest
    return best


def _is_sound(manifest: Manifest, tier: Tier, candidate: _Candidate) -> bool:
    mine = manifest.tier is tier and manifest.source.database == candidate.database
    return mine and not manifest.safety and manifest.archive.size_bytes == candidate.size_bytes
