"""Where the database is and who we are there, from the environment a person or a platform gives us."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.server_name import server_name

CONNECT_TIMEOUT_SECONDS = 15
_SCHEMES = ("postgres", "postgresql")
# Parameters that libraries add to a URL for themselves; libpq would refuse them, and they do not concern us.
_NOT_FOR_LIBPQ = frozenset(
    (
        "connect_timeout",
        "connection_limit",
        "pgbouncer",
        "pool_timeout",
        "schema",
        "socket_timeout",
        "sslaccept",
        "sslidentity",
        "sslpassword",
        "statement_cache_size",
    )
)
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-SSLMODE
_SSLMODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_TAKEN_FROM_URL = {"sslmode": "sslmode", "sslrootcert": "sslrootcert", "host": "host", "port": "port"}


class Connection(BaseModel):
    """Parameters of a connection. What is None is left to libpq: its environment, service and password files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str | None = None
    port: int | None = Field(default=None, ge=1, le=65535)
    user: str | None = None
    password: SecretStr | None = None
    database: str | None = None
    sslmode: str | None = None
    sslrootcert: str | None = None

    def environment(self, application: str) -> dict[str, str]:
        """The connection as libpq's environment variables, the way client programs are given it.

        A password on a command line can be read by every user of the machine, in the environment only by ours.
        https://www.postgresql.org/docs/current/libpq-envars.html
        """
        values = {
            "PGHOST": self.host,
            "PGPORT": None if self.port is None else str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": None if self.password is None else self.password.get_secret_value(),
            "PGDATABASE": self.database,
            "PGSSLMODE": self.sslmode,
            "PGSSLROOTCERT": self.sslrootcert,
            "PGAPPNAME": application[:63],
            "PGCONNECT_TIMEOUT": str(CONNECT_TIMEOUT_SECONDS),
        }
        return {name: value for name, value in values.items() if value is not None}

    @property
    def server(self) -> str:
        """What to call the server."""
        return server_name(host=self.host, port=self.port)

    def __str__(self) -> str:
        who = f"{self.user}@" if self.user else ""
        where = self.host or "the default host"
        return f"{who}{where}{f':{self.port}' if self.port else ''}"


def from_environment(
    environment: Mapping[str, str], *, database: str | None = None, service: Mapping[str, str] | None = None
) -> Connection:
    """The connection that the environment describes.

    Field by field, the first that is set wins: ``database`` (an option of the command), then
    ``POSTGRES_HOST/PORT/USER/PASSWORD/DB``, then ``DATABASE_URL``, then libpq's own ``PG*`` variables. So
    ``POSTGRES_DB=scratch`` in front of a command changes the database and nothing else.

    Args:
        environment: the variables.
        database: what an option of the command says.
        service: values of libpq's connection service, where ``PGSERVICE`` names one; they stand for ``PG*`` then.

    Raises:
        InvalidRequestError: the URL, a port or an sslmode cannot be understood. The message names the part, and of the
            URL no value.
    """
    url = _from_url(environment.get("DATABASE_URL", ""))
    values: dict[str, str | None] = {}
    for field, own, libpq in (
        ("host", "POSTGRES_HOST", "PGHOST"),
        ("port", "POSTGRES_PORT", "PGPORT"),
        ("user", "POSTGRES_USER", "PGUSER"),
        ("password", "POSTGRES_PASSWORD", "PGPASSWORD"),
        ("database", "POSTGRES_DB", "PGDATABASE"),
        ("sslmode", "", "PGSSLMODE"),
        ("sslrootcert", "", "PGSSLROOTCERT"),
    ):
        last = environment.get(libpq) if service is None else service.get(field)
        values[field] = environment.get(own) or url.get(field) or last or None
    if database:
        values["database"] = database
    # libpq's own rule: the database is named like the user where nothing else is said.
    values["database"] = values["database"] or values["user"]
    if values["sslmode"] is not None and values["sslmode"] not in _SSLMODES:
        raise InvalidRequestError(
            f"The sslmode {'in DATABASE_URL' if url.get('sslmode') else repr(values['sslmode'])} is none of "
            f"{', '.join(_SSLMODES)}.",
            untouched="Nothing was connected to.",
            action="Correct PGSSLMODE, or sslmode in DATABASE_URL.",
        )
    port = values.pop("port")
    return Connection.model_validate({**values, "port": None if port is None else _port(port)})


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise InvalidRequestError(
            f"The port {text!r} is not a number from 1 to 65535.",
            untouched="Nothing was connected to.",
            action="Correct POSTGRES_PORT, DATABASE_URL or PGPORT.",
        )
    return int(text)


def _refuse_url(why: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"DATABASE_URL cannot be used: {why}. (Its value is not shown, as it may hold a password.)",
        untouched="Nothing was connected to.",
        action="Write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters percent-encoded.",
    )


def _split(text: str) -> tuple[SplitResult, int | None] | None:
    """None for a malformed URL: the parser's error quotes what it could not read, a password perhaps."""
    with contextlib.suppress(ValueError):
        url = urlsplit(text)
        return url, url.port
    return None


def place_in_url(text: str) -> dict[str, str]:
    """Host, port and database of a URL of PostgreSQL, as other programs read it; empty for a URL of something else.

    Such a URL may name a driver (``postgresql+asyncpg://``) and have parameters that we do not know.

    Raises:
        InvalidRequestError: it is malformed.
    """
    if text.partition("://")[0].partition("+")[0] not in _SCHEMES:
        return {}
    parsed = _split(text)
    if parsed is None:
        raise _refuse_url("its host or port is malformed")
    url, port = parsed
    query = dict(parse_qsl(url.query))
    found = {
        "host": query.get("host") or unquote(url.hostname or ""),
        "port": query.get("port") or ("" if port is None else str(port)),
        "database": query.get("dbname") or unquote(url.path.removeprefix("/")) or unquote(url.username or ""),
    }
    return {field: value for field, value in found.items() if value}


def _from_url(text: str) -> dict[str, str]:
    if not text:
        return {}
    parsed = _split(text)
    if parsed is None:
        raise _refuse_url("its host or port is malformed")
    url, port = parsed
    if url.scheme not in _SCHEMES:
        raise _refuse_url("it does not begin with postgresql://")
    found = {
        "host": unquote(url.hostname or ""),
        "port": "" if port is None else str(port),
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "database": unquote(url.path.removeprefix("/")),
    }
    for name, value in parse_qsl(url.query):
        if name in _TAKEN_FROM_URL:
            found[_TAKEN_FROM_URL[name]] = value
        elif name not in _NOT_FOR_LIBPQ:
            raise _refuse_url(f"its parameter {name!r} is not known")
    return {field: value for field, value in found.items() if value}
