"""What to call a database server: dev, staging and prod have databases of the same name."""

from __future__ import annotations

import re
from typing import Final

DEFAULT_PORT: Final = 5432
THIS_MACHINE: Final = "localhost"
"""How a server on the machine of whoever connects is called. Other machines have one of that name, too."""

# The endpoint of an instance; one of a cluster begins its second part with "cluster-" and is no instance.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ConnectToPostgreSQLInstance.html
_RDS_HOST: Final = re.compile(
    r"(?P<instance>[a-z][a-z0-9-]*)\.(?!cluster-)[a-z0-9-]+\.[a-z0-9-]+\.rds\.amazonaws\.com(\.cn)?"
)
# A folder or an abstract name means a socket, and nothing means the default one.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-HOST
_HERE: Final = re.compile(r"|[/@].*|localhost|127(\.\d+){3}|::1")


# One of several hosts that do not share a port; an address with colons stands in brackets then.
_WITH_PORT: Final = re.compile(r"(?P<host>\[.*\]|[^:]+):(?P<port>\d+)")


def hosts_of(where: str | None) -> list[tuple[str, int | None]]:
    """The hosts of a connection that names one or several, each with its port where that is its own."""
    found: list[tuple[str, int | None]] = []
    for host in (where or "").split(","):
        own = _WITH_PORT.fullmatch(host)
        found.append((own["host"].strip("[]"), int(own["port"])) if own else (host, None))
    return found


def rds_instance(host: str | None) -> str | None:
    """The RDS instance whose endpoint a host name is."""
    match = _RDS_HOST.fullmatch(_plain(host))
    return match["instance"] if match else None


def server_name(*, host: str | None, port: int | None, instance: str | None = None) -> str:
    """The identifier of an RDS instance, else ``host:port``: the same for whoever connects, and before anybody has.

    Args:
        host: as the connection names it, several with commas between; None for libpq's own choice.
        port: likewise.
        instance: identifier of the RDS instance, where it is known; else the host name may tell.
    """
    if found := instance or rds_instance(host):
        return found
    return ",".join(_name(one, own or port or DEFAULT_PORT) for one, own in hosts_of(host))


def _name(host: str, port: int) -> str:
    plain = _plain(host)
    name = THIS_MACHINE if _HERE.fullmatch(plain) else f"[{plain}]" if ":" in plain else plain
    return f"{name}:{port}"


def _plain(host: str | None) -> str:
    return (host or "").lower().removesuffix(".")
