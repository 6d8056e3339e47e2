"""Signals by which a person or the system tells the program to stop."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Final, NoReturn

from dbbackup.core.errors import InterruptedRunError

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ToldToStop:
    """Handles the signals: raises wherever we are, and remembers it.

    What is raised inside a destructor or a callback of a library is printed and forgotten there, so whoever is about
    to do what cannot be undone asks :attr:`signal` besides.

    Attributes:
        signal: number of the first that came, or None.
    """

    def __init__(self) -> None:
        self.signal: int | None = None

    def listen(self) -> None:
        """Handle the signals from now on."""
        for number in _STOPPING:
            signal.signal(number, self.heard)

    def heard(self, number: int, _frame: FrameType | None) -> NoReturn:
        """One has come.

        Raises:
            InterruptedRunError: always.
        """
        if self.signal is None:
            self.signal = number
        raise InterruptedRunError(
            f"Stopped by {signal.Signals(number).name}.",
            untouched="Nothing unfinished is left under a final name, and earlier backups are as they were.",
            action="Start it again when it suits.",
        )


TOLD: Final = ToldToStop()
"""Of this process."""
