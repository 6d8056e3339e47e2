"""Failures of a dump that one statement mends."""

from __future__ import annotations

import re
from typing import Final

from dbbackup.core.large_objects import grant_large_objects

_TOO_LARGE: Final = re.compile(r"invalid memory alloc request size|Cannot enlarge string buffer|string buffer exceeds")
_COPIED: Final = re.compile(r"COPY (?P<table>.+?) \((?P<columns>.*?)\) TO stdout", re.IGNORECASE | re.DOTALL)
_HALF_A_GIGABYTE: Final = 500_000_000


def large_value_remedy(said: str) -> str | None:
    """For a value that is larger than a dump can write; None for other words.

    What COPY writes of a row is at most 1 GB, and a bytea becomes twice as long as text.
    https://www.postgresql.org/docs/current/limits.html
    """
    if not _TOO_LARGE.search(said):
        return None
    copied = _COPIED.search(said)
    table, columns = (copied["table"], copied["columns"]) if copied else ("THE_TABLE", "its columns")
    find = f"SELECT ctid, octet_length(COLUMN) FROM {table} WHERE octet_length(COLUMN) > {_HALF_A_GIGABYTE};"  # noqa: S608
    keep = f"UPDATE {table} SET OID_COLUMN = lo_from_bytea(0, COLUMN), COLUMN = NULL WHERE ctid = ...;"  # noqa: S608
    return (
        f"A row of {table} is longer than pg_dump can write: 1 GB as text, so about 500 MB of bytea. Find it, for each "
        f"column of type bytea or text among {columns}: {find} Then cut the value in parts, or keep it as a large "
        f"object, which is dumped at any size: {keep}"
    )


def large_object_remedy(said: str, user: str | None) -> str | None:
    """For large objects that the user may not read; None for other words."""
    if "permission denied for large object" not in said:
        return None
    quoted = '"' + user.replace('"', '""') + '"' if user else "BACKUP_USER"
    owners = "SELECT DISTINCT lomowner::regrole FROM pg_largeobject_metadata;"
    return (
        f"As a superuser or their owner: {grant_large_objects(quoted)} Where nobody is a superuser (RDS), let the user "
        f"be a member of each owner, GRANT OWNER TO {quoted}: {owners}"
    )


def other_server_remedy(said: str) -> str | None:
    """For a pg_dump that has reached another server than our session; None for other words."""
    if "invalid snapshot identifier" not in said and not re.search(r'snapshot ".*" does not exist', said):
        return None
    return (
        "pg_dump reached another server than our session, whose snapshot it was to use: several servers answer to one "
        "name (a load balancer, the reader endpoint of a cluster). Name one of them."
    )
