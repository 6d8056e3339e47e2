"""One logical restore: into a copy beside the target, compared, and only then under its name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.database_properties import DatabaseProperties
from dbbackup.core.deadline import NO_DEADLINE, Deadline
from dbbackup.core.errors import (
    Explained,
    InterruptedRunError,
    RefusedError,
    RestoreFailedError,
    RestoreIncompleteError,
)
from dbbackup.core.leftovers import Mark, State, new_name, old_name
from dbbackup.core.manifest import Manifest
from dbbackup.core.ownership_notes import ownership_notes
from dbbackup.core.ports import Progress, ProgressListener, no_progress
from dbbackup.core.restore_failure import Failure, listed
from dbbackup.core.restore_plan import Plan, RestoreOptions, Skip
from dbbackup.core.restore_ports import Cluster, RestoringTools
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.fill import fill, fill_aside, numbers_of
from dbbackup.operations.filling import Filling
from dbbackup.operations.leftovers import Tidied, tidy
from dbbackup.operations.restore_compare import Comparison, compare
from dbbackup.operations.restore_proposal import Proposal, propose
from dbbackup.operations.unrestored_script import unrestored_script

_CHUNK_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """What to restore, and how.

    Attributes:
        source: the archive.
        options: target and ways.
        agree: shown the proposal before anything is changed; raises to stop.
        safety_backup: takes a verified backup of the target; raises where it cannot.
        scratch: folder for a download.
        keep_script: stores the script of what could not be restored, and says where; it raises nothing.
        deadline: when to give up; the target is then as it was.
    """

    source: ArchiveSource
    options: RestoreOptions
    agree: Callable[[Proposal], None]
    safety_backup: Callable[[], Manifest]
    scratch: Path | None = None
    keep_script: Callable[[Iterator[bytes]], str] | None = None
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
        failures: entries of the archive that could not be restored; empty for a complete restore.
        ownership: who owns what, where ownership or grants were left out.
        script: where the script of what was not restored is.
        durations: seconds of each phase, in order.
    """

    target: str
    plan: Plan
    comparison: Comparison
    safety_backup: Manifest | None
    old_database: str | None
    tidied: Tidied
    refused: tuple[Skip, ...] = ()
    failures: tuple[Failure, ...] = ()
    ownership: tuple[str, ...] = ()
    script: str | None = None
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
        proposal = propose(request.source, options, contents, cluster=cluster, tools=tools)
        request.agree(proposal)
        if proposal.plan.blockers:
            raise RefusedError(
                "The restore cannot be done as asked. " + " ".join(proposal.plan.blockers),
                untouched=f"The database {options.target!r} is as it was.",
            )
        tidied = tidy(cluster, options.target)
        safety = None
        if proposal.server.existing is not None and not proposal.plan.in_place:
            with clock.phase("safety backup"):
                safety = request.safety_backup()
        cluster.create_roles(proposal.plan.role_statements)
        not_given_back = stack.enter_context(cluster.acting_as(proposal.plan.acting))
        run = _Run(request, proposal, archive, contents, clock, cluster, tools)
        done = run.in_place() if proposal.plan.in_place else run.beside()
    return RestoreOutcome(
        target=options.target,
        plan=proposal.plan,
        comparison=done.comparison,
        safety_backup=safety,
        old_database=done.old,
        tidied=tidied,
        refused=(*tidied.refused, *done.refused, *not_given_back),
        failures=done.failures,
        ownership=ownership_notes(contents, options, proposal.server.user),
        script=done.script,
        durations=clock.seconds,
    )


@dataclass(frozen=True, slots=True)
class _Done:
    comparison: Comparison
    old: str | None
    failures: tuple[Failure, ...]
    script: str | None
    refused: tuple[Skip, ...] = ()


