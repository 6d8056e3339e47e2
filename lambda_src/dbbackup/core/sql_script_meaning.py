"""What one statement of a script is about, and how far it reaches: into the database, or beyond it.

A restore fills a copy beside the target. Whatever a script says, it must not reach another database, a role or the
server; what it may say is named here, and everything else is left to the person who has the script.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from dbbackup.core.sql_object import SERVER_KINDS, SqlObject, object_of, table_of
from dbbackup.core.sql_script_reader import Statement
from dbbackup.core.sql_words import TEXT, top_level, unquoted, words

_FEW_WORDS = 12
_CHANGES_ROWS = frozenset(("update", "delete", "truncate"))
_TENDS = frozenset(("refresh", "analyze", "vacuum", "reindex", "cluster", "lock"))
_TRANSACTION = frozenset(("begin", "start", "commit", "end", "rollback", "savepoint", "release"))
# What pg_dump itself calls: https://www.postgresql.org/docs/current/functions-admin.html and lo-funcs.html
LARGE_OBJECT_DATA = frozenset(("lo_open", "lowrite", "lo_close"))
_CALLED = {
    "setval": "SEQUENCE SET",
    "lo_create": "BLOB",
    "lo_unlink": "BLOB",
    **dict.fromkeys(LARGE_OBJECT_DATA, "BLOBS"),
    **dict.fromkeys(
        ("pg_restore_relation_stats", "pg_restore_attribute_stats", "pg_restore_extended_stats"), "STATISTICS DATA"
    ),
}
_SETS_PATH = re.compile(rb"select\s+pg_catalog\.set_config\('search_path', '[^']*', (?:false|true)\)\Z", re.IGNORECASE)
_GRANTED_ON = frozenset(
    (
        *("table", "sequence", "schema", "function", "procedure", "routine", "type", "domain", "language", "large"),
        *("foreign", "database", "tablespace", "parameter", "all"),
    )
)
_FIRST_TEXT = re.compile(rb"'((?:[^']++|'')*+)'")


class Reach(StrEnum):
    """How far a statement reaches."""

    OBJECT = "an object of the database"
    SETTING = "a setting of the session"
    SESSION_USER = "the user of the session"
    TRANSACTION = "a transaction"
    DATABASE = "a database as a whole"
    SERVER = "beyond the database"
    UNKNOWN = "anywhere"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a statement is about.

    Attributes:
        reach: how far it reaches.
        verb: its first word.
        kind: of the entry that it would be in an archive: ``TABLE``, ``ACL``, ``FK CONSTRAINT`` and so on.
        schema: of its object.
        tag: name of its object, as pg_dump calls it.
        about: kind, schema and name of the object that it says something of, where another statement makes that.
        owner: the role that becomes an owner, or the session's user.
        setting: the setting that it sets, and to what; of several values the first.
        call: the function of the server that it calls.
        takes_over: whether what follows belongs to another user, as pg_dump writes it when asked to
            (``--use-set-session-authorization``).
    """

    reach: Reach
    verb: str
    kind: str = ""
    schema: str = ""
    tag: str = ""
    about: tuple[str, str, str] | None = None
    owner: str = ""
    setting: tuple[str, str] | None = None
    call: str = ""
    takes_over: bool = False


def meaning_of(statement: Statement, encoding: str = "utf-8") -> Meaning:
    """What a statement is about."""
    start = list(islice(words(statement.text, encoding), _FEW_WORDS))
    verb = start[0] if start else ""
    if verb == "insert":
        schema, name = table_of(start[2:])
        return Meaning(Reach.OBJECT, verb, "TABLE DATA", schema, name, about=("TABLE", schema, name))
    if verb == "select":
        return _select(statement, verb, start)
    if verb in _TRANSACTION:
        return Meaning(Reach.TRANSACTION, verb)
    found = list(top_level(words(statement.text, encoding)))
    match verb:
        case "set" | "reset":
            return _setting(verb, found, statement.text)
        case "copy":
            if not statement.copies:
                return Meaning(Reach.UNKNOWN, verb)
            schema, name = table_of(found[1:])
            return Meaning(Reach.OBJECT, verb, "TABLE DATA", schema, name, about=("TABLE", schema, name))
        case "create":
            return _create(verb, object_of(found[1:]))
        case "alter":
            return _alter(verb, found)
        case "drop":
            made = object_of(found[1:])
            return Meaning(_reach(made), verb, f"DROP {made.kind}", made.schema, made.name)
        case "comment" | "security":
            return _said_of(verb, found)
        case "grant" | "revoke":
            return _grant(verb, found)
        case _:
            if verb in _CHANGES_ROWS | _TENDS:
                return Meaning(Reach.OBJECT, verb, verb.upper(), "", " ".join(found[1:6]))
            return Meaning(Reach.UNKNOWN, verb)


def _select(statement: Statement, verb: str, start: list[str]) -> Meaning:
    if _SETS_PATH.match(statement.text):
        return Meaning(Reach.SETTING, verb, setting=("search_path", ""))
    call = start[1:]
    if call[:2] == ["*", "from"]:
        call = call[2:]
    if call[:2] == ["pg_catalog", "."]:
        call = call[2:]
    if len(call) < 2 or call[0] not in _CALLED or call[1] != "(":
        return Meaning(Reach.UNKNOWN, verb)
    first = _FIRST_TEXT.search(statement.text)
    tag = first[1].decode(errors="replace") if first else ""
    return Meaning(Reach.OBJECT, verb, _CALLED[call[0]], "", tag, call=call[0])


