"""Names of databases as AWS takes them: PostgreSQL allows every character, AWS a few."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

LONGEST: Final = 50
"""Longest plain name, which leaves room for the tier in the 64 characters of a schedule's name."""


def plain_name(database: str) -> str:
    """The database's own name where it is plain, else what can be read of it and a digest that keeps it apart."""
    if len(database) <= LONGEST and re.fullmatch(r"[0-9A-Za-z_-]+", database):
        return database
    readable = re.sub(r"[^0-9A-Za-z_-]+", "-", database).strip("-")[: LONGEST - 9]
    return f"{readable}-{sha256(database.encode()).hexdigest()[:8]}"
