"""The only place that starts other programs."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import re
import select
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from dbbackup.adapters.private_file import PrivateFile
from dbbackup.core.commands import Command

PIPE_BYTES = 1024 * 1024
CHUNK_BYTES = 256 * 1024
KEPT_LINES = 20
_MOMENT_MILLISECONDS = 500
# What a verbose client program says in passing, for example "pg_dump: reading schemas"; not the server's "HINT: ...".
_CHATTER = re.compile(r"^(?:[a-z_]+|CONTEXT): (?!error|warning|detail|hint)")
_TABLE_STARTED = ": dumping contents of table "
# What a child never needs: other people's credentials, and settings that would change what a dump contains.
_WITHHELD = re.compile(r"AWS_|POSTGRES_|DATABASE_URL$|SLACK_|PGSERVICE|PGCLIENTENCODING$|PGDATESTYLE$|PGTZ$")


def child_environment(base: Mapping[str, str], connection: Mapping[str, str]) -> dict[str, str]:
    """The environment of a client program: ours without secrets of others, plus the connection, in plain English."""
    kept = {name: value for name, value in base.items() if not _WITHHELD.match(name)}
    return {**kept, "LC_ALL": "C", **connection}


class Process:
    """A child program whose standard output is read as a stream and whose standard error is kept in short.

    Leaving the context kills a program that still runs. Its standard error is drained by a thread, so a
    talkative program cannot block; secrets are masked in what is kept.
    """

    def __init__(
        self,
        command: Command,
        environment: Mapping[str, str],
        *,
        secrets: tuple[str, ...] = (),
        feed: bool = False,
        collect: bool = False,
        on_output: Callable[[bytes], None] | None = None,
        on_line: Callable[[str], None] | None = None,
        private: Sequence[PrivateFile] = (),
    ) -> None:
        """Start the program.

        Args:
            command: program and arguments; no secret may be among them.
            environment: the whole environment of the child.
            secrets: texts to mask in its standard error.
            feed: whether :meth:`write` will be used for its standard input.
            collect: whether its standard output is small and wanted whole.
            on_output: given its standard output piece by piece, in another thread.
            on_line: told of every line of its standard error, from another thread.
            private: files that it can read; they are closed with the program.

        Raises:
            OSError: the program cannot be started.
        """
        self.name = os.path.basename(command[0])  # noqa: PTH119 - a word for messages, not a path
        self._secrets = tuple(secret for secret in secrets if secret)
        self._notable: deque[str] = deque(maxlen=KEPT_LINES)
        self._latest: deque[str] = deque(maxlen=3)
        self._on_line = on_line
        self._private = private
        self.tables_started = 0
        self._output: list[bytes] = []
        self._on_output = self._output.append if collect else on_output
        self._output_error: BaseException | None = None
        self._process = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            pass_fds=tuple(file.descriptor for file in private),
            start_new_session=True,  # a Ctrl-C is ours to handle: the child is ended by us, in order
        )
        try:
            self._attend()
        except BaseException:  # a signal's: nobody has us yet who could end the program
            self.kill()
            self._process.wait()
            raise

    def _attend(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                # Fewer switches between the two processes; where it is not allowed the default size serves.
                with contextlib.suppress(OSError, AttributeError):
                    fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._threads = [threading.Thread(target=self._drain_errors, daemon=True)]
        if self._on_output is not None:
            self._threads.append(threading.Thread(target=self._take_output, daemon=True))
        for thread in self._threads:
            thread.start()

    def _drain_errors(self) -> None:
        assert self._process.stderr is not None
        for raw in self._process.stderr:
            line = raw.decode(errors="replace").rstrip()
            for secret in self._secrets:
                line = line.replace(secret, "***")
            self._latest.append(line)
            if self._on_line is not None:
                self._on_line(line)
            if _TABLE_STARTED in line:
                self.tables_started += 1
            elif line and not _CHATTER.match(line):
                self._notable.append(line)

    def _take_output(self) -> None:
        assert self._on_output is not None
        for chunk in self.chunks():
            if self._output_error is None:
                try:
                    self._on_output(chunk)
                except BaseException as error:  # noqa: BLE001 - raised by wait; a full pipe would stop the program
                    self._output_error = error

    def chunks(self) -> Iterator[bytes]:
        """Its standard output until it closes it, in pieces of a size worth handling."""
        assert isinstance(self._process.stdout, io.FileIO)
        buffer = memoryview(bytearray(CHUNK_BYTES))
        with self._process.stdout as stream:
            # A signal that comes just before a read that blocks is handled when the read returns: with a program that
            # writes no more, never. So nothing blocks for longer than a moment.
            os.set_blocking(stream.fileno(), False)
            news = select.poll()
            news.register(stream, select.POLLIN)
            filled = 0
            # pg_dump writes a few KiB at a time; gathering them here costs less than a turn of our loop for each.
            while (count := stream.readinto(buffer[filled:])) != 0:
                if count is None:
                    news.poll(_MOMENT_MILLISECONDS)
                    continue
                filled += count
                if filled == CHUNK_BYTES:
                    yield bytes(buffer)
                    filled = 0
            if filled:
                yield bytes(buffer[:filled])

    def write(self, chunk: bytes) -> bool:
        """Feed its standard input; False once it takes no more."""
        stdin = self._process.stdin
        assert stdin is not None
        if stdin.closed:
            return False
        view = memoryview(chunk)
        try:
            while view:
                view = view[stdin.write(view) :]
        except BrokenPipeError:
            stdin.close()
            return False
        return True

    def close_input(self) -> None:
        """Tell it that there is no more."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()

    def wait(self) -> int:
        """Its exit status, once it has ended and all it said has been read; negative for a signal."""
        if self._process.returncode is None:
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
            self.kill()  # what it had started itself outlives it where it was killed, and holds our pipes open
        status = self._process.wait()
        for thread in self._threads:
            thread.join()
        if self._output_error is not None:
            raise self._output_error
        return status

    def kill(self) -> None:
        """End it at once, and what it has started: pg_restore with several jobs is several processes."""
        # Until its status is read its number, which is that of the group too, is nobody else's.
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def output(self) -> bytes:
        """What it wrote, where that was collected; complete after :meth:`wait`."""
        return b"".join(self._output)

    def said(self) -> str:
        """The last lines of its standard error that say more than what it was doing."""
        return "\n".join(self._notable or self._latest)

    def ending(self, status: int) -> str:
        """How it ended, in words."""
        how = f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"
        said = self.said()
        return f"{self.name} {how}: {said}" if said else f"{self.name} {how} and said nothing"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._process.wait()
        self.close_input()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdout, self._process.stderr, *self._private):
            if stream is not None:
                stream.close()
