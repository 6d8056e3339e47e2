"""Which keys a store looks at: those that lead to a place inside it, however they have come to us."""

from __future__ import annotations

import re
from typing import Final

from dbbackup.core.errors import InvalidRequestError

MAX_BYTES: Final = 1024
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def check_key(key: str) -> str:
    """Refuse a key that is none of a store's own: absolute, leading out of it, or with characters nobody would see.

    A key may stand in an event, an argument, or a document that somebody else could write.

    Raises:
        InvalidRequestError: it is one of those; the message shows it with such characters escaped.
    """
    if not key or key.startswith("/"):
        why = "it names no object, or a place outside"
    elif _CONTROL.search(key):
        why = "it holds a control character"
    elif any(part in ("", ".", "..") for part in key.removesuffix("/").split("/")):
        why = "it leads out of its place"
    elif len(key.encode()) > MAX_BYTES:
        why = f"it is longer than {MAX_BYTES} bytes"
    else:
        return key
    raise InvalidRequestError(
        f"{key[:200]!r} is no key of a backup: {why}.",
        untouched="Nothing was read, written or removed there.",
        action="`dbbackup list` shows the keys that there are.",
    )
