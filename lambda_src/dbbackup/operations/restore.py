"""One logical restore: into a copy beside the target, compared, and only then under its name."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from dbbackup.core.archive_toc_reader import read_contents
from dbbackup.core.database_plan import with_database
from dbbackup.core.database_properties import DatabaseProperties
from dbbackup.core.deadline import NO_DEADLINE, Deadline
from dbbackup.core.errors import (
    Explained,
    InterruptedRunError,
    RefusedError,
    RestoreFailedError,
    VerificationFailedError,
)
from dbbackup.core.leftovers import Leftover, Mark, State, new_name, old_name
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import roles_key
from dbbackup.core.ports import Progress, ProgressListener, no_progress
from dbbackup.core.restore_plan import Plan, RestoreOptions, ServerState, Skip, make_plan
from dbbackup.core.restore_ports import Cluster, RestoringTools
from dbbackup.core.restore_script import statements_for
from dbbackup.core.toc import TableOfContents
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.leftovers import tidy
from dbbackup.operations.restore_compare import Comparison, compare, wanted

_CHUNK_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a person is asked to agree to."""

    source: ArchiveSource
    options: RestoreOptions
    server: ServerState
    plan: Plan


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """What to restore, and how.

    Attributes:
        source: the archive.
        options: target and ways.
        agree: shown the proposal before anything is changed; raises to stop.
        safety_backup: takes a verified backup of the target; raises where it cannot.
        scratch: folder for a download.
        deadline: when to give up; the target is then as it was.
    """

    source: ArchiveSource
    options: RestoreOptions
    agree: Callable[[Proposal], None]
    safety_backup: Callable[[], Manifest]
    scratch: Path | None = None
    deadline: Deadline = NO_DEADLINE
    listener: ProgressListener = no_progress


@dataclass(frozen=True, slots=True)
class RestoreOutcome:
    """A restored database.

    Attributes:
        target: its name.
        plan: what was left out.
        comparison: what it holds.
        safety_backup: manifest of what it replaced; None where there was nothing.
        old_database: name of what it replaced, where that was kept.
        tidied: what earlier runs had left and this one removed.
        refused: what the server refused of the database's properties although the plan expected otherwise.
        durations: seconds of each phase, in order.
    """

    target: str
    plan: Plan
    comparison: Comparison
    safety_backup: Manifest | None
    old_database: str | None
    tidied: tuple[Leftover, ...]
    refused: tuple[Skip, ...] = ()
    durations: dict[str, float] = field(default_factory=dict)


