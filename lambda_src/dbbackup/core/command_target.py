"""Where the environment leads a guarded command, beside what was backed up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dbbackup.core.receipt import BackupRecord
from dbbackup.core.receipt_errors import AnotherTargetError
from dbbackup.core.server_name import hosts_of, rds_instance

_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORT: Final = 5432


@dataclass(frozen=True, slots=True)
class Place:
    """A database, as far as it is known.

    Attributes:
        database: its name.
        host: name, address, or folder of the socket.
        port: None where it is not said.
        instance: RDS instance identifier.
    """

    database: str | None
    host: str | None
    port: int | None = None
    instance: str | None = None

    @classmethod
    def of(cls, backup: BackupRecord) -> Place:
        """Where a backup was taken."""
        return cls(backup.database, backup.host, None, backup.instance)


def refuse_another_target(
    environment: Mapping[str, str], backed_up: Place, *, url: Mapping[str, str], service: Mapping[str, str]
) -> None:
    """Refuse a command that its environment leads to another database than the one that was backed up.

    Which variables a command reads, we cannot know: its library may take ``DATABASE_URL`` and the ``psql`` in it
    ``PG*``. So each of them must lead to what was backed up, or say nothing.

    Args:
        environment: of the command.
        backed_up: what is backed up.
        url: values of ``DATABASE_URL``, where it is one of PostgreSQL.
        service: values of libpq's connection service; empty where none is named.

    Raises:
        AnotherTargetError: one leads elsewhere.
    """
    for variables, target in _targets(environment, url, service):
        if target.database and backed_up.database and target.database != backed_up.database:
            ours, theirs = f"the database {backed_up.database!r}", f"the database {target.database!r}"
        elif not is_same_host(target.host, backed_up):
            ours, theirs = f"the host {backed_up.host or backed_up.instance}", f"the host {target.host}"
        elif target.host and target.port and backed_up.port and target.port != backed_up.port:
            ours, theirs = f"port {backed_up.port} of {backed_up.host}", f"port {target.port} of {target.host}"
        else:
            continue
        raise AnotherTargetError(
            f"The backup is of {ours}, and {variables} leads the command to {theirs}.",
            untouched="Nothing was migrated.",
            action=f"Correct --database or {variables}. Where both are the same, behind a proxy or under another name, "
            "add --through-proxy.",
        )


def is_same_host(named: str | None, backed_up: Place) -> bool:
    """Whether a host may be the one that was backed up; what is not known may be. Of several, each must be."""
    if not named:
        return True
    if backed_up.host:
        return _plain(named) <= _plain(backed_up.host)
    instance = rds_instance(named)
    return None in (instance, backed_up.instance) or instance == backed_up.instance


def port_of(port: int | None) -> int:
    """The port of a connection, also where none is said."""
    return port or _DEFAULT_PORT


def _plain(where: str) -> set[str]:
    names = (host.lower().rstrip(".") for host, _ in hosts_of(where))
    return {"localhost" if name in _THIS_MACHINE or name.startswith("/") else name for name in names}


def _targets(
    environment: Mapping[str, str], url: Mapping[str, str], service: Mapping[str, str]
) -> Iterator[tuple[str, Place]]:
    # A URL without a database leads to the one that is named like its user.
    for variables, values in (
        ("DATABASE_URL", {"database": url.get("user", ""), "host": url.get("hostaddr", ""), **url}),
        ("POSTGRES_*", _named(environment, "POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB")),
        ("PG*", _named(environment, "PGHOST" if environment.get("PGHOST") else "PGHOSTADDR", "PGPORT", "PGDATABASE")),
        ("PGSERVICE", service),
    ):
        port = values.get("port", "")
        yield (
            variables,
            Place(values.get("database"), values.get("host"), int(port) if port.isdecimal() else None),
        )


def _named(environment: Mapping[str, str], host: str, port: str, database: str) -> dict[str, str]:
    return {
        "host": environment.get(host, ""),
        "port": environment.get(port, ""),
        "database": environment.get(database, ""),
    }
