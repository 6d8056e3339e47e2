"""pg_restore on an archive file: what it holds, what it needs, and its contents into a database."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import NamedTemporaryFile

from dbbackup.adapters.postgres_tools import PostgresTools
from dbbackup.core import commands
from dbbackup.core.deadline import NO_DEADLINE, Deadline
from dbbackup.core.errors import ClientToolError, RestoreFailedError, VerificationFailedError
from dbbackup.core.restore_plan import Plan, RestoreOptions
from dbbackup.core.restore_script import Needs, read_needs
from dbbackup.core.toc import TableOfContents, parse_listing
from dbbackup.core.watchdog import at_deadline

# pg_restore says "creating TABLE ..." or "processing data for table ...", with several jobs "finished item ...".
_ITEM_ALONE = re.compile(r"^pg_restore: (?:creating|processing data|executing)")
_ITEM_IN_PARALLEL = re.compile(r"^pg_restore: (?:creating|finished item)")


class RestoreTools(PostgresTools):
    """The client programs as a restore uses them."""

    def contents(self, archive: Path) -> TableOfContents:
        """The table of contents.

        Raises:
            VerificationFailedError: pg_restore does not take the file for an archive it can read.
            ClientToolError: it lacks the method of compression.
        """
        command = (*commands.list_contents(self._program("pg_restore")), str(archive))
        with self._start(command, connect=False, collect=True) as process:
            status = process.wait()
            if status != 0:
                raise self._unreadable(process.said(), process.ending(status))
            if "not support compression" in process.said():
                raise ClientToolError(
                    f"pg_restore {self.version} in {self.location} cannot decompress the archive: {process.said()}.",
                    untouched="No database was touched.",
                    action="Set PG_BINDIR to client programs that can; those that made the archive could.",
                )
            return parse_listing(process.output.decode(errors="replace"))

    def _unreadable(self, said: str, ending: str) -> VerificationFailedError:
        newer = "unsupported version" in said
        return VerificationFailedError(
            f"The archive cannot be read: {ending}.",
            untouched="No database was touched.",
            action=f"It was made by a newer pg_dump than this pg_restore {self.version}: use client programs of that "
            "major or later (PG_BINDIR)."
            if newer
            else "Check that it is a backup in custom format; `dbbackup verify` looks at it whole.",
        )

    def needs(self, archive: Path) -> Needs:
        """Roles and tablespaces that the structure refers to.

        Raises:
            VerificationFailedError: the structure cannot be read to its end.
        """
        with self._start(commands.write_structure(self._program("pg_restore"), str(archive)), connect=False) as process:
            text = io.StringIO(b"".join(process.chunks()).decode(errors="replace"))
            status = process.wait()
            if status != 0:
                raise self._unreadable(process.said(), process.ending(status))
            return read_needs(line.rstrip("\n") for line in text)

    def restore(
        self,
        archive: Path,
        database: str,
        plan: Plan,
        options: RestoreOptions,
        on_item: Callable[[], None],
        deadline: Deadline = NO_DEADLINE,
    ) -> None:
        """Fill an empty database.

        Raises:
            RestoreFailedError: pg_restore met an error; it stopped at the first.
            DeadlineExceededError: it took too long.
        """
        finished = _ITEM_IN_PARALLEL if options.jobs > 1 else _ITEM_ALONE

        def count(line: str) -> None:
            if finished.match(line):
                on_item()

        with ExitStack() as stack:
            use_list = None
            if plan.use_list is not None:
                file = stack.enter_context(NamedTemporaryFile("w", prefix="restore-", suffix=".list"))
                file.write(plan.use_list)
                file.flush()
                use_list = file.name
            command = commands.restore(
                self._program("pg_restore"),
                str(archive),
                database=database,
                jobs=options.jobs,
                owner=options.owner,
                privileges=options.privileges,
                disable_triggers=options.disable_triggers,
                tablespaces=not plan.no_tablespaces,
                use_list=use_list,
            )
            process = stack.enter_context(self._start(command, connect=True, on_line=count))
            stack.enter_context(at_deadline(deadline, process.kill))
            status = process.wait()  # it writes nothing that would have to be read
            deadline.check("restoring")
            if status != 0:
                raise RestoreFailedError(
                    f"The restore met an error and was stopped: {process.ending(status)}.",
                    untouched=f"The database {options.target!r} is as it was; the unfinished copy is removed.",
                    action=_remedy(process.said()),
                )


def _remedy(said: str) -> str:
    if "No space left on device" in said or "could not extend file" in said:
        return "The server has no room for a second copy: free or add storage, then repeat."
    if "already exists" in said:
        return "Something was created in template0 or by another session; look at the line above, then repeat."
    if "permission denied" in said or "must be" in said:
        return "The user lacks a right: --no-owner --no-privileges leaves ownership and grants out; or use an owner."
    return "Read the lines above, mend the cause, then repeat."