class _Clock:
    """Seconds of each phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - started, 3)


def run_restore(request: RestoreRequest, *, cluster: Cluster, tools: RestoringTools) -> RestoreOutcome:
    """Restore one archive.

    However it ends, and whatever kills it: the target answers under its name, as it was or complete and compared.

    Raises:
        DbBackupError: the target is as it was.
    """
    options = request.options
    clock = _Clock()
    with cluster.lock(options.target), ExitStack() as stack:
        with clock.phase("read"):
            archive = stack.enter_context(request.source.file(request.scratch, request.listener))
        contents = tools.contents(archive)
        proposal = _propose(request, cluster, tools, archive, contents)
        request.agree(proposal)
        if proposal.plan.blockers:
            raise RefusedError(
                "The restore cannot be done as asked. " + " ".join(proposal.plan.blockers),
                untouched=f"The database {options.target!r} is as it was.",
            )
        tidied = tidy(cluster, options.target)
        safety = None
        if proposal.server.existing is not None:
            with clock.phase("safety backup"):
                safety = request.safety_backup()
        comparison, old, refused = _fill_and_swap(request, cluster, tools, archive, contents, proposal, clock)
    return RestoreOutcome(options.target, proposal.plan, comparison, safety, old, tuple(tidied), refused, clock.seconds)


def _propose(
    request: RestoreRequest, cluster: Cluster, tools: RestoringTools, archive: Path, contents: TableOfContents
) -> Proposal:
    options, manifest = request.options, request.source.manifest
    wanted_properties = None
    if manifest is not None:
        wanted_properties = manifest.source.known_properties.restricted(
            owner=options.owner, privileges=options.privileges
        )
    state = cluster.state(options.target, wanted_properties)
    wanted_oids = None
    if options.partial:
        if manifest is None:
            raise RefusedError(
                "A part of an archive can be chosen by its manifest only, and this one has none.",
                untouched="Nothing was changed.",
                action="Restore it whole into a new database with --to, and take from there what you need.",
            )
        wanted_oids = _chosen_oids(manifest, options)
    plan = make_plan(
        contents,
        tools.needs(archive),
        state,
        options,
        client_major=tools.major,
        wanted_oids=wanted_oids,
        has_role_dump=manifest is not None,
    )
    plan = with_database(plan, state, options, manifest.source.known_properties if manifest else None)
    return Proposal(request.source, options, state, plan)


def _chosen_oids(manifest: Manifest, options: RestoreOptions) -> frozenset[int]:
    known = {(table.schema_name, table.table) for table in manifest.tables}
    missing = [".".join(table) for table in options.tables if table not in known]
    missing += [schema for schema in options.schemas if schema not in {name for name, _ in known}]
    if missing:
        raise RefusedError(
            f"The backup has no data of {', '.join(missing)}.",
            untouched="Nothing was changed.",
            action="The manifest names its tables: dbbackup list --json, or read the .manifest.json itself.",
        )
    return frozenset(table.oid for table in manifest.tables if wanted((table.schema_name, table.table), options))


def _fill_and_swap(
    request: RestoreRequest,
    cluster: Cluster,
    tools: RestoringTools,
    archive: Path,
    contents: TableOfContents,
    proposal: Proposal,
    clock: _Clock,
) -> tuple[Comparison, str | None, tuple[Skip, ...]]:
    options, manifest = request.options, request.source.manifest
    target, existing = options.target, proposal.server.existing
    copy = new_name(target)
    marked = _marks(request, proposal)
    swapping = False
    try:
        with clock.phase("restore"):
            if proposal.plan.roles_to_create and manifest is not None:
                cluster.create_roles(_role_statements(request.source, manifest, proposal))
            cluster.create(copy, marked(State.RESTORING), proposal.server.properties)
            done = _ItemCounter(contents.entries, request.listener)
            tools.restore(archive, copy, proposal.plan, options, done.one_more, request.deadline)
        with clock.phase("compare"):
            request.listener(Progress("compare", 0))
            with archive.open("rb") as file:
                whole = read_contents(file.read)
            comparison = compare(
                cluster.database(copy),
                whole,
                manifest,
                proposal.plan.dropped,
                options,
                recount=lambda: tools.read_archive(_chunks(archive), request.deadline).rows,
            )
            _refuse_differences(comparison, target)
        properties = cluster.properties(target) or proposal.server.properties
        refused = cluster.give_settings(copy, properties) if properties else []
        cluster.mark(copy, marked(State.VERIFIED))
        with clock.phase("swap"):
            swapping = True
            old = old_name(target, datetime.now(UTC)) if existing else None
            comment = properties.comment if properties else None
            mark = None if options.keep_old else replace(marked(State.REPLACED), original_comment=comment)
            refused += cluster.swap(copy, target, old, properties=properties, mark=mark)
            kept = _check_and_drop_old(cluster, target, old, properties, keep=options.keep_old)
    except BaseException as error:
        if swapping and isinstance(error, InterruptedRunError) and _is_exchanged(cluster, copy, target):
            error.untouched = f"The database {target!r} is the restored copy already, complete and compared."
            error.action = (
                f"What it replaced may be left as {old!r}: dbbackup restore --resume removes it." if old else ""
            )
        elif not (swapping and isinstance(error, RestoreFailedError)):
            _remove_copy(cluster, copy, error)
        raise
    planned = {skip.what for skip in proposal.plan.skips}
    return comparison, kept, tuple(skip for skip in refused if skip.what not in planned)


def _marks(request: RestoreRequest, proposal: Proposal) -> Callable[[State], Mark]:
    options, source, manifest = request.options, request.source, request.source.manifest
    local = source.store.local_path(source.key)
    archive = str(local.absolute()) if local else source.url  # a run elsewhere is to find it, too

    def mark(state: State) -> Mark:
        return Mark(
            options.target,
            state,
            archive,
            manifest_sha256=manifest.digest if manifest else None,
            owner=options.owner,
            privileges=options.privileges,
            skipped=tuple(sorted(proposal.plan.dropped)),
        )

    return mark


def _chunks(archive: Path) -> Iterator[bytes]:
    with archive.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _is_exchanged(cluster: Cluster, copy: str, target: str) -> bool:
    return all(leftover.name != copy for leftover in cluster.beside(target).leftovers)


def _refuse_differences(comparison: Comparison, target: str) -> None:
    if comparison.differences:
        raise RestoreFailedError(
            "The restored copy is not what was backed up: " + "; ".join(comparison.differences[:10]) + ".",
            untouched=f"The database {target!r} is as it was; the copy is removed.",
            action="Try another backup, and report what differs: it should not happen.",
        )


def _check_and_drop_old(
    cluster: Cluster, target: str, old: str | None, properties: DatabaseProperties | None, *, keep: bool
) -> str | None:
    """Drop what the target was, once the new one answers; its name where it is still there, and stays."""
    if not cluster.answers(target):
        raise RestoreFailedError(
            f"The restored database {target!r} was put in place and does not answer.",
            untouched=f"What it replaced is whole, as {old!r}." if old else "",
            action="Connect by hand and look at the server's log; swap the names back if need be.",
        )
    if old is not None and not keep:
        try:
            cluster.drop(old)
        except RestoreFailedError:  # the restore is done all the same
            if properties is not None:
                cluster.give_back(old, properties)
            return old
        return None
    return old


def _remove_copy(cluster: Cluster, copy: str, error: BaseException) -> None:
    """Remove the unfinished copy; after a swap there is none of that name."""
    try:
        cluster.drop(copy)
    except Exception:  # noqa: BLE001 - the failure that led here is the one to report
        if isinstance(error, Explained):
            error.action += f" The unfinished copy {copy!r} is still there; the next restore removes it."


def _role_statements(source: ArchiveSource, manifest: Manifest, proposal: Proposal) -> list[str]:
    with source.store.read(roles_key(source.key)) as chunks:
        body = b"".join(chunks)
    if hashlib.sha256(body).hexdigest() != manifest.roles.sha256:
        raise VerificationFailedError(
            f"The role dump {source.store.url(roles_key(source.key))} is not what was backed up: its SHA-256 is not "
            "that of the manifest.",
            untouched=f"The database {proposal.options.target!r} is as it was, and no role was created.",
            action="Create the roles by hand, or leave them out with --no-owner --no-privileges.",
        )
    return statements_for(body.decode(), proposal.plan.roles_to_create, existing=proposal.server.roles)


class _ItemCounter:
    """Counts restored entries and tells the listener."""

    def __init__(self, total: int, listener: ProgressListener) -> None:
        self._done = 0
        self._total = total
        self._listener = listener

    def one_more(self) -> None:
        self._done += 1
        self._listener(Progress("restore", 0, tables_done=min(self._done, self._total), tables_total=self._total))
