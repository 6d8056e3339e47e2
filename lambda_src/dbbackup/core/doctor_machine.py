"""What is right about this machine: its settings, its programs, its room on disk, its clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dbbackup.core.client_fit import minor_note
from dbbackup.core.connection import DatabaseUrl, from_environment
from dbbackup.core.doctor import Finding, failed, fine, warning
from dbbackup.core.units import format_bytes, format_seconds
from dbbackup.core.webhook import check_webhook

MOST_SKEW_SECONDS: Final = 300
"""AWS refuses requests that were signed more than 15 minutes away, services of others 5; tokens expire too early.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""
_WELL_PACKED: Final = 10
"""A dump is rarely smaller than this part of its database."""


def settings_finding(environment: Mapping[str, str], url: DatabaseUrl) -> Finding:
    """Whether the two ways to name the database say the same. Values are not shown: one is a password.

    Raises:
        InvalidRequestError: a port or an sslmode cannot be understood.
    """
    own = {name: value for name, value in environment.items() if name.startswith("POSTGRES_") and value}
    if not url.values:
        return fine("the database is named by POSTGRES_*" if own else "the database is named by libpq's own settings")
    by_url = from_environment({}, url=url.values)
    notes = "".join(f". {note}" for note in url.notes).removesuffix(".")
    if not own:
        return fine(f"the database is named by DATABASE_URL{notes}")
    by_parts = from_environment(own)
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "database": "DB"}
    contradictions = [
        f"POSTGRES_{name}"
        for field, name in names.items()
        if own.get(f"POSTGRES_{name}") and getattr(by_url, field) not in (None, getattr(by_parts, field))
    ]
    if not contradictions:
        return fine(f"POSTGRES_* and DATABASE_URL do not contradict each other{notes}")
    return warning(
        f"DATABASE_URL says something else than {' and '.join(contradictions)}, which wins",
        "Unset one of the two, so that nobody backs up another database than is meant.",
    )


def slack_finding(webhook: str) -> Finding:
    """Whether messages could be sent by this webhook; nothing is sent.

    Raises:
        InvalidRequestError: it is no webhook.
    """
    check_webhook(webhook, where="SLACK_WEBHOOK_URL")
    return fine("SLACK_WEBHOOK_URL is a webhook (no message was sent)")


def textfile_finding(problem: str) -> Finding:
    """Whether runs can tell Prometheus; one that cannot is as good a backup.

    Args:
        problem: why nothing can be written where node_exporter reads, or nothing.
    """
    if not problem:
        return fine("runs can leave their files for node_exporter")
    return warning(
        f"Prometheus is not told of any run: {problem}",
        "Make the folder, let the user of the backups write there, and have node_exporter read it, or correct "
        "DBBACKUP_TEXTFILE_DIRECTORY.",
    )


def compression_finding(has_zstd: bool) -> Finding:
    """Whether pg_dump has the better compression."""
    if has_zstd:
        return fine("pg_dump has zstd")
    return warning(
        "pg_dump has no zstd, so backups use gzip: larger, and slower to make",
        "Install client programs of PostgreSQL 16 or later that were built with zstd (those of the PostgreSQL "
        "project are), and set PG_BINDIR to them.",
    )


def version_finding(client: str, client_major: int, server: str, server_major: int) -> Finding:
    """Whether the client may dump the server: pg_dump refuses a server of a later major.

    https://www.postgresql.org/docs/current/app-pgdump.html
    """
    if server_major > client_major:
        return failed(
            f"the server is PostgreSQL {server}, and pg_dump is {client}: it cannot dump a later major",
            f"Install client programs of PostgreSQL {server_major} and set PG_BINDIR to their folder (in the cloud: "
            "client_major in cdk.json).",
        )
    note = minor_note(client, server)
    if note is not None:
        return warning(note[0].upper() + note[1:], f"Install client programs of PostgreSQL {server} or later.")
    newer = f", which is newer: right for backups of {server_major}" if client_major > server_major else ""
    return fine(f"the server is PostgreSQL {server}, pg_dump is {client}{newer}")


def space_finding(free: int, *, database: int | None, newest: int | None, where: str) -> Finding:
    """Whether the next backup has room.

    Args:
        free: bytes free for us.
        database: size of the database in bytes, or None where it could not be asked.
        newest: size of its newest backup in bytes, or None.
        where: what to call the place.
    """
    size = "an unknown size" if database is None else format_bytes(database)
    room = f"{format_bytes(free)} free in {where}"
    least = max(1, (database or 0) // _WELL_PACKED if newest is None else newest)
    remedy = "Free space there, keep backups for fewer days (RETENTION_DAYS), or name another place (--directory)."
    if free < least:
        like = f"the newest backup is {format_bytes(newest)}" if newest is not None else "which is too little"
        return failed(f"{room} for a database of {size}; {like}", remedy)
    if free < ((database or 0) if newest is None else 2 * newest):
        return warning(f"{room} for a database of {size}: it may not be enough", remedy)
    return fine(f"{room}, the database has {size}")


def scratch_finding(free: int, newest: int | None, where: str) -> Finding:
    """Whether a backup in a bucket could be brought here to be restored."""
    if newest is not None and free < newest:
        return warning(
            f"{format_bytes(free)} free in {where}; a restore downloads the newest backup of {format_bytes(newest)}",
            "Free space there, or set TMPDIR to a folder with more.",
        )
    return fine(f"{format_bytes(free)} free in {where} for the download of a restore")


def clock_finding(skew_seconds: float, whose: str) -> Finding:
    """Whether this machine's clock is right.

    Args:
        skew_seconds: how far the other clock is ahead of ours.
        whose: whose clock ours was compared with.
    """
    if abs(skew_seconds) <= MOST_SKEW_SECONDS:
        return fine(f"this machine's clock and {whose} agree")
    side = "behind" if skew_seconds > 0 else "ahead of"
    return failed(
        f"this machine's clock is {format_seconds(abs(skew_seconds))} {side} {whose}",
        "Set the clock and let it be kept (timedatectl set-ntp true): AWS refuses what is signed at a wrong time, and "
        "backups would be named, and removed, by it.",
    )
