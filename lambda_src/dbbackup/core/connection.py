"""Where the database is and who we are there, from the environment a person or a platform gives us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.libpq import OURS, SECRET, SSLMODES, VARIABLES, sslmode_meant
from dbbackup.core.server_name import DEFAULT_PORT, server_name

CONNECT_TIMEOUT_SECONDS = 15
_OWN: Final = {
    "host": "POSTGRES_HOST",
    "port": "POSTGRES_PORT",
    "user": "POSTGRES_USER",
    "password": "POSTGRES_PASSWORD",
    "database": "POSTGRES_DB",
}
# The rest of libpq's own variables is left to libpq, here as in the client programs, which get our environment.
_READ: Final = ("host", "hostaddr", "port", "user", "password", "database", "sslmode", "sslrootcert", "connect_timeout")
_NOT_FURTHER: Final = frozenset((*_OWN, "dbname", "sslmode", "sslrootcert", "service", *OURS))


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """What ``DATABASE_URL`` says.

    Attributes:
        values: parameters by libpq's keyword, but ``database`` for ``dbname``.
        notes: what a person should know of it: what was left out, what other programs read otherwise.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """The one server that a connection has reached."""

    host: str
    hostaddr: str
    port: int


class Connection(BaseModel):
    """Parameters of a connection. What is None is left to libpq: its environment, service and password files.

    Attributes:
        host: a name, an address or a folder; several of them with commas between.
        port: None where it is not said, or where several hosts have several.
        further: other parameters by libpq's keyword.
        pinned: of several hosts, the one that this run works with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str | None = None
    port: int | None = Field(default=None, ge=1, le=65535)
    user: str | None = None
    password: SecretStr | None = None
    database: str | None = None
    sslmode: str | None = None
    sslrootcert: str | None = None
    further: Mapping[str, SecretStr] = Field(default_factory=dict)
    pinned: Address | None = None

    def settings(self) -> dict[str, str]:
        """Everything that libpq is told, by its keywords, the password among it."""
        values = {
            "host": self.host,
            "port": None if self.port is None else str(self.port),
            "user": self.user,
            "password": None if self.password is None else self.password.get_secret_value(),
            "dbname": self.database,
            "sslmode": self.sslmode,
            "sslrootcert": self.sslrootcert,
            **{keyword: value.get_secret_value() for keyword, value in self.further.items()},
        }
        if self.pinned is not None:
            here = self.pinned
            values |= {"host": here.host, "hostaddr": here.hostaddr or None, "port": str(here.port)}
        return {keyword: value for keyword, value in values.items() if value is not None}

    def environment(self, application: str) -> dict[str, str]:
        """The connection as libpq's environment variables, the way client programs are given it.

        A password on a command line can be read by every user of the machine, in the environment only by ours.
        https://www.postgresql.org/docs/current/libpq-envars.html
        """
        values = {"connect_timeout": str(CONNECT_TIMEOUT_SECONDS), **self.settings()}
        named = {VARIABLES[keyword]: value for keyword, value in values.items()}
        return {
            **{variable: value for variable, value in named.items() if variable is not None},
            "PGAPPNAME": application[:63],
        }

    def without_variable(self) -> dict[str, str]:
        """The parameters that no environment variable stands for; some of them are secret."""
        return {keyword: value for keyword, value in self.settings().items() if VARIABLES[keyword] is None}

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return tuple(value for keyword, value in self.settings().items() if keyword in SECRET and value)

    @property
    def several(self) -> bool:
        """Whether it names several hosts, of which libpq takes one."""
        return self.pinned is None and "," in (self.where or "")

    @property
    def where(self) -> str | None:
        """The host, or what stands for it; of several that do not share a port, each with its own."""
        where, ports = self.host or self._further("hostaddr"), self._further("port")
        if where is None or ports is None:
            return where
        return ",".join(
            f"{f'[{host}]' if ':' in host else host}:{port or DEFAULT_PORT}"
            for host, port in zip(where.split(","), ports.split(","), strict=True)
        )

    @property
    def server(self) -> str:
        """What to call the server."""
        return server_name(host=self.where, port=self.port)

    def _further(self, keyword: str) -> str | None:
        value = self.further.get(keyword)
        return None if value is None else value.get_secret_value()

    def __str__(self) -> str:
        who = f"{self.user}@" if self.user else ""
        return f"{who}{self.where or 'the default host'}{f':{self.port}' if self.port else ''}"


def from_environment(
    environment: Mapping[str, str],
    *,
    database: str | None = None,
    url: Mapping[str, str] | None = None,
    service: Mapping[str, str] | None = None,
) -> Connection:
    """The connection that the environment describes.

    Field by field, the first that is set wins: ``database`` (an option of the command), then
    ``POSTGRES_HOST/PORT/USER/PASSWORD/DB``, then ``DATABASE_URL``, then libpq's own ``PG*`` variables. So
    ``POSTGRES_DB=scratch`` in front of a command changes the database and nothing else.

    Args:
        environment: the variables.
        database: what an option of the command says.
        url: values of ``DATABASE_URL``.
        service: values of libpq's connection service, where one is named; they stand for ``PG*`` then.

    Raises:
        InvalidRequestError: a port or an sslmode cannot be understood, or two addresses contradict each other. The
            message names the part, and of the URL no value.
    """
    url = url or {}
    own = {name: environment[variable] for name, variable in _OWN.items() if environment.get(variable)}
    last = _last(environment) if service is None else service
    _refuse_address_of_another(own, url, last)
    values: dict[str, str] = {**last, **url, **own}
    if database:
        values["database"] = database
    sslmode = values.get("sslmode")
    if sslmode is not None and sslmode not in SSLMODES:
        raise _refuse_sslmode(sslmode, in_url="sslmode" in url)
    port = _port(values.get("host") or values.get("hostaddr") or "", values.get("port", ""))
    further = {name: SecretStr(value) for name, value in values.items() if name not in _NOT_FURTHER}
    if "," in port:
        further["port"] = SecretStr(port)
    return Connection(
        host=values.get("host"),
        port=int(port) if port.isdecimal() else None,
        user=values.get("user"),
        password=SecretStr(values["password"]) if values.get("password") else None,
        # libpq's own rule: the database is named like the user where nothing else is said.
        database=values.get("database") or values.get("user"),
        sslmode=sslmode,
        sslrootcert=values.get("sslrootcert"),
        further=further,
    )


def _last(environment: Mapping[str, str]) -> dict[str, str]:
    names = {name: VARIABLES["dbname" if name == "database" else name] or "" for name in _READ}
    return {name: environment[variable] for name, variable in names.items() if environment.get(variable)}


def _refuse_address_of_another(own: Mapping[str, str], url: Mapping[str, str], last: Mapping[str, str]) -> None:
    """libpq goes where ``hostaddr`` says and takes ``host`` for a name: not to the host that a person has named."""
    if own.get("host") and url.get("hostaddr"):
        who, other = "POSTGRES_HOST", "hostaddr in DATABASE_URL"
    elif own.get("host") and last.get("hostaddr"):
        who, other = "POSTGRES_HOST", "PGHOSTADDR (or hostaddr of the connection service)"
    elif url.get("host") and not url.get("hostaddr") and last.get("hostaddr"):
        who, other = "DATABASE_URL", "PGHOSTADDR (or hostaddr of the connection service)"
    else:
        return
    raise InvalidRequestError(
        f"{who} names a host, and {other} would lead to another address all the same.",
        untouched="Nothing was connected to.",
        action="Leave hostaddr out, or name the host and its address in the same place.",
    )


def _refuse_sslmode(sslmode: str, *, in_url: bool) -> InvalidRequestError:
    meant = sslmode_meant(sslmode)
    return InvalidRequestError(
        f"The sslmode {'in DATABASE_URL' if in_url else repr(sslmode)} is none of {', '.join(SSLMODES)}.",
        untouched="Nothing was connected to.",
        action=f"Write {meant}, which is PostgreSQL's word for it." if meant and not in_url
        else "Correct PGSSLMODE, or sslmode in DATABASE_URL.",
    )  # fmt: skip


def _port(hosts: str, text: str) -> str:
    """One port, or one for each host with commas between; a host without one has libpq's default."""
    ports = text.split(",")
    for port in ports:
        if port and (not port.isdecimal() or not 1 <= int(port) <= 65535):
            raise InvalidRequestError(
                f"The port {text!r} is not a number from 1 to 65535.",
                untouched="Nothing was connected to.",
                action="Correct POSTGRES_PORT, DATABASE_URL or PGPORT.",
            )
    if len(ports) > 1 and len(ports) != len(hosts.split(",")):
        raise InvalidRequestError(
            f"There are {len(ports)} ports ({text}) for {len(hosts.split(','))} hosts ({hosts}).",
            untouched="Nothing was connected to.",
            action="Name one port for all hosts, or one for each: POSTGRES_HOST and POSTGRES_PORT, DATABASE_URL, or "
            "PGHOST and PGPORT.",
        )
    return text if len(set(ports)) > 1 else ports[0]
