"""Restores a dump as what it is: archives with pg_restore, scripts statement by statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, cast

from dbbackup.adapters.restore_tools import RestoreTools
from dbbackup.adapters.script_tools import ScriptTools
from dbbackup.core.archive_kind import Form
from dbbackup.core.archive_toc import TableOfContents
from dbbackup.core.deadline import NO_DEADLINE, Deadline
from dbbackup.core.ports import Reading
from dbbackup.core.restore_plan import RestoreOptions
from dbbackup.core.uncover import uncover


class DumpTools:
    """Both, for one dump at a time."""

    def __init__(self, archives: RestoreTools, scripts: ScriptTools) -> None:
        self._archives = archives
        self._scripts = scripts
        self._forms: dict[Path, Form] = {}

    @property
    def major(self) -> int:
        """The newest major whose dumps can be restored; a script asks for no client program."""
        return self._scripts.major if Form.SCRIPT in self._forms.values() else self._archives.major

    def _form(self, dump: Path) -> Form:
        if dump not in self._forms:
            self._forms[dump] = Form.DIRECTORY if dump.is_dir() else _form_of_file(dump)
        return self._forms[dump]

    def _tools(self, dump: Path) -> RestoreTools | ScriptTools:
        return self._scripts if self._form(dump) is Form.SCRIPT else self._archives

    def contents(self, archive: Path) -> TableOfContents:
        """What a dump holds.

        Raises:
            VerificationFailedError: it is none that can be restored, or not whole.
            RefusedError: it is a script that asks for what is never carried out.
            ClientToolError: pg_restore is older than it, or lacks its method of compression.
        """
        return self._tools(archive).contents(archive)

    def read_archive(self, chunks: Iterable[bytes], deadline: Deadline) -> Reading:
        """List an archive of ours, decompress it to its end, and count its rows.

        Raises:
            VerificationFailedError: it is not a whole archive.
            DeadlineExceededError: it took too long.
        """
        return self._archives.read_archive(chunks, deadline)

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
        """Restore entries into a database; what was said of each that failed.

        Raises:
            RestoreFailedError: the work was ended half-way.
            DeadlineExceededError: it took too long.
        """
        return self._tools(archive).restore(
            archive,
            database,
            numbers,
            options,
            # pg_restore reads one file from its beginning to its end where that is a tar file.
            jobs=1 if self._form(archive) is Form.TAR else jobs,
            tablespaces=tablespaces,
            server_major=server_major,
            on_item=on_item,
            deadline=deadline,
        )

    def script(
        self, archive: Path, numbers: Sequence[int], options: RestoreOptions, *, tablespaces: bool
    ) -> AbstractContextManager[Iterator[bytes]]:
        """What would be said to restore these entries."""
        return self._tools(archive).script(archive, numbers, options, tablespaces=tablespaces)


def _form_of_file(dump: Path) -> Form:
    with dump.open("rb") as file:
        return uncover(cast(BinaryIO, file), dump.stat().st_size, str(dump)).form