class _Run:
    """From an agreed proposal to the restored database."""

    def __init__(
        self,
        request: RestoreRequest,
        proposal: Proposal,
        archive: Path,
        contents: TableOfContents,
        clock: _Clock,
        cluster: Cluster,
        tools: RestoringTools,
    ) -> None:
        self._request = request
        self._proposal = proposal
        self._clock = clock
        self._cluster = cluster
        self._tools = tools
        self._filling = Filling(
            archive=archive,
            contents=contents,
            plan=proposal.plan,
            options=request.options,
            server=proposal.server,
            search_paths=proposal.search_paths,
            deadline=request.deadline,
            listener=request.listener,
        )

    def in_place(self) -> _Done:
        """Fill the target itself, which is empty, and beside which we may make no other."""
        target = self._request.options.target
        try:
            failures, comparison = self._fill_and_compare(target)
        except BaseException as error:
            if isinstance(error, Explained):
                error.untouched = f"The database {target!r} was empty, and holds a part of the archive now."
                error.action += f" Before you repeat, let an administrator make {target!r} anew: nothing else is in it."
            raise
        failures += fill_aside(target, self._filling, cluster=self._cluster, tools=self._tools)
        properties = self._proposal.server.properties
        refused = self._cluster.give_all(target, properties) if properties else []
        self._mark_incomplete(failures)
        return _Done(comparison, None, failures, self._keep_script(failures), self._unplanned(refused))

    def beside(self) -> _Done:
        """Fill a copy, and put it in the target's place."""
        request, cluster = self._request, self._cluster
        options, target, existing = request.options, request.options.target, self._proposal.server.existing
        copy = new_name(target)
        swapping = False
        try:
            cluster.create(copy, self._mark(State.RESTORING), self._proposal.server.properties)
            failures, comparison = self._fill_and_compare(copy)
            if existing and failures:
                self._refuse_incomplete(failures)
            properties = cluster.properties(target, self._proposal.server.properties)
            refused = cluster.give_settings(copy, properties) if properties else []
            cluster.mark(copy, self._mark(State.VERIFIED, failures))
            with self._clock.phase("swap"):
                swapping = True
                old = old_name(target, datetime.now(UTC), cluster.names()) if existing else None
                keep_old = options.keep_old or bool(failures)
                comment = properties.comment if properties else None
                mark = None if keep_old else replace(self._mark(State.REPLACED), original_comment=comment)
                refused += cluster.swap(copy, target, old, properties=properties, mark=mark)
                failures += fill_aside(target, self._filling, cluster=cluster, tools=self._tools)
                if not existing:
                    self._mark_incomplete(failures)
                kept = _check_and_drop_old(cluster, target, old, properties, keep=keep_old)
        except BaseException as error:
            if swapping and isinstance(error, InterruptedRunError) and _is_exchanged(cluster, copy, target):
                error.untouched = f"The database {target!r} is the restored copy already, complete and compared."
                error.action = (
                    f"What it replaced may be left as {old!r}: dbbackup restore --resume removes it." if old else ""
                )
            elif not (swapping and isinstance(error, RestoreFailedError)):
                _remove_copy(cluster, copy, error)
            raise
        return _Done(comparison, kept, failures, self._keep_script(failures), self._unplanned(refused))

    def _mark_incomplete(self, failures: tuple[Failure, ...]) -> None:
        if failures:
            without = f"INCOMPLETE: restored from {self._request.source.url} without {listed(failures)}"
            self._cluster.comment(self._request.options.target, without)

    def _unplanned(self, refused: Iterable[Skip]) -> tuple[Skip, ...]:
        planned = {skip.what for skip in self._proposal.plan.skips}
        return tuple(skip for skip in refused if skip.what not in planned)

    def _mark(self, state: State, failures: tuple[Failure, ...] = ()) -> Mark:
        options, source, plan = self._request.options, self._request.source, self._proposal.plan
        local = source.store.local_path(source.key)
        return Mark(
            options.target,
            state,
            str(local.absolute()) if local else source.url,  # a run elsewhere is to find it, too
            manifest_sha256=source.manifest.digest if source.manifest else None,
            owner=options.owner,
            privileges=options.privileges,
            skipped=tuple(sorted(plan.dropped | plan.aside | numbers_of(failures))),
        )

    def _fill_and_compare(self, database: str) -> tuple[tuple[Failure, ...], Comparison]:
        request, target = self._request, self._request.options.target
        with self._clock.phase("restore"):
            failures = fill(database, self._filling, cluster=self._cluster, tools=self._tools)
        with self._clock.phase("compare"):
            request.listener(Progress("compare", 0))
            comparison = compare(
                self._cluster.database(database),
                self._filling.contents,
                request.source.manifest,
                self._proposal.plan.dropped | self._proposal.plan.aside | numbers_of(failures),
                request.options,
                recount=self._recount,
            )
            _refuse_differences(comparison, target)
        return failures, comparison

    def _recount(self) -> Mapping[int, int] | None:
        return self._tools.read_archive(_chunks(self._filling.archive), self._request.deadline).rows

    def _refuse_incomplete(self, failures: tuple[Failure, ...]) -> None:
        if self._request.options.accept_incomplete:
            return
        target, script = self._request.options.target, self._keep_script(failures)
        error = RestoreIncompleteError(
            f"{len(failures)} of {self._filling.contents.entries} entries of {self._request.source.url} could not be "
            f"restored: {listed(failures)}.",
            untouched=f"The database {target!r} is as it was; the incomplete copy is removed.",
            action="Mend the causes and take a new backup; or restore into a new database with --to, where the rest is "
            f"kept and they can be mended; or put the incomplete copy in {target!r}'s place with --accept-incomplete."
            + (f" What is missing is in {script}." if script else ""),
        )
        error.failures = failures
        raise error

    def _keep_script(self, failures: tuple[Failure, ...]) -> str | None:
        if self._request.keep_script is None or not failures:
            return None
        return self._request.keep_script(
            unrestored_script(self._request.source.url, self._filling, failures, tools=self._tools)
        )


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
