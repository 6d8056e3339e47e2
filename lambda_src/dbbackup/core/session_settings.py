"""What our sessions set for themselves: a role or a database may have settings that are meant for applications."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

NEEDED: Final[Mapping[str, str]] = {
    # First: until they are gone, a short one may end the statement that takes them away.
    "statement_timeout": "0",
    "transaction_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "role": "none",
    "default_transaction_read_only": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "search_path": "",
    "row_security": "off",  # rather an error than rows that a policy hides
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
}
"""https://www.postgresql.org/docs/current/runtime-config-client.html"""
AS_IT_IS: Final[Mapping[str, str | None]] = {"search_path": None, "row_security": None}
"""What statements that a person has written may rely on."""
_SINCE: Final = {"idle_session_timeout": 14, "transaction_timeout": 17}
_FOR_PROGRAMS: Final = frozenset(
    (
        "role",
        "idle_session_timeout",
        "default_transaction_read_only",
        "default_transaction_isolation",
        "default_transaction_deferrable",
    )
)
"""What pg_dump and pg_restore do not set for themselves, and what may end them."""
_FOR_PG_DUMPALL: Final = _FOR_PROGRAMS | {
    "statement_timeout",
    "transaction_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
}
_NAMES_ROLE: Final = re.compile(r"(?:-c\s*|--)role=")


def needed(server_major: int, *, options: str = "", ours: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """The settings of a session of ours, in the order to set them.

    Args:
        server_major: what that major does not know is left out.
        options: what the person passes to the server with each connection (PGOPTIONS); a role named there is meant.
        ours: what this session wants otherwise; None for what it leaves as it is.
    """
    wanted: dict[str, str | None] = {**NEEDED, **(ours or {})}
    if _NAMES_ROLE.search(options):
        wanted["role"] = None
    return {name: value for name, value in wanted.items() if value is not None and _SINCE.get(name, 0) <= server_major}


def differing(current: Mapping[str, str]) -> frozenset[str]:
    """Names of the settings that somebody has given another value than we need."""
    return frozenset(name for name, value in current.items() if value != NEEDED.get(name, value))


def program_options(program: str, names: frozenset[str]) -> str:
    """What PGOPTIONS passes to the server for a client program, of the settings that differ from what we need.

    No more than that: many a pooler refuses a connection with options.
    """
    passed = sorted(names & (_FOR_PG_DUMPALL if program == "pg_dumpall" else _FOR_PROGRAMS))
    # A space ends an option unless a backslash is before it.
    return " ".join(f"-c {name}={NEEDED[name].replace(' ', chr(92) + ' ')}" for name in passed)
