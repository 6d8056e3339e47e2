"""``DATABASE_URL`` as libpq reads it, whatever other programs have written into it for themselves.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

import psycopg
from psycopg.pq import Conninfo

from dbbackup.core.connection import DatabaseUrl
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.libpq import OURS, VARIABLES, sslmode_meant

# A driver (SQLAlchemy), JDBC's own prefix, and the name that Rails and Django have for PostGIS.
_SCHEME: Final = re.compile(r"(?:jdbc:)?(?:postgres|postgresql|postgis)(?:\+[\w.-]+)?://", re.ASCII)
_KEYWORD_VALUE: Final = re.compile(r"\w+\s*=", re.ASCII)
_PLAIN_NAME: Final = re.compile(r"[A-Za-z][\w.-]{0,40}", re.ASCII)
_BAD_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")


def is_postgres(text: str) -> bool:
    """Whether a URL is one of PostgreSQL, or a connection string in libpq's other form."""
    text = text.strip()
    return bool(_SCHEME.match(text) or _KEYWORD_VALUE.match(text))


def read_url(text: str) -> DatabaseUrl:
    """What ``DATABASE_URL`` says: libpq's parameters; those of ORMs and pools are left out, and that is noted.

    Raises:
        InvalidRequestError: it cannot be understood. Of its value nothing is shown, as it may hold a password.
    """
    text = text.strip()
    if not text:
        return DatabaseUrl()
    if text[0] in "\"'":
        raise _refuse("it begins with a quote, which is a part of it where a file of variables is not read by a shell")
    scheme = _SCHEME.match(text)
    if scheme:
        plain, notes = _without_others(text[scheme.end() :])
    elif _KEYWORD_VALUE.match(text):
        plain, notes = text, []
    else:
        raise _refuse("it does not begin with postgresql://")
    values = {keyword: value for keyword, value in _parse(plain).items() if value and keyword not in OURS}
    _refuse_ports(values.get("port", ""), plain)
    sslmode = values.get("sslmode")
    meant = sslmode_meant(sslmode) if sslmode else None
    if meant and meant != sslmode:
        values["sslmode"] = meant
        notes.append(
            f"The sslmode in DATABASE_URL is another driver's; it was taken for {meant}, which is libpq's word for it."
        )
    if "dbname" in values:
        values["database"] = values.pop("dbname")
    return DatabaseUrl(values, tuple(notes))


def _without_others(rest: str) -> tuple[str, list[str]]:
    """The URL with nothing in it that libpq does not know, and what to say of it; split where libpq splits it."""
    before_path = rest.partition("/")[0]
    credentials, at, where = rest.partition("@") if "@" in before_path else ("", "", rest)
    place, _, query = where.partition("?")
    if "@" in place:
        raise _refuse("it has more than one @, or one behind a /: the password has an @ or a / in it, perhaps")
    if _BAD_PERCENT.search(rest):
        raise _refuse("a % in it is not followed by two hexadecimal digits: the password has a % in it, perhaps")
    kept: list[str] = []
    left_out: list[str] = []
    for piece in filter(None, query.split("&")):
        raw, _, value = piece.partition("=")
        name = unquote(raw)
        if name == "ssl":  # of several drivers; their sslmode, where there is one, says it better
            kept.insert(0, f"sslmode={sslmode_meant(value) or ''}")
        elif name in VARIABLES:
            kept.append(f"{name}={value.replace('=', '%3D')}")
        elif _PLAIN_NAME.fullmatch(name) and "@" not in value:
            left_out.append(name)
        else:
            raise _refuse("what follows its ? is not a list of parameters: the password has a ? in it, perhaps")
    notes = []
    if left_out:
        names = ", ".join(dict.fromkeys(left_out))
        notes.append(f"DATABASE_URL has parameters that are not PostgreSQL's; they were left out: {names}.")
    if "#" in credentials:
        notes.append(
            "DATABASE_URL has a # in the user or password. PostgreSQL reads it so, other programs end the URL there: "
            "write it as %23."
        )
    return f"postgresql://{credentials}{at}{place}?{'&'.join(kept)}", notes


def _parse(text: str) -> dict[str, str]:
    try:
        return {
            option.keyword.decode(): option.val.decode()
            for option in Conninfo.parse(text.encode())
            if option.val is not None
        }
    except (psycopg.Error, UnicodeError) as error:
        said = str(error)
    # Out here the parser's error, which quotes what it could not read, is not even the context of ours.
    raise _refuse(
        "its address in brackets is malformed"
        if "IPv6" in said or 'expected ":" or "/"' in said
        else "it has a parameter that libpq does not know"
        if "invalid connection option" in said
        else "libpq cannot read it"
    )


def _refuse_ports(ports: str, text: str) -> None:
    for port in ports.split(","):
        if port and (not port.isdecimal() or not 1 <= int(port) <= 65535):
            crowded = text.count(":") > 3 and "[" not in text
            raise _refuse(
                "its port is not a number from 1 to 65535; an IPv6 address stands in brackets"
                if crowded
                else "its port is not a number from 1 to 65535: the password has a / or ? in it, perhaps"
            )


def _refuse(why: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"DATABASE_URL cannot be used: {why}. (Its value is not shown, as it may hold a password.)",
        untouched="Nothing was connected to.",
        action="Write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters percent-encoded: "
        "@ as %40, / as %2F, : as %3A, ? as %3F, # as %23, % as %25.",
    )
