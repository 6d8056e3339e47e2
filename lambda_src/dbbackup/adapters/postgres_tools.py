"""pg_dump, pg_dumpall and pg_restore, run for one connection."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Self

from dbbackup.adapters.postgres_connection import connect
from dbbackup.adapters.private_file import PrivateFile, service_of, variables_of
from dbbackup.adapters.process import Process, child_environment
from dbbackup.adapters.session_settings import variables_for
from dbbackup.adapters.tool_location import Found
from dbbackup.contract import SERVICE
from dbbackup.core import commands
from dbbackup.core.archive_rows import RowCounter, data_list
from dbbackup.core.archive_toc_reader import read_contents
from dbbackup.core.client_fit import Choice, Client, choose_for_archive, choose_for_dump, minor_note, version_of
from dbbackup.core.compression import FIRST_MAJOR_WITH_METHODS, Compression
from dbbackup.core.connection import Connection
from dbbackup.core.deadline import Deadline
from dbbackup.core.diagnosis import KILLED_REMEDY, dump_remedy
from dbbackup.core.errors import ClientToolError, DumpFailedError, VerificationFailedError
from dbbackup.core.ports import Reading
from dbbackup.core.watchdog import at_deadline

_VERSION = re.compile(r"\(PostgreSQL\) (?P<version>(?P<major>\d+)\S*)")


class PgDump:
    """A running pg_dump."""

    def __init__(self, process: Process, user: str | None = None) -> None:
        self._process = process
        self._user = user

    def chunks(self) -> Iterator[bytes]:
        """The archive, as it is made."""
        return self._process.chunks()

    def wait(self) -> None:
        """Its end.

        Raises:
            DumpFailedError: the exit status is not 0.
        """
        status = self._process.wait()
        if status != 0:
            raise DumpFailedError(
                f"The dump is not complete: {self._process.ending(status)}.",
                untouched="The database was only read. The incomplete archive was thrown away, nothing is stored "
                "under a final name, and earlier backups are as they were.",
                action=KILLED_REMEDY if status < 0 else dump_remedy(self._process.said(), user=self._user),
            )

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    @property
    def tables_started(self) -> int:
        """How many tables' data it has begun to write."""
        return self._process.tables_started

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid


