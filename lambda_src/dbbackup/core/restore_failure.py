"""An entry of an archive that could not be restored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dbbackup.core.archive_toc import TABLE_DATA, TableOfContents

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """One entry, and why it is not there.

    Attributes:
        what: kind and name.
        error: the server's words.
        statement: what would make it; empty for data.
        dump_id: its number in the archive; None for a statement of a script.
    """

    what: str
    error: str
    statement: str = ""
    dump_id: int | None = None

    def as_dict(self) -> dict[str, str]:
        """The failure as a document."""
        return {"what": self.what, "error": self.error, "statement": self.statement}


def listed(failures: Iterable[Failure]) -> str:
    """The first of them for a message."""
    every = list(failures)
    more = len(every) - _SHOWN
    text = "; ".join(f"{failure.what} ({failure.error})" for failure in every[:_SHOWN])
    return f"{text}; and {more} more" if more > 0 else text


def to_repeat(contents: TableOfContents, failed: Iterable[int], left_out: frozenset[int]) -> list[int]:
    """What to try once more: the failed entries in the archive's order, and the data of tables that were not made."""
    numbers = set(failed)
    for entry in contents.items:
        if entry.kind == TABLE_DATA and numbers.intersection(entry.dependencies):
            numbers.add(entry.dump_id)
    return [entry.dump_id for entry in contents.items if entry.dump_id in numbers - left_out]
