"""An archive, and ways to damage it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Damage = Callable[[bytes], bytes]


def flip(body: bytes, position: int) -> bytes:
    """One byte changed."""
    return body[:position] + bytes([body[position] ^ 0xFF]) + body[position + 1 :]


DAMAGES: dict[str, Damage] = {
    "cut in half": lambda body: body[: len(body) // 2],
    "one byte short": lambda body: body[:-1],
    "a byte of the data changed": lambda body: flip(body, len(body) - 15),
    "a byte of the table of contents changed": lambda body: flip(body, 60),
    "empty": lambda _: b"",
    "not an archive": lambda _: b"-- PostgreSQL database dump\n" * 100,
    "bytes appended": lambda body: body + b"trailing",
    "a text in its comments changed": lambda body: body.replace(b"PRIMARY KEY", b"PRIMARY kEY"),
}


def damage(path: Path, how: str) -> None:
    """Write a file anew, damaged."""
    path.write_bytes(DAMAGES[how](path.read_bytes()))
