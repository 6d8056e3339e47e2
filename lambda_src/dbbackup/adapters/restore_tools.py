"""pg_restore on an archive file: what it holds, its entries into a database, and as a script."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dbbackup.adapters.postgres_tools import PostgresTools
from dbbackup.adapters.private_file import PrivateFile
from dbbackup.core import commands
from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.archive_toc_reader import MAGIC, read_contents
from dbbackup.core.deadline import NO_DEADLINE, Deadline
from dbbackup.core.errors import ClientToolError, RestoreFailedError, VerificationFailedError
from dbbackup.core.restore_errors import RestoreErrors
from dbbackup.core.restore_plan import RestoreOptions
from dbbackup.core.watchdog import at_deadline

# pg_restore says "creating TABLE ..." or "processing data for table ...", with several jobs "finished item ...".
_ITEM_ALONE = re.compile(r"^pg_restore: (?:creating|processing data|executing)")
_CONTENTS = "toc.dat"
_ITEM_IN_PARALLEL = re.compile(r"^pg_restore: (?:creating|finished item)")


class RestoreTools(PostgresTools):
    """The client programs as a restore uses them."""

    def contents(self, archive: Path) -> TableOfContents:
        """The table of contents, once pg_restore has shown that it can read the archive.

        Raises:
            VerificationFailedError: this is not an archive, or not a whole one.
            ClientToolError: pg_restore lacks the method of compression, or is older than the archive.
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
        return contents_of(archive)

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

    def restore(
        self,
        archive: Path,
        database: str,
        numbers: Sequence[int],
        options: RestoreOptions,
        *,
        jobs: int,
        tablespaces: bool,
        server_major: int,
        on_item: Callable[[], None],
        deadline: Deadline = NO_DEADLINE,
    ) -> dict[int, str]:
        """Restore entries into a database; an error ends the entry that it belongs to, and nothing else.

        Returns:
            What pg_restore said of each entry that failed, by its number.

        Raises:
            RestoreFailedError: pg_restore did not come to its end, or an error belongs to no entry.
            DeadlineExceededError: it took too long.
        """
        if not numbers:
            return {}
        errors = RestoreErrors(server_major, numbers, parallel=jobs > 1)
        finished = _ITEM_IN_PARALLEL if jobs > 1 else _ITEM_ALONE

        def listen(line: str) -> None:
            errors.line(line)
            if finished.match(line):
                on_item()

        with _list(numbers) as entries:
            command = commands.restore(
                self._program("pg_restore"),
                str(archive),
                database=database,
                jobs=jobs,
                owner=options.owner,
                privileges=options.privileges,
                disable_triggers=options.disable_triggers,
                tablespaces=tablespaces,
                use_list=entries.path,
            )
            with (
                self._start(command, connect=True, on_line=listen, entries=entries) as process,
                at_deadline(deadline, process.kill),
            ):
                status = process.wait()  # it writes nothing that would have to be read
                deadline.check("restoring")
                if errors.others or errors.lost or (status != 0 and not errors.gone_on):
                    raise RestoreFailedError(
                        f"The restore met an error and was stopped: {process.ending(status)}.",
                        untouched=f"The database {options.target!r} is as it was; the unfinished copy is removed.",
                        action=_remedy(process.said()),
                    )
        return errors.by_entry

    @contextmanager
    def script(
        self, archive: Path, numbers: Sequence[int], options: RestoreOptions, *, tablespaces: bool
    ) -> Iterator[Iterator[bytes]]:
        """What pg_restore would say to restore these entries, data among it, for psql.

        Raises:
            VerificationFailedError: the archive cannot be read to its end.
        """
        with _list(numbers) as entries:
            command = commands.write_script(
                self._program("pg_restore"),
                str(archive),
                owner=options.owner,
                privileges=options.privileges,
                tablespaces=tablespaces,
                use_list=entries.path,
            )
            with self._start(command, connect=False, entries=entries) as process:
                yield process.chunks()
                status = process.wait()
                if status != 0:
                    raise self._unreadable(process.said(), process.ending(status))


def _list(numbers: Sequence[int]) -> PrivateFile:
    return PrivateFile("".join(f"{number};\n" for number in numbers))


def contents_of(archive: Path) -> TableOfContents:
    """The table of contents of an archive in custom, directory or tar format.

    Raises:
        VerificationFailedError: this is not an archive, or not a whole one.
    """
    if archive.is_dir():
        with (archive / _CONTENTS).open("rb") as file:
            return read_contents(file.read)
    with archive.open("rb") as file:
        if file.read(len(MAGIC)) == MAGIC:
            file.seek(0)
            return read_contents(file.read)
    with tarfile.open(archive) as members, members.extractfile(_CONTENTS) or io.BytesIO() as member:
        return read_contents(member.read)


def _remedy(said: str) -> str:
    if "No space left on device" in said or "could not extend file" in said:
        return "The server has no room for a second copy: free or add storage, then repeat."
    if "already exists" in said:
        return "Something was created in template0 or by another session; look at the line above, then repeat."
    if "permission denied" in said or "must be" in said:
        return "The user lacks a right: --no-owner --no-privileges leaves ownership and grants out; or use an owner."
    return "Read the lines above, mend the cause, then repeat."