class PostgresTools:
    """The client programs of one folder, for one connection."""

    def __init__(self, folder: Path, connection: Connection, *, others: Sequence[Found] = (), choice: str = "") -> None:
        """Take the client programs of a folder.

        Args:
            folder: where they are.
            connection: whom they connect to.
            others: folders that may suit better, in the order of preference.
            choice: how they were found, and why they were taken.
        """
        self._folder = folder
        self._connection = connection
        self._others = tuple(others)
        self.choice = choice

    @property
    def location(self) -> Path:
        """Folder they are in."""
        return self._folder

    def suited_to(self, server: str) -> Self:
        """Those of the installed ones that suit a server of this version best; PG_BINDIR leaves no choice.

        Raises:
            ClientToolError: ours do not say their version.
        """
        if not self._others or (self.major == version_of(server)[0] and minor_note(self.version, server) is None):
            return self
        return self._of(choose_for_dump(self._installed(), server))

    def suited_to_archive(self, made_by: str, server: str | None = None) -> Self:
        """Those that can read an archive of this version of pg_dump, and of these the closest to a server.

        Where none is known to, ours: they say best what they cannot read.

        Raises:
            ClientToolError: ours do not say their version.
        """
        if not self._others:
            return self
        choice = choose_for_archive(self._installed(), made_by=made_by, server=server)
        return self if choice is None else self._of(choice)

    def _installed(self) -> list[Client]:
        clients = [Client(self._folder, self.choice, self.version)]
        for found in self._others:
            with suppress(ClientToolError):  # one that does not run is no choice
                version = type(self)(found.folder, self._connection).version
                clients.append(Client(found.folder, f"from {found.source}", version))
        return clients

    def _of(self, choice: Choice) -> Self:
        client = choice.client
        return type(self)(client.folder, self._connection, choice=f"{client.source}, {choice.reason}")

    def _program(self, name: str) -> str:
        return str(self._folder / name)

    def _start(
        self,
        command: commands.Command,
        *,
        connect: bool,
        feed: bool = False,
        collect: bool = False,
        on_output: Callable[[bytes], None] | None = None,
        on_line: Callable[[str], None] | None = None,
        entries: PrivateFile | None = None,
    ) -> Process:
        service = service_of(self._connection.without_variable()) if connect else None
        program = Path(command[0]).name
        variables = (
            {**self._connection.environment(f"{SERVICE} {program}"), **variables_for(program, self._connection)}
            if connect
            else {}
        )
        try:
            return Process(
                command,
                child_environment(os.environ, {**variables, **variables_of(service)}),
                secrets=self._connection.secrets(),
                feed=feed,
                collect=collect,
                on_output=on_output,
                on_line=on_line,
                private=tuple(file for file in (service, entries) if file is not None),
            )
        except OSError as error:
            if service is not None:
                service.close()
            raise ClientToolError(
                f"{command[0]} cannot be started: {error.strerror}.",
                untouched="Nothing was read and nothing was written.",
                action="Check the installation of the PostgreSQL client programs.",
            ) from error

    @cached_property
    def _version_match(self) -> re.Match[str]:
        with self._start((self._program("pg_dump"), "--version"), connect=False, collect=True) as process:
            status = process.wait()
            answer = process.output.decode(errors="replace").strip()
            match = _VERSION.search(answer)
            if status != 0 or match is None:
                raise ClientToolError(
                    f"{self._program('pg_dump')} does not say its version: "
                    f"{process.ending(status) if status else repr(answer)}.",
                    untouched="Nothing was connected to.",
                    action="Check the installation of the PostgreSQL client programs.",
                )
            return match

    @property
    def version(self) -> str:
        """Version of pg_dump, for example ``18.6``."""
        return self._version_match["version"]

    @property
    def major(self) -> int:
        """Its major."""
        return int(self._version_match["major"])

    @cached_property
    def has_zstd(self) -> bool:
        """Whether pg_dump can compress with zstd: it says so before it connects anywhere."""
        if self.major < FIRST_MAJOR_WITH_METHODS:
            return False
        with self._start(commands.probe_zstd(self._program("pg_dump")), connect=False, collect=True) as process:
            process.wait()
            return "not support compression" not in process.said()

    @contextmanager
    def start_dump(self, snapshot: str, compression: Compression, *, standby: bool = False) -> Iterator[PgDump]:
        """Start pg_dump; it is killed where the context ends before it does."""
        command = commands.dump(
            self._program("pg_dump"),
            snapshot=snapshot,
            compression=compression,
            client_major=self.major,
            standby=standby,
        )
        with self._start(command, connect=True) as process:
            yield PgDump(process, self._connection.user)

    def dump_roles(self, deadline: Deadline) -> bytes:
        """The role dump.

        Raises:
            DumpFailedError: pg_dumpall did not end with status 0.
            ConnectionFailedError: it could not connect.
            DeadlineExceededError: it took too long.
        """
        command = commands.dump_roles(self._program("pg_dumpall"), database=self._connection.database or "postgres")
        with (
            self._start(command, connect=True, collect=True) as process,
            at_deadline(deadline, process.kill),
        ):
            status = process.wait()
            deadline.check("dumping roles")
            if status != 0 and "could not connect to database" in process.said():
                connect(self._connection, "roles").close()  # pg_dumpall does not say why; we do
            if status != 0:
                raise DumpFailedError(
                    f"The roles could not be dumped: {process.ending(status)}.",
                    untouched="The database was only read, nothing is stored under a final name, and earlier "
                    "backups are as they were.",
                    action=dump_remedy(process.said()),
                )
            return process.output

    def read_archive(self, chunks: Iterable[bytes], deadline: Deadline) -> Reading:
        """List an archive, decompress it to its end and count its rows, all from one reading of it.

        Raises:
            VerificationFailedError: it is not a whole archive.
            ClientToolError: a newer pg_dump has made it.
            DeadlineExceededError: it took too long.
        """
        beginning = _Beginning(chunks, deadline)
        contents = read_contents(beginning.read)
        counter = RowCounter(contents)
        with PrivateFile(data_list(contents)) as entries:
            command = commands.write_data(self._program("pg_restore"), use_list=entries.path)
            with (
                self._start(command, connect=False, feed=True, on_output=counter.feed, entries=entries) as reader,
                at_deadline(deadline, reader.kill),
            ):
                for chunk in beginning.again():
                    if not reader.write(chunk):
                        break
                reader.close_input()
                self._check_reading(reader, reader.wait(), deadline)
        return Reading(contents, counter.result())

    def _check_reading(self, reader: Process, status: int, deadline: Deadline) -> None:
        deadline.check("reading the archive back")
        if status != 0 and "unsupported version" in reader.said():
            raise ClientToolError(
                f"The pg_restore {self.version} in {self._folder} does not know the format of the archive: "
                f"{reader.ending(status)}.",
                untouched="The database and other backups are as they were.",
                action="Set PG_BINDIR to client programs at least as new as those that made the archive.",
            )
        if status != 0:
            raise VerificationFailedError(
                f"The archive is damaged or incomplete: {reader.ending(status)}.",
                untouched="The database and other backups are as they were.",
                action="Do not rely on this archive. Take a new backup, and look at what wrote or stored this.",
            )


class _Beginning:
    """The beginning of a stream, which is read twice: by us, and by pg_restore with the rest."""

    def __init__(self, chunks: Iterable[bytes], deadline: Deadline) -> None:
        self._chunks = iter(chunks)
        self._deadline = deadline
        self._pulled: list[bytes] = []
        self._chunk = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """The next bytes, that many where there are so many."""
        end = self._at + size
        if end <= len(self._chunk):
            piece, self._at = self._chunk[self._at : end], end
            return piece
        pieces = [self._chunk[self._at :]]
        missing = size - len(pieces[0])
        while missing > 0 and (chunk := next(self._chunks, None)) is not None:
            self._deadline.check("reading the archive back")
            self._pulled.append(chunk)
            self._chunk, self._at = chunk, min(missing, len(chunk))
            pieces.append(chunk[:missing])
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def again(self) -> Iterator[bytes]:
        """The stream from its first byte to its last; what is not taken of it stays for others."""
        for number, chunk in enumerate(self._pulled):
            self._pulled[number] = b""
            yield chunk
        for chunk in self._chunks:
            yield chunk
