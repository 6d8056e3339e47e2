"""How many connections we need at once, and what to do where there are fewer.

https://www.postgresql.org/docs/current/sql-createrole.html, sql-createdatabase.html, runtime-config-connection.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from dbbackup.core.doctor import Finding, failed, fine, warning

OF_BACKUP: Final = 2
"""Our session, which holds the snapshot, and pg_dump."""
OF_GUARD: Final = 3
"""One more, which holds the turn to migrate."""
NEEDS: Final = (
    f"A backup needs {OF_BACKUP} connections at once, a guarded migration {OF_GUARD}, a restore {OF_GUARD}, or one "
    "more than its --jobs"
)
_REFUSED: Final = re.compile(r'too many connections for (?P<kind>role|database) (?P<name>".*")')
_NO_SLOT: Final = re.compile(r"too many clients|remaining connection slots")


def limit_remedy(said: str) -> tuple[str, str] | None:
    """Which limit a server's words are about, and what to do; None for other words."""
    refused = _REFUSED.search(said)
    if refused:
        kind, name = refused["kind"], refused["name"]
        return (
            f"the {kind} {name} has no connection free",
            f"{NEEDS}: ALTER {kind.upper()} {name} CONNECTION LIMIT {OF_GUARD}; or more, or -1 for none. Or end "
            "what is connected: pg_stat_activity names it.",
        )
    if _NO_SLOT.search(said):
        return (
            "the server has no connection free",
            f"{NEEDS}. Close idle connections or raise max_connections, then repeat; from PostgreSQL 16 on some may be "
            "kept for the backup's user: reserved_connections, and GRANT pg_use_reserved_connections.",
        )
    return None


@dataclass(frozen=True, slots=True)
class ConnectionLook:
    """Limits, and what is connected besides the session that looks. A limit of -1 is none."""

    user: str
    superuser: bool
    role_limit: int
    role_used: int
    database: str
    database_limit: int
    database_used: int
    slots_free: int


def connections_finding(look: ConnectionLook) -> Finding:
    """Whether a backup gets the connections that it needs."""
    limits = () if look.superuser else (
        ("role", look.user, look.role_limit, look.role_used),
        ("database", look.database, look.database_limit, look.database_used),
    )  # fmt: skip
    for kind, name, limit, used in limits:
        if limit < 0:
            continue
        quoted = '"' + name.replace('"', '""') + '"'
        action = f"{NEEDS}: ALTER {kind.upper()} {quoted} CONNECTION LIMIT {max(limit, used) + OF_GUARD};"
        if limit < OF_BACKUP:
            return failed(f"the {kind} {name} may have {limit} connections at once, fewer than a backup needs", action)
        if limit - used < OF_BACKUP:
            return warning(f"of the {limit} connections that the {kind} {name} may have, {used} are in use", action)
    if look.slots_free < OF_BACKUP:
        return warning(
            f"the server has {max(0, look.slots_free)} connections free for {look.user}",
            f"{NEEDS}. Close idle connections, or raise max_connections.",
        )
    return fine(f"the {OF_BACKUP} connections that a backup needs are free")
