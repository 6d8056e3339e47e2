"""What our sessions set for themselves: a role or a database may have settings that are meant for applications."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

TIMEOUTS: Final[Mapping[str, int]] = {
    "statement_timeout": 0,
    "transaction_timeout": 17,
    "lock_timeout": 0,
    "idle_in_transaction_session_timeout": 0,
    "idle_session_timeout": 14,
}
"""With the major that brought them."""
_OF_THE_PERSON: Final[Mapping[str, str]] = {
    # First: until they are gone, a short one may end the statement that takes them away.
    **dict.fromkeys(TIMEOUTS, "0"),
    "role": "none",
    "default_transaction_read_only": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "default_tablespace": "",
}
"""Of these, what a person passes to the server with each connection is meant for us, too."""
NEEDED: Final[Mapping[str, str]] = {
    **_OF_THE_PERSON,
    "search_path": "",
    "client_min_messages": "warning",
    "row_security": "off",  # rather an error than rows that a policy hides
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
    "exit_on_error": "off",  # what we try may fail, and pg_restore goes on
    "array_nulls": "on",  # or a NULL in an array comes back as four letters
    "restrict_nonsystem_relation_kind": "",  # or nothing that reads a view can be filled
}
"""https://www.postgresql.org/docs/current/runtime-config-client.html"""
AS_IT_IS: Final[Mapping[str, str | None]] = {"search_path": None, "row_security": None}
"""What statements that a person has written may rely on."""
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
_OF_PROGRAM: Final[Mapping[str, frozenset[str]]] = {
    "pg_dumpall": frozenset(TIMEOUTS),
    "pg_restore": frozenset(
        ("exit_on_error", "array_nulls", "intervalstyle", "default_tablespace", "restrict_nonsystem_relation_kind")
    ),
}
"""What this one does not set, either."""
_NAMED: Final = re.compile(r"(?:-c\s*|--)([\w-]+)=")


def needed(options: str = "", ours: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """The settings of a session of ours, in the order to set them.

    Args:
        options: what the person passes to the server with each connection (PGOPTIONS).
        ours: what this session wants otherwise; None for what it leaves as it is.
    """
    meant = _named(options) & _OF_THE_PERSON.keys()
    wanted = {**{name: value for name, value in NEEDED.items() if name not in meant}, **(ours or {})}
    return {name: value for name, value in wanted.items() if value is not None}


def differing(current: Mapping[str, str | None]) -> frozenset[str]:
    """Names of the settings that somebody has given another value than we need; one that is unknown has none."""
    return frozenset(name for name, value in current.items() if value not in (None, NEEDED.get(name, value)))


def too_short(current: Mapping[str, str | None]) -> frozenset[str]:
    """Names of the timeouts that may end a session before it has taken them away: those under a second.

    The server says them in the largest unit that they are a whole number of.
    https://www.postgresql.org/docs/current/config-setting.html#CONFIG-SETTING-NAMES-VALUES
    """
    return frozenset(name for name in TIMEOUTS if (current.get(name) or "").endswith("ms"))


def timeouts_of(server_major: int) -> frozenset[str]:
    """Names of the timeouts that a server knows."""
    return frozenset(name for name, since in TIMEOUTS.items() if since <= server_major)


def options_with(names: frozenset[str], options: str) -> str:
    """What is passed to the server as a connection is made, so that it holds from the first moment.

    Args:
        names: settings that are to have the value that we need.
        options: the person's own; they come last, and the last word counts.
    """
    # A space ends an option unless a backslash is before it.
    passed = (f"-c {name}={NEEDED[name].replace(' ', chr(92) + ' ')}" for name in sorted(names - _named(options)))
    return " ".join((*passed, options)).strip()


def program_options(program: str, names: frozenset[str], short: frozenset[str], options: str) -> str:
    """PGOPTIONS of a client program.

    No more of ours than needed: many a pooler refuses a connection with options.

    Args:
        program: its name.
        names: settings that differ from what we need.
        short: timeouts that it might not live to take away itself.
        options: the person's own.
    """
    return options_with(names & (_FOR_PROGRAMS | _OF_PROGRAM.get(program, frozenset())) | short, options)


def _named(options: str) -> frozenset[str]:
    return frozenset(name.replace("-", "_").lower() for name in _NAMED.findall(options))