def _setting(verb: str, found: list[str], text: bytes) -> Meaning:
    rest = found[2:] if found[1:2] in (["local"], ["session"]) else found[1:]
    if found[1:2] == ["session"] and rest[:1] == ["characteristics"]:
        return Meaning(Reach.TRANSACTION, verb)
    if rest[:1] == ["role"]:
        return Meaning(Reach.SERVER, verb)
    if rest[:1] == ["authorization"]:
        named = verb == "set" and rest[1:2] not in ([], [TEXT], ["default"])
        takes_over = verb == "set" and rest[1:2] == [TEXT]
        return Meaning(Reach.SESSION_USER, verb, owner=unquoted(rest[1]) if named else "", takes_over=takes_over)
    if rest[:1] in (["transaction"], ["constraints"]):
        return Meaning(Reach.TRANSACTION, verb)
    if not rest:
        return Meaning(Reach.UNKNOWN, verb)
    parts = 3 if rest[1:2] == ["."] else 1
    value = rest[parts + 1 :] if rest[parts : parts + 1] in (["="], ["to"]) else rest[parts:]
    said = unquoted(value[0]) if value else ""
    if said == TEXT and (literal := _FIRST_TEXT.search(text)):
        said = literal[1].decode(errors="replace")
    return Meaning(Reach.SETTING, verb, setting=("".join(map(unquoted, rest[:parts])), said))


def _create(verb: str, made: SqlObject) -> Meaning:
    owner = ""
    if made.kind == "SCHEMA":
        name = made.name
        if name == "authorization":  # without a name of its own it has that of its owner
            name = owner = unquoted(made.rest[0]) if made.rest else ""
        elif made.rest[:1] == ("authorization",):
            owner = unquoted(made.rest[1]) if len(made.rest) > 1 else ""
        return Meaning(_reach(made), verb, made.kind, "", name, owner=owner)
    if made.kind in ("SUBSCRIPTION", "IMPORT"):
        return Meaning(Reach.OBJECT, verb, made.kind, "", made.name)
    return Meaning(_reach(made), verb, made.kind, made.schema, made.name)


def _alter(verb: str, found: list[str]) -> Meaning:
    if found[1:3] == ["default", "privileges"]:
        owner = ""
        if found[3:4] == ["for"] and len(found) > 5:
            owner = unquoted(found[5])
        return Meaning(Reach.OBJECT, verb, "DEFAULT ACL", "", "DEFAULT PRIVILEGES", owner=owner)
    made = object_of(found[1:])
    about = (made.kind, made.schema, made.name)
    if found[-3:-1] == ["owner", "to"]:
        owner = "" if found[-1] in ("current_user", "session_user", "current_role") else unquoted(found[-1])
        return Meaning(_reach(made), verb, made.kind, made.schema, made.name, about=about, owner=owner)
    kind, tag = f"ALTER {made.kind}", made.name
    rest = made.rest
    if made.kind == "TABLE" and rest[:2] == ("add", "constraint") and len(rest) > 2:
        kind = "FK CONSTRAINT" if "foreign" in rest else "CONSTRAINT"
        tag = f"{made.name} {unquoted(rest[2])}"
    elif made.kind in ("TABLE", "INDEX") and rest[:1] == ("attach",):
        kind = f"{made.kind} ATTACH"
    elif made.kind == "PUBLICATION" and rest[:1] == ("add",):
        kind = "PUBLICATION TABLE" if rest[1:2] == ("table",) else "PUBLICATION TABLES IN SCHEMA"
    return Meaning(_reach(made), verb, kind, made.schema, tag, about=about)


def _said_of(verb: str, found: list[str]) -> Meaning:
    of = found[found.index("on") + 1 :] if "on" in found else []
    made = object_of(of)
    kind = "COMMENT" if verb == "comment" else "SECURITY LABEL"
    schema, name = made.schema, made.name
    if made.kind == "COLUMN" and made.rest[:1] == (".",):  # schema.table.column
        name = f"{name}.{unquoted(made.rest[1])}" if len(made.rest) > 1 else name
    tag = f"{made.kind} {name}"
    return Meaning(_reach(made), verb, kind, schema, tag, about=(made.kind, schema, made.name))


def _grant(verb: str, found: list[str]) -> Meaning:
    if "on" not in found:  # a membership in a role
        return Meaning(Reach.SERVER, verb)
    of = found[found.index("on") + 1 :]
    # GRANT SELECT ON item is about a table, GRANT USAGE ON SCHEMA shop names the kind.
    names_kind = bool(of) and of[0] in _GRANTED_ON and of[1:2] != ["."]
    made = object_of(of if names_kind else ["table", *of])
    return Meaning(
        _reach(made), verb, "ACL", made.schema, f"{made.kind} {made.name}", about=(made.kind, made.schema, made.name)
    )


def _reach(made: SqlObject) -> Reach:
    if made.kind == "DATABASE":
        return Reach.DATABASE
    if made.kind in SERVER_KINDS:
        return Reach.SERVER
    return Reach.OBJECT if made.kind else Reach.UNKNOWN
