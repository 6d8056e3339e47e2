"""Names in a manifest, also those that are no text: in a database without an encoding a name is any bytes."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer

# PostgreSQL has no name with a zero in it, so nothing else can look like this.
_MARK = "\0"
_ESCAPED = re.compile(_MARK + "([0-9a-f]{2})")
_LONE = re.compile("[\udc80-\udcff]")


def to_text(name: str) -> str:
    """A name as JSON can hold it: a byte that belongs to no character is a zero and two hexadecimal digits."""
    return _LONE.sub(lambda found: f"{_MARK}{ord(found[0]) - 0xDC00:02x}", name)


def from_text(text: str) -> str:
    """The name that was written so; bytes that belong to no character as Python's ``surrogateescape`` has them."""
    return _ESCAPED.sub(lambda found: chr(0xDC00 + int(found[1], 16)), text)


def printable(name: str) -> str:
    """A name for a person's eyes: a byte that belongs to no character as ``\\xe9``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


Name = Annotated[str, AfterValidator(from_text), PlainSerializer(to_text, when_used="json")]
