"""A copy is filled from an archive: in runs of pg_restore, then entry by entry for what it could not make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, ExitStack, nullcontext

from dbbackup.core.fill_order import FillOrder, fill_order
from dbbackup.core.missing_data import refreshed_without, waiting_for_data
from dbbackup.core.ports import Progress
from dbbackup.core.restore_failure import Failure, to_repeat
from dbbackup.core.restore_ports import Cluster, CopySession, RestoringTools
from dbbackup.operations.entry_scripts import entry_scripts
from dbbackup.operations.filling import Filling

_WAITS = "it waits for data that is missing, and which it would change or refuse"


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
            run.restore(run.not_waiting(order.after_data), jobs=options.jobs)
            # What is made at the second try needs the same rights.
            run.repeat(session)
        run.say_grants(session, order, plan.own.keys() - plan.aside)
        missing = frozenset(run.failed)
        run.restore(order.last, jobs=options.jobs)
        run.repeat(session)
        # Data that came only then is to be in the views, too.
        stale = refreshed_without(filling.contents, missing) if missing - run.failed.keys() else frozenset[int]()
        run.restore([number for number in order.last if number in stale - run.failed.keys()], jobs=1)
        run.restore(order.event_triggers, jobs=1)
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

    def not_waiting(self, numbers: Sequence[int]) -> list[int]:
        """Those that need not wait for missing data; the others have failed."""
        waiting = waiting_for_data(self._filling.contents, self.failed.keys())
        self.failed |= {number: _WAITS for number in numbers if number in waiting}
        return [number for number in numbers if number not in waiting]

    def repeat(self, session: CopySession) -> None:
        """Try what failed once more, one by one in the archive's order, as long as that helps any of it.

        A function that relies on the search path finds its objects now, and what failed for an entry that was not
        there finds that.
        """
        plan, contents = self._filling.plan, self._filling.contents
        waiting = to_repeat(contents, self.failed, plan.dropped | plan.own.keys())
        scripts = entry_scripts(self._filling, waiting, self._tools)
        while waiting:
            data = waiting_for_data(contents, self.failed.keys())
            left = {
                number
                for number in waiting
                if number in data or not self._is_made(session, number, scripts.get(number))
            }
            if len(left) == len(waiting):
                break
            # The other way round: what waits for something that comes later is made in one more round, too.
            waiting = [number for number in reversed(waiting) if number in left]

    def _is_made(self, session: CopySession, number: int, script: bytes | None) -> bool:
        entry, words = self._filling.contents.by_id[number], None
        copy = entry.copy.encode(self._filling.contents.encoding, "surrogateescape")
        for path in self._filling.search_paths:
            self._filling.deadline.check("restoring")
            with self._script(number) if script is None else nullcontext(iter((script,))) as chunks:
                words = session.repeat(chunks, copy, path)
            if words is None:
                self.failed.pop(number, None)
                return True
        # The first time's words stand where these only say that it is half there.
        self.failed[number] = words or self.failed.get(number, "")
        return False

    def _script(self, number: int) -> AbstractContextManager[Iterator[bytes]]:
        filling = self._filling
        tablespaces = not filling.plan.no_tablespaces
        return self._tools.script(filling.archive, (number,), filling.options, tablespaces=tablespaces)

    def failures(self) -> tuple[Failure, ...]:
        failed = (entry for entry in self._filling.contents.items if entry.dump_id in self.failed)
        return tuple(
            Failure(entry.description, self.failed[entry.dump_id], entry.definition.strip(), entry.dump_id)
            for entry in failed
        )


def numbers_of(failures: Iterable[Failure]) -> frozenset[int]:
    """Numbers of the entries that failed."""
    return frozenset(failure.dump_id for failure in failures if failure.dump_id is not None)
