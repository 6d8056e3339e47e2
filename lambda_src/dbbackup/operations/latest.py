"""The newest backup of one server, by the moment of its data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dbbackup.contract import Tier
from dbbackup.core.errors import NotFoundError
from dbbackup.core.server import Server
from dbbackup.core.server_choice import named, of_server
from dbbackup.operations.catalog import Catalog, CatalogEntry


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which backup ``latest`` means.

    Attributes:
        tier: of this tier; of any, where None.
        database: of this database; of any, where None.
        server: of the server with this name or system identifier; of ours, as far as that is known, where None.
    """

    tier: Tier | None = None
    database: str | None = None
    server: str | None = None


def latest(
    catalog: Catalog, wanted: Wanted, *, ours: Callable[[], Server | None], place: str, what: str = "backup"
) -> CatalogEntry:
    """The newest one. What a restore has set aside is not meant: it is what somebody wanted to get away from.

    Args:
        catalog: what there is, of every tier: whose backups are meant must not depend on which tiers there are.
        wanted: which.
        ours: the server that we have to do with; asked only where backups of several lie there.
        place: where they lie, for messages.
        what: what is looked for, for messages.

    Raises:
        NotFoundError: there is none.
        RefusedError: there are some of several servers, and nothing says which is meant.
    """
    entries = [
        entry
        for entry in catalog.entries
        if not entry.manifest.safety and wanted.database in (None, entry.manifest.source.database)
    ]
    manifests = [entry.manifest for entry in entries]
    if wanted.server is not None:
        chosen = named(manifests, wanted.server, place=place)
    else:
        several = len({manifest.source.origin for manifest in manifests}) > 1
        chosen = of_server(manifests, ours() if several else None, place=place)
    keys = {manifest.archive.key for manifest in chosen if wanted.tier in (None, manifest.tier)}
    newest = next((entry for entry in entries if entry.manifest.archive.key in keys), None)
    if newest is None:
        tier = f"{wanted.tier.value} " if wanted.tier else ""
        of = f" of database {wanted.database!r}" if wanted.database else ""
        of += f" of server {chosen[0].source.server!r}" if chosen else ""
        raise NotFoundError(
            f"There is no {tier}{what}{of} in {place}.",
            untouched="Nothing was changed.",
            action="Check the place and the filters, or take one: `dbbackup backup`.",
        )
    return newest
