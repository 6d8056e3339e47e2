"""A copy is filled from an archive: in runs of pg_restore, then entry by entry for what it could not make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.deadline import Deadline
from dbbackup.core.fill_order import FillOrder, fill_order
from dbbackup.core.ports import Progress, ProgressListener
from dbbackup.core.restore_failure import Failure, to_repeat
from dbbackup.core.restore_plan import Plan, RestoreOptions, ServerState
from dbbackup.core.restore_ports import Cluster, CopySession, RestoringTools


@dataclass(frozen=True, slots=True)
class Filling:
    """What is filled, from what, and how.

    Attributes:
        archive: the file.
        contents: its table of contents.
        plan: what is left out.
        search_paths: of the database, the one to try first at the beginning.
    """

    archive: Path
    contents: TableOfContents
    plan: Plan
    options: RestoreOptions
    server: ServerState
    search_paths: tuple[str, ...]
    deadline: Deadline
    listener: ProgressListener


def fill(copy: str, filling: Filling, *, cluster: Cluster, tools: RestoringTools) -> tuple[Failure, ...]:
    """Fill an empty database.

    Returns:
        What could not be restored, also when it was tried again.

    Raises:
        RestoreFailedError: the work was ended half-way.
    """
    plan, options = filling.plan, filling.options
    order = fill_order(filling.contents, plan, options, superuser=filling.server.superuser)
    run = _Runs(copy, filling, tools)
    with ExitStack() as stack:
        session = stack.enter_context(cluster.copy_session(copy))
        run.restore(order.schemas, jobs=1)
        stack.enter_context(session.publishing_allowed(order))
        with session.creating_allowed(order):
            run.restore(order.structure, jobs=1)
            run.restore(order.main, jobs=options.jobs)
            run.restore(order.inherited, jobs=options.jobs)
            # What is made at the second try needs the same rights.
            run.repeat(session)
        run.say_grants(session, order, plan.own.keys() - plan.aside)
        run.restore(order.last, jobs=options.jobs)
        run.repeat(session)
    return run.failures()


def fill_aside(target: str, filling: Filling, *, cluster: Cluster, tools: RestoringTools) -> tuple[Failure, ...]:
    """Put in place what lives under the target's name alone, once the copy has that name."""
    run = _Runs(target, filling, tools)
    aside = filling.plan.aside - filling.plan.own.keys()
    numbers = [entry.dump_id for entry in filling.contents.items if entry.dump_id in aside]
    if numbers:
        run.restore(numbers, jobs=1)
        with cluster.copy_session(target) as session:
            run.repeat(session)
            order = fill_order(filling.contents, filling.plan, filling.options, superuser=filling.server.superuser)
            run.say_grants(session, order, filling.plan.own.keys() & filling.plan.aside)
    return run.failures()


class _Runs:
    """Runs of pg_restore into one database, and what failed in them."""

    def __init__(self, database: str, filling: Filling, tools: RestoringTools) -> None:
        self._database = database
        self._filling = filling
        self._tools = tools
        self._done = 0
        self.failed: dict[int, str] = {}

    def restore(self, numbers: Sequence[int], *, jobs: int) -> None:
        filling = self._filling
        self.failed |= self._tools.restore(
            filling.archive,
            self._database,
            numbers,
            filling.options,
            jobs=jobs,
            tablespaces=not filling.plan.no_tablespaces,
            server_major=filling.server.major,
            on_item=self._count,
            deadline=filling.deadline,
        )

    def _count(self) -> None:
        self._done += 1
        total = self._filling.contents.entries
        self._filling.listener(Progress("restore", 0, tables_done=min(self._done, total), tables_total=total))

    def say_grants(self, session: CopySession, order: FillOrder, numbers: AbstractSet[int]) -> None:
        """Say the grants that pg_restore cannot say as this user; last those on schemas, which need no other right."""
        by_id = self._filling.contents.by_id
        inside = {number for number in numbers if by_id[number].schema}
        with session.granting_allowed(order):
            self._say_own(session, inside)
        self._say_own(session, numbers - inside)

    def _say_own(self, session: CopySession, numbers: AbstractSet[int]) -> None:
        for number in sorted(numbers):
            if (words := session.execute(self._filling.plan.own[number])) is not None:
                self.failed[number] = words

    def repeat(self, session: CopySession) -> None:
        """Try what failed once more, one by one in the archive's order, as long as that helps any of it.

        A function that relies on the search path finds its objects now, and what failed for an entry that was not
        there finds that.
        """
        plan = self._filling.plan
        waiting = to_repeat(self._filling.contents, self.failed, plan.dropped | plan.own.keys())
        while waiting:
            left = [number for number in waiting if not self._is_made(session, number)]
            if len(left) == len(waiting):
                break
            waiting = left

    def _is_made(self, session: CopySession, number: int) -> bool:
        filling = self._filling
        entry = filling.contents.by_id[number]
        words: str | None = None
        for path in filling.search_paths:
            filling.deadline.check("restoring")
            script = self._tools.script(
                filling.archive, (number,), filling.options, tablespaces=not filling.plan.no_tablespaces
            )
            with script as chunks:
                words = session.repeat(chunks, entry.copy.encode(filling.contents.encoding, "surrogateescape"), path)
            if words is None:
                self.failed.pop(number, None)
                return True
        # The first time's words stand where these only say that it is half there.
        self.failed[number] = words or self.failed.get(number, "")
        return False

    def failures(self) -> tuple[Failure, ...]:
        by_id = self._filling.contents.by_id
        return tuple(
            Failure(by_id[number].description, words, by_id[number].definition.strip(), number)
            for number, words in sorted(self.failed.items(), key=lambda item: self._place(item[0]))
        )

    def _place(self, number: int) -> int:
        return next(place for place, entry in enumerate(self._filling.contents.items) if entry.dump_id == number)


def numbers_of(failures: Iterable[Failure]) -> frozenset[int]:
    """Numbers of the entries that failed."""
    return frozenset(failure.dump_id for failure in failures if failure.dump_id is not None)
