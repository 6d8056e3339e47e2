"""What is right about the server, our connection to it, and what our user may read there."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

from dbbackup.core.doctor import Finding, failed, fine, warning
from dbbackup.core.doctor_ports import Part, ServerLook
from dbbackup.core.large_objects import grant_large_objects
from dbbackup.core.left_out import LeftOut
from dbbackup.core.manifest import NotInDump

_SHOWN: Final = 3
_FIRST_WITH_READ_ALL: Final = 14
"""https://www.postgresql.org/docs/14/predefined-roles.html"""


def tls_finding(look: ServerLook) -> Finding:
    """Whether somebody on the way could read along, or stand in for the server.

    https://www.postgresql.org/docs/current/libpq-ssl.html
    """
    if _is_local(look.host):
        return fine(f"{'encrypted' if look.encrypted else 'not encrypted'}, and it does not leave this machine")
    remedy = (
        "Set PGSSLMODE=verify-full and PGSSLROOTCERT to the server's authority (or sslmode and sslrootcert in "
        "DATABASE_URL); on RDS that is the bundle global-bundle.pem of AWS."
    )
    if not look.encrypted:
        return warning(f"the connection to {look.host} is not encrypted: everybody on the way reads along", remedy)
    if look.sslmode == "verify-full":
        return fine("encrypted, and the server's certificate was verified")
    return warning(
        f"encrypted, but with sslmode={look.sslmode} the server's "
        f"{'name' if look.sslmode == 'verify-ca' else 'certificate'} is not verified: another could stand in for it",
        remedy,
    )


def _is_local(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def rights_finding(part: Part, names: tuple[str, ...], look: ServerLook) -> Finding:
    """Whether a dump by our user would be complete, and the statements that make it so."""
    if not names:
        return fine(_FINE[part])
    found = f"{look.user} {_CANNOT[part]}: {some_of(names)}"
    user = quoted(look.user)
    match part:
        case Part.SUBSCRIPTIONS:
            return warning(found, "Keep their CREATE SUBSCRIPTION statements elsewhere, or back up as a superuser.")
        case Part.LARGE_OBJECTS:
            return failed(found, f"As a superuser or their owner: {grant_large_objects(user)}")
    if look.major >= _FIRST_WITH_READ_ALL:
        return failed(found, f"As a superuser (on RDS: the master user): GRANT pg_read_all_data TO {user};")
    kind = part.value.upper()
    statements = (
        [f"GRANT USAGE ON SCHEMA {name} TO {user};" for name in names]
        if part is Part.SCHEMAS
        else [
            f"GRANT SELECT ON ALL {kind} IN SCHEMA {schema} TO {user};"
            for schema in dict.fromkeys(schema_of(name) for name in names)
        ]
    )
    return failed(found, f"As their owner or a superuser: {' '.join(statements)}")


def some_of(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


_FINE: Final = {
    Part.SCHEMAS: "every schema may be used",
    Part.TABLES: "every table may be read",
    Part.SEQUENCES: "every sequence may be read",
    Part.LARGE_OBJECTS: "every large object may be read",
    Part.SUBSCRIPTIONS: "no subscription would be left out",
}
_CANNOT: Final = {
    Part.SCHEMAS: "may not use the schemas",
    Part.TABLES: "may not read the tables",
    Part.SEQUENCES: "may not read the sequences",
    Part.LARGE_OBJECTS: "may not read the large objects",
    Part.SUBSCRIPTIONS: "is no superuser, so a dump leaves out the subscriptions",
}


def quoted(name: str) -> str:
    """A name as it stands in a statement, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def schema_of(name: str) -> str:
    """The schema, quoted as it is, of a quoted and qualified name."""
    if not name.startswith('"'):
        return name.partition(".")[0]
    end = name.replace('""', "__").index('"', 1)
    return name[: end + 1]


def left_out_finding(found: tuple[NotInDump, ...]) -> Finding:
    """Whether the database has something that no dump holds; subscriptions have a check of their own."""
    others = [each for each in found if not each.what.startswith(LeftOut.SUBSCRIPTIONS.value)]
    if not others:
        return fine("a dump holds everything that there is")
    return warning(
        "a dump has not: " + "; ".join(f"{each.what} ({each.why})" for each in others),
        " ".join(each.keep for each in others),
    )


def replication_finding(look: ServerLook) -> Finding:
    """Whether replication stands in the way of a backup, or of the server."""
    if look.standby and not look.feedback:
        return warning(
            "this is a standby, which ends a long dump when it conflicts with what the primary has removed",
            "Set hot_standby_feedback = on there, raise max_standby_streaming_delay, or back up the primary. "
            "A standby cannot be restored into.",
        )
    if look.idle_slots:
        return warning(
            f"nobody reads the replication slots {', '.join(look.idle_slots[:_SHOWN])}: they keep WAL until the disk "
            "is full",
            "Start their reader again, or remove them: SELECT pg_drop_replication_slot('NAME').",
        )
    return fine("this is a standby; it can be backed up, not restored into" if look.standby else "this is a primary")
