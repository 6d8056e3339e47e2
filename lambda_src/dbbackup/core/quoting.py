"""Names and texts as they are written in SQL, for statements that take no parameters or that a person runs later."""

from __future__ import annotations


def quote_name(name: str) -> str:
    """An identifier, always in quotes.

    https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
    """
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """A string constant that means the same whatever ``standard_conforming_strings`` is.

    https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS-ESCAPE
    """
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def split_list(value: str) -> list[str]:
    """The names in a setting that is stored as a list of quoted names, ``search_path`` for one.

    As SplitGUCList of PostgreSQL does it; a value that is no such list is one name.
    """
    names: list[str] = []
    rest = value.strip()
    while rest:
        if rest.startswith('"'):
            end = _closing_quote(rest)
            if end is None:
                return [value]
            names.append(rest[1:end].replace('""', '"'))
            rest = rest[end + 1 :].lstrip()
        else:
            name, comma, after = rest.partition(",")
            names.append(name.rstrip())
            rest = comma + after
        if rest and not rest.startswith(","):
            return [value]
        rest = rest[1:].lstrip()
    return names


def _closing_quote(text: str) -> int | None:
    place = text.find('"', 1)
    while place != -1 and text[place + 1 : place + 2] == '"':
        place = text.find('"', place + 2)
    return None if place == -1 else place
