"""A dump out of the compression that somebody has put around it, without more room or time than it can be worth."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

from dbbackup.core.archive_kind import HEAD_BYTES, Cover, Form, Stranger, recognize
from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.zstd_file import ZstdError, ZstdFile

MOST_TIMES: Final = 1000
"""A dump is never that much longer than what it was compressed to; zeros of an attacker are."""
_HARMLESS_BYTES = 1 << 30
_DEEPEST = 3
_OPENERS: dict[Cover, Callable[[BinaryIO], object]] = {
    Cover.GZIP: lambda stream: gzip.GzipFile(fileobj=stream, mode="rb"),
    Cover.BZIP2: bz2.BZ2File,
    Cover.XZ: lzma.LZMAFile,
    Cover.ZSTD: ZstdFile,
}
_DAMAGE = (EOFError, zlib.error, lzma.LZMAError, ZstdError, OSError)
_UNTOUCHED = "No database was touched."


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A dump, ready to be read.

    Attributes:
        form: what it is.
        covers: compressions around it, the outermost first.
        stream: its bytes, from the first on.
    """

    form: Form
    covers: tuple[Cover, ...]
    stream: BinaryIO


def uncover(stream: BinaryIO, size: int, url: str) -> Uncovered:
    """What a file is, and its bytes without the compressions around them.

    Args:
        stream: the file, at its beginning; it can seek.
        size: its bytes.
        url: what to call it in a message.

    Raises:
        VerificationFailedError: it is no dump that can be restored; the message says what it is, and what to do.
    """
    covers: list[Cover] = []
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    while True:
        kind = recognize(head)
        if isinstance(kind, Form):
            return Uncovered(kind, tuple(covers), stream)
        if isinstance(kind, Stranger):
            raise refused(url, kind, covers)
        if len(covers) == _DEEPEST:
            raise refused(url, Stranger("compressed again and again", "Unpack it by hand."), covers)
        covers.append(kind)
        layer = io.BufferedReader(_Layer(cast(BinaryIO, _OPENERS[kind](stream)), kind, url, size), HEAD_BYTES)
        head = layer.peek(HEAD_BYTES)  # as long as its buffer
        stream = cast(BinaryIO, layer)


class _Layer(io.RawIOBase):
    """What comes out of one compression, with errors that say what is wrong."""

    def __init__(self, opened: BinaryIO, cover: Cover, url: str, size: int) -> None:
        super().__init__()
        self._opened = opened
        self._cover = cover
        self._url = url
        self._most = max(_HARMLESS_BYTES, size * MOST_TIMES)
        self._done = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._opened.read(len(buffer))
        except VerificationFailedError:
            raise
        except _DAMAGE as error:
            cut = isinstance(error, EOFError)
            raise VerificationFailedError(
                f"{self._url} is {'cut short' if cut else 'damaged'}: {self._cover.value} says "
                f"{str(error).rstrip('.') or 'nothing'}.",
                untouched=_UNTOUCHED,
                action="Copy or download it again, and compare its size with the original's; or choose another.",
            ) from error
        buffer[: len(data)] = data
        self._done += len(data)
        if self._done > self._most:
            raise VerificationFailedError(
                f"{self._url} is no dump, as it seems: it unpacks to more than {MOST_TIMES} times its size.",
                untouched=_UNTOUCHED,
                action=f"If you trust it, unpack it yourself (it is compressed by {self._cover.value}), and give that.",
            )
        return len(data)


def refused(url: str, stranger: Stranger, covers: list[Cover] | None = None) -> VerificationFailedError:
    """The answer to something that cannot be restored."""
    within = f" ({', in '.join(cover.value for cover in covers)} around it)" if covers else ""
    return VerificationFailedError(
        f"{url} is not a dump that can be restored here. It is {stranger.what}{within}.",
        untouched=_UNTOUCHED,
        action=stranger.action,
    )
