"""A file that a child program can read and nobody else ever sees."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from dbbackup.core.errors import InvalidRequestError

_SERVICE = "dbbackup"


class PrivateFile:
    """A few lines in memory, without a name on any disk, so that nothing is left behind by whoever is killed.

    Where the system has no such memory it is a file that only our user can read, and that goes with the context.
    """

    def __init__(self, text: str) -> None:
        self._named: Path | None = None
        if hasattr(os, "memfd_create"):
            self.descriptor = os.memfd_create("dbbackup")
            self.path = f"/proc/self/fd/{self.descriptor}"
        else:  # pragma: no cover - macOS
            self.descriptor, self.path = tempfile.mkstemp(prefix="dbbackup-")
            self._named = Path(self.path)
        os.write(self.descriptor, text.encode())

    def close(self) -> None:
        """Forget it; a child that has it can still read it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
        if self._named is not None:  # pragma: no cover - macOS
            self._named.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def service_of(parameters: Mapping[str, str]) -> PrivateFile | None:
    """A connection service with these parameters of libpq; None without any.

    For what no environment variable stands for, and for what a command line would show to everybody.
    https://www.postgresql.org/docs/current/libpq-pgservice.html

    Raises:
        InvalidRequestError: a value cannot be written there.
    """
    for keyword, value in parameters.items():
        if "\n" in value or value != value.rstrip():
            raise InvalidRequestError(
                f"The parameter {keyword} of the connection has a line break in it, or a space at its end.",
                untouched="Nothing was connected to.",
                action="Choose another value: PostgreSQL's programs cannot be given this one.",
            )
    if not parameters:
        return None
    lines = "".join(f"{keyword}={value}\n" for keyword, value in parameters.items())
    return PrivateFile(f"[{_SERVICE}]\n{lines}")


def variables_of(service: PrivateFile | None) -> dict[str, str]:
    """The environment variables that lead a client program to the service."""
    return {} if service is None else {"PGSERVICE": _SERVICE, "PGSERVICEFILE": service.path}
