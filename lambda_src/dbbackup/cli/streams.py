"""Standard output and error that a run does not fail by: nobody may read them, and a disk may be full."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

# Whoever read it has read enough, or nobody ever wanted to.
_UNWANTED: Final = frozenset({errno.EPIPE, errno.EBADF})


class _Forgiving(io.RawIOBase):
    """A descriptor whose first failure is remembered, and to which nothing is written from then on."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.lost: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Any) -> int:
        while self.lost is None:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:  # another program that shares it has made it so
                select.select((), (self._descriptor,), ())
            except OSError as error:
                self.lost = error
        return len(memoryview(data).cast("B"))


class Streams:
    """Standard input, output and error for the time of a run.

    Opening what was closed is more than politeness: the next file or connection would get its number, and what a
    library prints would be written into it.
    """

    def __init__(self) -> None:
        for descriptor in (0, 1, 2):
            try:
                os.fstat(descriptor)
            except OSError:
                os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
        self._out = self._replace("stdout", 1, "replace")
        self._replace("stderr", 2, "backslashreplace")
        if sys.stdin is None:
            sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - it lives as long as we do

    @staticmethod
    def _replace(name: str, descriptor: int, errors: str) -> _Forgiving:
        before = getattr(sys, name)
        with suppress(OSError):
            if before is not None:
                before.flush()
        raw = _Forgiving(descriptor)
        stream = io.TextIOWrapper(
            io.BufferedWriter(raw),
            encoding=getattr(before, "encoding", None) or "utf-8",
            errors=errors,  # a sign that the terminal's encoding has not costs that sign
            line_buffering=name == "stderr" or raw.isatty(),
        )
        setattr(sys, name, stream)
        return raw

    def finish(self) -> None:
        """Write what is still to be written, and say what was lost, where somebody wanted it."""
        sys.stdout.flush()
        lost = self._out.lost
        if lost is not None and lost.errno not in _UNWANTED:
            sys.stderr.write(
                f"⚠️  Standard output could not be written: {lost.strerror}. What it would have said is lost or cut "
                "short; what the command did is done.\n"
            )
        sys.stderr.flush()
