"""Which server a backup is of: dev, staging and production have databases of the same name.

Two facts tell servers apart, and neither does alone. The name is what people call it: the RDS instance, else
``host:port``. It survives a failover, a promotion and a major upgrade, but every machine has a ``localhost:5432``. The
system identifier is the cluster's own, made by ``initdb``. It survives another host name, but a copy that was restored
from a snapshot has the one of its origin, and an upgraded cluster has a new one.
https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-CONTROLDATA
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Server:
    """A server, as far as it is known.

    Attributes:
        name: see :func:`dbbackup.core.server_name.server_name`.
        system: its system identifier; None where it was not read.
    """

    name: str
    system: str | None = None

    def is_same(self, other: Server) -> bool:
        """Whether both are one server: of one name, and nothing says that these are two clusters.

        This is asked before something is removed, left out or taken for made, where the wrong answer loses data: a
        renamed or upgraded server is another one here.
        """
        return self.name == other.name and (None in (self.system, other.system) or self.system == other.system)

    def answers_to(self, wanted: str) -> bool:
        """Whether a person means this one by a name or a system identifier."""
        return wanted in (self.name, self.system)

    def __str__(self) -> str:
        return f"{self.name} (system {self.system})" if self.system else self.name
