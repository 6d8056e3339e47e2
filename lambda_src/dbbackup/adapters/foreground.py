"""Runs somebody else's command in our place: its terminal, environment and signals are ours, and so is its end."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType, TracebackType
from typing import Final, Self

from dbbackup.adapters.told_to_stop import TOLD
from dbbackup.core.errors import InterruptedRunError
from dbbackup.core.receipt_errors import CommandNotStartedError

_STOPPING: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT})
_PASSED_ON: Final = _STOPPING | {signal.SIGUSR1, signal.SIGUSR2}
_HELD: Final = _PASSED_ON | {signal.SIGCHLD}
_MOMENT: Final = 0.2
"""Seconds until the command is looked at without a signal, should that have gone to another thread."""
# What Python ignores for itself and a program expects to have; the rest we set is undone by starting a program.
_IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)


class Foreground:
    """From its begin to its end, signals wait: for the command, if it runs, else for nobody.

    So no signal falls between the receipt and the command: one that comes before the command keeps it from starting,
    one that comes while it runs reaches it, and one that comes later does not keep its end from being recorded.
    """

    def __enter__(self) -> Self:
        # Without a handler some systems drop the news of a child's end, or take the child's status away. And where
        # there is another thread, of a library that has not ended it, a signal that we hold back may come to that one.
        self._astray: list[int] = []
        self._handlers = {each: signal.signal(each, self._heard_by_another_thread) for each in _HELD}
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while signal.sigpending() & _HELD:
            signal.sigwait(_HELD)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        for each, handler in self._handlers.items():
            signal.signal(each, handler)

    def _heard_by_another_thread(self, number: int, _frame: FrameType | None) -> None:
        self._astray.append(number)

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run a command to its end.

        Args:
            command: program, found in our PATH, and arguments.
            environment: all that it has.

        Returns:
            Its exit status; 128 + n where signal n ended it, as in a shell.

        Raises:
            CommandNotStartedError: there is no such program, or it cannot be executed.
            InterruptedRunError: we were told to stop before it was started.
        """
        self._stop_if_told_to()
        child = self._start(command, environment)
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
            waited = _next_signal()
            told = [] if waited is None else [waited]
            while self._astray:
                told.append(self._astray.pop(0))
            for number in told:
                if number in _PASSED_ON:
                    os.kill(child, number)  # it is ours until we have waited for it, so its number is nobody else's

    def _stop_if_told_to(self) -> None:
        earlier = () if TOLD.signal is None else (TOLD.signal,)
        waiting = (signal.sigpending() | {*self._astray, *earlier}) & _STOPPING
        if waiting:
            name = signal.Signals(min(waiting)).name
            raise InterruptedRunError(
                f"Stopped by {name} before the command was started.",
                untouched="The command was not run. The backup is stored and verified.",
                action="Start it again when it suits.",
            )

    def _start(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        try:
            return os.posix_spawnp(
                command[0], tuple(command), environment, setsigmask=self._mask, setsigdef=_IGNORED_BY_PYTHON
            )
        except (OSError, ValueError) as error:
            failure = _not_started(command[0], error)
        raise failure


def _next_signal() -> int | None:
    """The next signal that is to be passed on or looked into, or None after a moment without any.

    What the terminal sends, such as Ctrl-C, it sends to the command as to us, so that is passed over.
    """
    if sys.platform == "linux":
        info = signal.sigtimedwait(_HELD, _MOMENT)
        of_kernel = info is not None and info.si_code > 0
        return None if info is None or of_kernel else info.si_signo
    number = signal.sigwait(_HELD)
    keys = (signal.SIGINT, signal.SIGQUIT)
    return None if number in keys and os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp() else number


def _not_started(program: str, error: OSError | ValueError) -> CommandNotStartedError:
    why = error.strerror if isinstance(error, OSError) else str(error)
    missing = isinstance(error, OSError) and error.errno in (errno.ENOENT, errno.ENOTDIR)
    return CommandNotStartedError(
        f"There is no command {program!r}." if missing else f"The command {program!r} cannot be executed: {why}.",
        untouched="Nothing was migrated. The backup is stored and verified.",
        action="Check its name and PATH." if missing else "Check that it is a program, and the rights on it.",
        status=127 if missing else 126,
    )
