"""The two ways back, tried on the temporary instance: what was restored to a point in time, and the newest dump."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dbbackup.contract_rehearsal import PLANE_POINT_IN_TIME
from dbbackup.core.errors import NotFoundError
from dbbackup.core.evidence import Check, Plane
from dbbackup.core.glacier import ARCHIVE_CLASSES
from dbbackup.core.manifest import Manifest
from dbbackup.core.pitr_ports import RestoredServer, WatchedTable
from dbbackup.core.ports import BackupStore
from dbbackup.core.restore_ports import Cluster, RestoringTools
from dbbackup.operations.catalog import read_catalog
from dbbackup.operations.drill import DrillRequest, Query, ask, rehearse_dump
from dbbackup.operations.pitr_verify import verify_restored
from dbbackup.operations.rehearsal_instance import RehearsalOrder


@dataclass(frozen=True, slots=True)
class QueryOf:
    """A question to one of the databases."""

    database: str
    query: Query


def rehearse_point_in_time(
    order: RehearsalOrder,
    *,
    server: RestoredServer,
    cluster: Cluster,
    databases: Sequence[str],
    watched: Sequence[WatchedTable],
    queries: Sequence[QueryOf],
) -> Plane:
    """Look at what was restored, as a real recovery would, and ask the configured questions.

    Raises:
        ConnectionFailedError: the server cannot be reached or does not let us in.
        RestoredDataError: it does not hold what it should.
    """
    clock = time.monotonic()
    point = order.restore_order().restore_time
    found = verify_restored(
        server, target=order.target, databases=databases, watched=watched, restore_time=point, latest=True
    )
    asked = [
        replace_name(ask(cluster, each.database, each.query), f"{each.database}: {each.query.name}") for each in queries
    ]
    seconds = order.elapsed_seconds + time.monotonic() - clock
    tables = rows = 0
    for name in databases:
        with cluster.database(name).session("rehearsal") as session:
            session.export_snapshot()
            counted = session.count_rows()
        tables += counted.tables
        rows += counted.rows
    return Plane(
        kind=PLANE_POINT_IN_TIME,
        restored_from=order.source,
        restored_into=order.target,
        recovery_point=point,
        recovery_point_age_seconds=max(0.0, (order.started - point).total_seconds()),
        recovery_seconds=round(seconds, 3),
        tables=tables,
        rows=rows,
        checks=(*(Check.model_validate(each) for each in found["checks"]), *asked),
        removed=False,
    )


def replace_name(check: Check, name: str) -> Check:
    """The same check under another name."""
    return check.model_copy(update={"name": name})


def newest_readable(store: BackupStore, database: str, server: str) -> Manifest:
    """The newest verified backup of a database of a server, by its name, that can be read at once.

    A weekly or monthly one is in Glacier from its first midnight on; the daily one before it is rehearsed then.

    Raises:
        NotFoundError: there is none.
    """
    for entry in read_catalog(store, database=database).entries:
        if entry.manifest.safety or entry.manifest.source.server != server:
            continue
        if entry.archive is None or entry.archive.storage_class not in ARCHIVE_CLASSES:
            return entry.manifest
    raise NotFoundError(
        f"There is no backup of {database} of {server} in {store.location} that can be read at once.",
        untouched="Nothing was restored.",
        action="Take one, and start the rehearsal again.",
    )


def rehearse_newest_dump(request: DrillRequest, *, started: datetime, cluster: Cluster, tools: RestoringTools) -> Plane:
    """Restore a dump into a scratch database, compare it with its manifest, ask the questions, and remove it.

    Raises:
        DbBackupError: it could not be restored, or is not what was backed up.
    """
    name = request.manifest.source.database
    plane, failure = rehearse_dump(request, cluster=cluster, tools=tools, started=started)
    if plane is None or failure is not None:
        assert failure is not None
        raise failure
    checks = tuple(replace_name(check, f"{name}: {check.name}") for check in plane.checks)
    return plane.model_copy(update={"checks": checks})


def questions(request: DrillRequest, queries: Sequence[QueryOf]) -> DrillRequest:
    """The request with the questions to its own database."""
    name = request.manifest.source.database
    return replace(request, queries=tuple(each.query for each in queries if each.database == name))
