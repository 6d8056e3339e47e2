"""Which of several installed client programs suits a server and an archive, and what is to be known of the choice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_VERSION: Final = re.compile(r"(?P<major>\d+)(?:\.(?P<minor>\d+))?")
# From the release notes: what pg_dump wrote before these minor releases could not be restored, or harmed who did it.
_MENDED: Final = {
    "names with a line break in them, whose rest a script of the archive would run (CVE-2025-8715)": (
        (14, 19), (15, 14), (16, 10), (17, 6),
    ),
    "tables that are hash-partitioned by an enum, whose rows are refused": ((14, 8), (15, 3)),
}  # fmt: skip
"""https://www.postgresql.org/docs/release/"""


@dataclass(frozen=True, slots=True)
class Client:
    """Client programs of one installation.

    Attributes:
        folder: where they are.
        source: how they were found, in words, for example ``PATH``.
        version: of pg_dump, for example ``18.6``.
    """

    folder: Path
    source: str
    version: str

    @property
    def major(self) -> int:
        """Its major."""
        return version_of(self.version)[0]


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, and why."""

    client: Client
    reason: str


def version_of(text: str) -> tuple[int, int]:
    """Major and minor of a version; those of a beta count as before the first minor.

    Raises:
        ValueError: it is no version.
    """
    found = _VERSION.match(text)
    if found is None:
        raise ValueError(f"{text!r} is no version of PostgreSQL")
    return int(found["major"]), int(found["minor"] or -1)


def version_text(number: int) -> str:
    """The version of a server's number: ``18.6`` for 180006."""
    return f"{number // 10000}.{number % 10000}"


def choose_for_dump(clients: Sequence[Client], server: str) -> Choice:
    """The client for a dump: of the server's major, else the next later, else the latest there is.

    pg_dump refuses a server of a later major, and what it writes is for servers of its own major or later.
    https://www.postgresql.org/docs/current/app-pgdump.html

    Args:
        clients: at least one; of equals the first is taken.
        server: its version.
    """
    return _closest(clients, server)


def choose_for_archive(clients: Sequence[Client], *, made_by: str, server: str | None = None) -> Choice | None:
    """The client for a restore, or for reading alone: it can read the archive, and is closest to the server.

    Args:
        clients: at least one.
        made_by: version of the pg_dump that has written the archive; pg_restore may not know what a later one writes.
        server: version of the server that is restored into; None to read only.

    Returns:
        None where none of them is known to read it.
    """
    able = [client for client in clients if client.major >= version_of(made_by)[0]]
    return _closest(able, server or made_by) if able else None


def _closest(clients: Sequence[Client], server: str) -> Choice:
    wanted = version_of(server)
    same = [client for client in clients if client.major == wanted[0]]
    if same:
        # Of those that are not older than the server the first; they were found in the order of preference.
        recent = [client for client in same if version_of(client.version) >= wanted]
        chosen = recent[0] if recent else max(same, key=lambda client: version_of(client.version))
        return Choice(chosen, f"of major {wanted[0]}, as the server")
    later = [client for client in clients if client.major > wanted[0]]
    if later:
        return Choice(
            min(later, key=lambda client: client.major), f"the next later major, as none of {wanted[0]} was found"
        )
    return Choice(max(clients, key=lambda client: version_of(client.version)), "the latest that was found")


def minor_note(client: str, server: str) -> str | None:
    """What to know where the client's minor release is older than that of a server of its major; None elsewhere.

    A minor release of pg_dump mends what the ones before it write, and cannot mend what they have written.

    Args:
        client: version of the client programs.
        server: version of the server.
    """
    (client_major, client_minor), (server_major, server_minor) = version_of(client), version_of(server)
    if client_major != server_major or client_minor >= server_minor:
        return None
    mended = [
        what
        for what, releases in _MENDED.items()
        if any(major == client_major and client_minor < minor <= server_minor for major, minor in releases)
    ]
    known = f", such as {' and '.join(mended)}" if mended else ""
    return (
        f"the client programs {client} are older than the server {server}: what they write may be what later minor "
        f"releases had to mend{known}. Install {server} or later."
    )
