"""A pooler between us and the server, and the way around it."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from dbbackup.core.errors import ConnectionFailedError

_RDS_PROXY: Final = ".proxy-"
_NO_OPTIONS: Final = ("startup parameter", "options")


def refuses_options(said: str) -> bool:
    """Whether a connection was refused because it says settings of a session as it is made.

    "unsupported startup parameter: options" of PgBouncer, "doesn't support command-line options" of RDS Proxy.
    https://www.pgbouncer.org/config.html#ignore_startup_parameters
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html#rds-proxy.limitations
    """
    return any(words in said for words in _NO_OPTIONS)


def transaction_pooling(where: str, *, host: str, server: str | None, server_port: int | None) -> ConnectionFailedError:
    """The error for a pooler that gives each transaction another session of the server.

    https://www.pgbouncer.org/features.html

    Args:
        where: what we connected to, for the message.
        host: its name.
        server: address of the server behind it, as the server says; None for a socket.
        server_port: likewise.
    """
    return ConnectionFailedError(
        f"The connection to {where} goes through a pooler that gives each transaction another session of the server "
        "(pool_mode=transaction, of PgBouncer for example): locks and settings would stay behind in sessions of "
        "others, and pg_dump would not see what our session sees.",
        untouched="Nothing was read, written or locked.",
        action=f"{_way_around(host, server, server_port)} A pooler with pool_mode=session will do, too.",
    )


def no_second_session(where: str, seconds: float) -> ConnectionFailedError:
    """The error for a pooler that has no more than one session for us."""
    return ConnectionFailedError(
        f"The pooler at {where} gave us one session of the server, and within {seconds:g} s no second one.",
        untouched="Nothing was read, written or locked.",
        action="Connect to the server itself, or let the pooler have more (pool_size, max_db_connections): a backup "
        "needs two at once.",
    )


def _way_around(host: str, server: str | None, server_port: int | None) -> str:
    if "-pooler." in host:  # https://neon.com/docs/connect/connection-pooling
        return f"Connect to the server itself: POSTGRES_HOST={host.replace('-pooler.', '.', 1)}."
    if host.endswith(".pooler.supabase.com"):  # https://supabase.com/docs/guides/database/connecting-to-postgres
        return "Connect in session mode: POSTGRES_PORT=5432 of the same host."
    if _RDS_PROXY in host:  # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html
        return "Connect to the endpoint of the instance, not to that of the proxy."
    if server is None or server_port is None:
        return "Connect to the server itself: its own host and port, on the machine of the pooler."
    named = host if ip_address(server).is_loopback else server
    return f"Connect to the server itself: POSTGRES_HOST={named} POSTGRES_PORT={server_port}, as the server says."
