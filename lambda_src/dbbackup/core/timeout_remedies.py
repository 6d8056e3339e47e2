"""What to do where a timeout of the server has ended a session of ours, or a statement of it."""

from __future__ import annotations

from typing import Final

from dbbackup.core.quoting import quote_name

ENDED_BY_TIMEOUT: Final = frozenset(("57014", "57P05", "25P03", "25P04"))
"""https://www.postgresql.org/docs/current/errcodes-appendix.html"""
_WORDS: Final = {
    "due to statement timeout": "statement_timeout",
    "due to idle-session timeout": "idle_session_timeout",
    "due to idle-in-transaction timeout": "idle_in_transaction_session_timeout",
    "due to transaction timeout": "transaction_timeout",
}
"""Of src/backend/tcop/postgres.c."""


def timeout_in(said: str) -> str | None:
    """The setting that a server's words are about; None where they are about none."""
    return next((setting for words, setting in _WORDS.items() if words in said), None)


def timeout_remedy(said: str, user: str | None = None) -> str | None:
    """What to do about such words; None where they are others."""
    setting = timeout_in(said)
    if setting is None:
        return None
    who = quote_name(user) if user else "<user>"
    way = f"ALTER ROLE {who} SET {setting} = 0"
    return (
        f"Take {setting} away from this user: {way} (with IN DATABASE where it is set so), and out of PGOPTIONS; or, "
        "behind a pooler, connect to the server itself. The catalogue pg_db_role_setting has who sets it."
    )
