"""The rehearsal of the dump plane: the newest backup into a scratch database, checked, and removed again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from dbbackup.contract import SERVICE
from dbbackup.core.deadline import NO_DEADLINE, Deadline
from dbbackup.core.errors import DbBackupError, InterruptedRunError, RefusedError
from dbbackup.core.evidence import Check, Evidence, Plane, Stored
from dbbackup.core.leftovers import beside
from dbbackup.core.manifest import Manifest
from dbbackup.core.ports import BackupStore, ProgressListener, no_progress
from dbbackup.core.restore_failure import listed
from dbbackup.core.restore_plan import RestoreOptions
from dbbackup.core.restore_ports import Cluster, RestoringTools
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.evidence import append
from dbbackup.operations.restore import RestoreOutcome, RestoreRequest, run_restore
from dbbackup.operations.restore_proposal import Proposal

_SCRATCH = "__dbbackup_drill"


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the restored database, whose answer must be true, or a number above zero, or a text."""

    name: str
    statement: str


@dataclass(frozen=True, slots=True)
class DrillRequest:
    """What to rehearse.

    Attributes:
        store: where the backups are and the evidence goes.
        manifest: the backup; it must be one, since its counts are what the copy is compared with.
        jobs: parallel jobs of pg_restore.
        queries: further checks.
        create_roles: create roles that the scratch server does not have.
        template_version: version of the deployed templates, for the evidence.
        deadline: when to give up.
    """

    store: BackupStore
    manifest: Manifest
    jobs: int = 1
    queries: Sequence[Query] = ()
    create_roles: bool = False
    scratch: Path | None = None
    template_version: str | None = None
    deadline: Deadline = NO_DEADLINE
    listener: ProgressListener = no_progress


def run_drill(request: DrillRequest, *, cluster: Cluster, tools: RestoringTools) -> Stored:
    """Rehearse, remove everything temporary, and store the evidence, whatever came of it.

    Returns:
        The evidence. Look at ``evidence.passed``: a rehearsal that failed is evidence, too.

    Raises:
        StorageError: the evidence could not be stored.
        RestoreInProgressError: another rehearsal of this database is running.
    """
    started = datetime.now(UTC)
    plane, failure = rehearse_dump(request, cluster=cluster, tools=tools, started=started)
    return append(
        request.store,
        Evidence(
            database=request.manifest.source.database,
            server=request.manifest.source.server,
            started_at=started,
            finished_at=datetime.now(UTC),
            planes=(plane,) if plane else (),
            failure=f"{failure.code}: {failure.what}" if failure else None,
            software_version=version(SERVICE),
            template_version=request.template_version,
        ),
    )


def rehearse_dump(
    request: DrillRequest, *, cluster: Cluster, tools: RestoringTools, started: datetime
) -> tuple[Plane | None, DbBackupError | None]:
    """Rehearse and remove everything temporary: what was shown, or why there is nothing to show.

    Raises:
        RestoreInProgressError: another rehearsal of this database is running.
    """
    name = request.manifest.source.database
    plane, failure = None, None
    with cluster.lock(f"{_SCRATCH}{name}"):
        # Always the same name: what a rehearsal that was killed has left is found again, and so is the copy that
        # the restore inside it was filling.
        scratch = beside(name, _SCRATCH)
        for leftover in cluster.beside(scratch).leftovers:
            cluster.drop(leftover.name)
        cluster.drop(scratch)
        try:
            plane = _rehearse(request, cluster, tools, scratch, started)
        except InterruptedRunError:
            raise  # whoever stopped it has shown nothing about the backup
        except DbBackupError as error:
            failure = error
        finally:
            removed = _remove(cluster, scratch)
    return (plane.model_copy(update={"removed": removed}) if plane else None), failure


def _remove(cluster: Cluster, scratch: str) -> bool:
    try:
        cluster.drop(scratch)
    except Exception:  # noqa: BLE001 - recorded in the evidence, and the next rehearsal tries again
        return False
    return True


def _rehearse(request: DrillRequest, cluster: Cluster, tools: RestoringTools, scratch: str, started: datetime) -> Plane:
    manifest = request.manifest
    source = ArchiveSource(request.store, manifest.archive.key, manifest)
    clock = time.monotonic()
    outcome = run_restore(
        RestoreRequest(
            source=source,
            options=RestoreOptions(target=scratch, jobs=request.jobs, create_roles=request.create_roles, scratch=True),
            agree=_never_over_something,
            safety_backup=_no_safety_backup,
            scratch=request.scratch,
            deadline=request.deadline,
            listener=request.listener,
        ),
        cluster=cluster,
        tools=tools,
    )
    recovery_seconds = time.monotonic() - clock
    return Plane(
        kind="dump",
        restored_from=source.url,
        restored_into=scratch,
        recovery_point=manifest.snapshot_at,
        recovery_point_age_seconds=max(0.0, (started - manifest.snapshot_at).total_seconds()),
        recovery_seconds=round(recovery_seconds, 3),
        tables=outcome.comparison.tables,
        rows=outcome.comparison.rows,
        checks=(*_counts(manifest, outcome), *(ask(cluster, scratch, query) for query in request.queries)),
        removed=False,
    )


def _never_over_something(proposal: Proposal) -> None:
    if proposal.server.existing is not None:
        raise RefusedError("The scratch database exists already.", untouched="Nothing was changed.")


def _no_safety_backup() -> Manifest:
    raise RefusedError("A rehearsal never replaces anything.", untouched="Nothing was changed.")


def _counts(manifest: Manifest, outcome: RestoreOutcome) -> tuple[Check, ...]:
    exact = sum(table.exact for table in manifest.tables)
    tables = str(len(manifest.tables))
    missing = listed(outcome.failures) if outcome.failures else "none missing"
    return (
        Check(name="entries restored", expected="none missing", found=missing, passed=not outcome.failures),
        Check(name="tables", expected=tables, found=str(outcome.comparison.tables), passed=True),
        Check(
            name="rows of each table",
            expected=f"{exact} tables as counted in the archive",
            found=f"{len(outcome.comparison.differences)} things differ",
            passed=not outcome.comparison.differences,
        ),
    )


def ask(cluster: Cluster, database: str, query: Query) -> Check:
    """Put a question to a database; one that cannot be answered has not passed."""
    try:
        answer = cluster.ask(database, query.statement)
    except DbBackupError as error:
        return Check(name=query.name, expected="an answer", found=error.what, passed=False)
    return Check(name=query.name, expected="true, or above zero", found=str(answer), passed=_holds(answer))


def _holds(answer: str | None) -> bool:
    """Whether an answer says yes: true, a number above zero, or any other text."""
    if answer is None or answer.lower() in ("", "f", "false"):
        return False
    try:
        return float(answer) > 0
    except ValueError:
        return True
