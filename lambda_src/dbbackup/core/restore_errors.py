"""What pg_restore says went wrong, by the entry of the archive that it belongs to."""

from __future__ import annotations

import re
from collections.abc import Collection

_ENTRY = re.compile(r"from TOC entry (\d+); \d+ \d+ ")
_ENTRY_ALONE = re.compile(r"^pg_restore: from TOC entry (\d+); \d+ \d+ ")
_MESSAGE = re.compile(r"^(?:pg_restore: )+(?P<level>error|detail|hint): (?P<text>.*)")
# "while PROCESSING TOC:" says nothing: each job writes it once, perhaps between another's entry and its error.
_AFTER_THE_ENTRIES = "pg_restore: while FINALIZING:"
_UNKNOWN_SETTING = re.compile(r'"(?P<name>[a-z_]+)"')
_GONE_ON = re.compile(r"(?:pg_restore: )+warning: errors ignored on restore: \d+")
_KEPT_CHARACTERS = 2000
# libpq's own words, which are in English whatever the server speaks: src/interfaces/libpq/fe-misc.c.
_LOST = ("server closed the connection unexpectedly", "no connection to the server", "connection not open")
# Settings that pg_restore turns off at its start, with the major that brought them. An older server does not know them
# and needs none of it: https://www.postgresql.org/docs/release/ (statement "SET" in _doSetFixedOutputState).
_NEWER_SETTINGS = {"transaction_timeout": 17, "idle_in_transaction_session_timeout": 10}


class RestoreErrors:
    """Reads the standard error of pg_restore, line by line.

    Attributes:
        by_entry: what was said of each entry that failed.
        others: what was said of no entry.
        gone_on: whether it went on to its end in spite of errors, as it says there.
        lost: whether a connection was lost, or ended by somebody: what failed then is no fault of the entry's.
    """

    def __init__(self, server_major: int, numbers: Collection[int], *, parallel: bool) -> None:
        """Be ready for one run.

        Args:
            server_major: of the server that is restored into.
            numbers: the entries of the run. With several jobs pg_restore blames the last entry that it came to, of this
                run or not, for what goes wrong when the others connect.
            parallel: whether there are several jobs.
        """
        self._server_major = server_major
        self._numbers = frozenset(numbers)
        self._parallel = parallel
        self._entry: int | None = None
        self._open: tuple[int | None, bool] = (None, False)
        self.by_entry: dict[int, str] = {}
        self.others: list[str] = []
        self.gone_on = False
        self.lost = False

    def line(self, line: str) -> None:
        """Take one line."""
        # It is the last that pg_restore says; the same words in somebody's data are not.
        self.gone_on = _GONE_ON.fullmatch(line.strip()) is not None
        if self.gone_on:
            return
        # With several jobs others' words may stand on the same line; each number is written in one piece.
        if found := (_ENTRY if self._parallel else _ENTRY_ALONE).findall(line):
            for number in map(int, found):
                if number in self._numbers:
                    self._entry = number
                    self.by_entry.setdefault(number, "")
            self._open = (self._entry, False)
        elif line.startswith(_AFTER_THE_ENTRIES):
            self._entry, self._open = None, (None, False)
        elif message := _MESSAGE.match(line):
            self._message(message["level"], message["text"])
        elif line.startswith(("pg_restore: ", "Command was: ")):
            self._open = (self._entry, False)
        elif self._open[1]:
            self.lost = self.lost or line.startswith(_LOST)
            self._add(line.strip())

    def _message(self, level: str, text: str) -> None:
        if level == "error" and self._is_expected(text):
            self._open = (self._entry, False)
            return
        self._open = (self._entry, True)
        self.lost = self.lost or any(words in text for words in _LOST)
        if level == "error" and self._entry is None:
            self.others.append("")
        self._add(text.removeprefix("could not execute query: "))

    def _is_expected(self, text: str) -> bool:
        if (self._entry is not None and not self._parallel) or "could not execute query" not in text:
            return False
        names = _UNKNOWN_SETTING.findall(text)
        return any(_NEWER_SETTINGS.get(name, 0) > self._server_major for name in names)

    def _add(self, text: str) -> None:
        entry = self._open[0]
        if entry is not None:
            self.by_entry[entry] = f"{self.by_entry[entry]} {text}".strip()[:_KEPT_CHARACTERS]
        elif self.others:
            self.others[-1] = f"{self.others[-1]} {text}".strip()[:_KEPT_CHARACTERS]
