"""From the words of PostgreSQL and its programs to what a person should do."""

from __future__ import annotations

from dbbackup.core.connection_limits import limit_remedy
from dbbackup.core.dump_remedies import large_object_remedy, large_value_remedy, other_server_remedy
from dbbackup.core.errors import ConnectionFailedError
from dbbackup.core.quoting import quote_name
from dbbackup.core.timeout_remedies import timeout_in, timeout_remedy

_CONNECTION = (
    ("password authentication failed", "the server refused the password",
     "Check the user and password. In the cloud: a rotation may be under way, so a repeat in a minute may succeed."),
    ("no pg_hba.conf entry", "the server does not accept this user from this host",
     "Check the user name, whether TLS is demanded (sslmode), and pg_hba.conf or the security group."),
    ("Connection refused", "nothing listens there",
     "Check that the server runs, and the host and port."),
    ("could not translate host name", "the host name is not known",
     "Check the host; in a VPC, that DNS support is on."),
    ("failed to resolve host", "the host name is not known",
     "Check the host; in a VPC, that DNS support is on."),
    ("root certificate file", "the file of the authorities that we trust is not there or cannot be read",
     "Check PGSSLROOTCERT (sslrootcert in DATABASE_URL); on RDS it is AWS's bundle global-bundle.pem."),
    ("weak sslmode", "the system's authorities are named, which vouch for a host by its name",
     "Set PGSSLMODE=verify-full, or name a file of authorities in PGSSLROOTCERT."),
    ("certificate verify failed", "the server's certificate is not signed by an authority we trust",
     "Check sslrootcert; on RDS the bundle in the image may be older than the instance's authority."),
    ("does not match host name", "the server's certificate is for another host",
     "Connect by the name in the certificate; on RDS, by the instance's endpoint."),
    ("server does not support SSL", "the server does not offer TLS",
     "Turn TLS on at the server; only on a local machine, PGSSLMODE=prefer goes without."),
    ("timeout", "the server did not answer in time",
     "Check the network path: security groups, subnets, and whether the instance is available."),
    ("unsupported startup parameter", "a pooler (PgBouncer) takes no settings of a session",
     "Connect to the server itself. Else let the pooler pass them: ignore_startup_parameters."),
    ("query_wait_timeout", "a pooler had no session of the server free for us",
     "Connect to the server itself, or let the pooler have more: pool_size, max_db_connections."),
    ("max_client_conn", "a pooler takes no more connections",
     "Connect to the server itself, or raise max_client_conn of the pooler."),
    ("the database system is", "the server is starting up, shutting down or recovering",
     "Wait until it accepts connections, then repeat."),
    ("could not connect to server", "the server could not be reached", "Check host, port and network."),
    ("No such file or directory", "there is no local server socket there",
     "Check that the server runs, or set the host: POSTGRES_HOST or PGHOST."),
)  # fmt: skip


def connection_failure(
    said: str, *, where: str, database: str | None, user: str | None = None
) -> ConnectionFailedError:
    """The error for a connection that could not be made.

    Args:
        said: what libpq said; it never contains a password.
        where: user, host and port, without the password.
        database: the database's name.
        user: who connected, for the statement that helps.
    """
    reason, action = "the connection failed", "Check that the server runs and who may connect to it."
    if "database" in said and "does not exist" in said:
        reason = f"there is no database {database!r}"
        action = "Check the name: --database, POSTGRES_DB, PGDATABASE, or the database in the event."
    elif "permission denied for database" in said and database is not None:
        reason = "this user may not connect to it"
        who = quote_name(user or where.rpartition("@")[0])
        action = f"Let the owner of the database say: GRANT CONNECT ON DATABASE {quote_name(database)} TO {who};"
    elif limited := limit_remedy(said):
        reason, action = limited
    elif remedy := timeout_remedy(said, user):
        reason, action = f"the server's {timeout_in(said)} ended it", remedy
    else:
        for words, known, way in _CONNECTION:
            if words in said:
                reason, action = known, way
                break
    detail = " ".join(said.split())
    return ConnectionFailedError(
        f"Cannot connect to database {database!r} as {where}: {reason} ({detail}).",
        untouched="Nothing was read and nothing was written.",
        action=action,
    )


KILLED_REMEDY = (
    "It did not end by itself: look for the system's out-of-memory killer (the memory setting of the function, dmesg "
    "elsewhere) or for whoever stopped it, then repeat the backup."
)


def dump_remedy(said: str, *, user: str | None = None) -> str:
    """What to do about a dump that failed, from the last lines of its standard error.

    Args:
        said: those lines.
        user: who took it, for the statement that helps.
    """
    known = large_value_remedy(said) or large_object_remedy(said, user) or other_server_remedy(said)
    if known is not None:
        return known
    if limited := limit_remedy(said):
        return limited[1]
    if "permission denied" in said:
        return (
            "Grant the backup user the right to read everything: GRANT pg_read_all_data TO <user> (on RDS: as the "
            "master user). `dbbackup doctor` prints what else is missing."
        )
    if "NO FORCE ROW LEVEL SECURITY" in said:  # the server's hint to the owner
        return "Free the owner from the table's policies: ALTER TABLE <table> NO FORCE ROW LEVEL SECURITY."
    if "row-level security" in said:
        return (
            "Make the backup user a member of the table's owner (GRANT <owner> TO <user> WITH INHERIT TRUE, before "
            "PostgreSQL 16 without the end), or back up as the owner; a superuser, where there is one, gives the "
            "narrower BYPASSRLS. `dbbackup doctor` prints the statements."
        )
    # pg_dump waits for its locks with a statement_timeout of its own.
    if any(words in said for words in ("lock timeout", "lock not available", "LOCK TABLE")):
        return "Somebody holds a table exclusively, a schema change perhaps. Let it end, then repeat the backup."
    if (ended := timeout_remedy(said, user)) is not None:
        return ended
    if any(words in said for words in ("terminating connection", "server closed the connection", "connection to server was lost")):  # fmt: skip # noqa: E501
        return "The server ended the connection: look for a failover, a restart or a terminated session, then repeat."
    if "server version mismatch" in said:
        return "Use a client of the server's major version or later."
    return "Read the lines above, mend the cause, then repeat the backup."
