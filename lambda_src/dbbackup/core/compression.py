"""Which compression an archive gets, from what is asked for and what the client can do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dbbackup.core.errors import InvalidRequestError

FIRST_MAJOR_WITH_METHODS = 16
"""pg_dump takes ``--compress=METHOD:LEVEL`` from this major on, only a gzip level before.

https://www.postgresql.org/docs/16/release-16.html
"""


class Method(StrEnum):
    """What may be asked for."""

    AUTO = "auto"
    ZSTD = "zstd"
    GZIP = "gzip"


_HIGHEST_LEVEL = {Method.GZIP: 9, Method.ZSTD: 22}


@dataclass(frozen=True, slots=True)
class Compression:
    """A method and level that the client at hand can carry out."""

    method: Method
    level: int

    def __str__(self) -> str:
        return f"{self.method.value}:{self.level}"

    def pg_dump_value(self, client_major: int) -> str:
        """Value of pg_dump's ``--compress`` option."""
        return str(self) if client_major >= FIRST_MAJOR_WITH_METHODS else str(self.level)


def choose_compression(wanted: Method, level: int, *, client_has_zstd: bool) -> Compression:
    """Settle what is asked for against what the client can do.

    Raises:
        InvalidRequestError: zstd is demanded of a client without it, or the method has no such level.
    """
    method = wanted
    if wanted is Method.AUTO:
        method = Method.ZSTD if client_has_zstd else Method.GZIP
    elif wanted is Method.ZSTD and not client_has_zstd:
        raise InvalidRequestError(
            "The compression zstd is asked for, but this pg_dump was built without it.",
            untouched="Nothing was written.",
            action="Use auto or gzip, or a client of PostgreSQL 16 or later built with zstd.",
        )
    highest = _HIGHEST_LEVEL[method]
    if not 1 <= level <= highest:
        raise InvalidRequestError(
            f"The compression level {level} is outside 1 to {highest}, the levels of {method.value}.",
            untouched="Nothing was written.",
            action="Set a level in that range; 9 is the default.",
        )
    return Compression(method, level)
