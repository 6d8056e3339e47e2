"""Runs somebody else's command in our place: its terminal, environment and signals are ours, and so is its end."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from dbbackup.core.errors import InterruptedRunError
from dbbackup.core.receipt_errors import CommandNotStartedError

_STOPPING: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT})
_PASSED_ON: Final = _STOPPING | {signal.SIGUSR1, signal.SIGUSR2}
_HELD: Final = _PASSED_ON | {signal.SIGCHLD}
# What Python ignores for itself and a program expects to have; the rest we set is undone by starting a program.
_IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)


class Foreground:
    """From its begin to its end, signals wait: for the command, if it runs, else for nobody.

    So no signal falls between the receipt and the command: one that comes before the command keeps it from starting,
    one that comes while it runs reaches it, and one that comes later does not keep its end from being recorded.
    """

    def __enter__(self) -> Self:
        # Without a handler some systems drop the news of a child's end, or take the child's status away.
        self._child_ended = signal.signal(signal.SIGCHLD, lambda *_: None)
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while signal.sigpending() & _HELD:
            signal.sigwait(_HELD)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        signal.signal(signal.SIGCHLD, self._child_ended)

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
            number, of_terminal = _next_signal()
            if number == signal.SIGCHLD:
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended:
                    code = os.waitstatus_to_exitcode(status)
                    return code if code >= 0 else 128 - code
            elif not of_terminal:
                os.kill(child, number)  # it is ours until we have waited for it, so its number is nobody else's

    def _stop_if_told_to(self) -> None:
        waiting = signal.sigpending() & _STOPPING
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


def _next_signal() -> tuple[int, bool]:
    """The next signal, and whether the terminal has sent it, to the command as to us."""
    if sys.platform == "linux":
        info = signal.sigwaitinfo(_HELD)
        return info.si_signo, info.si_code > 0  # what the kernel sends itself, such as Ctrl-C
    number = signal.sigwait(_HELD)
    keys = (signal.SIGINT, signal.SIGQUIT)
    return number, number in keys and os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp()


def _not_started(program: str, error: OSError | ValueError) -> CommandNotStartedError:
    why = error.strerror if isinstance(error, OSError) else str(error)
    missing = isinstance(error, OSError) and error.errno in (errno.ENOENT, errno.ENOTDIR)
    return CommandNotStartedError(
        f"There is no command {program!r}." if missing else f"The command {program!r} cannot be executed: {why}.",
        untouched="Nothing was migrated. The backup is stored and verified.",
        action="Check its name and PATH." if missing else "Check that it is a program, and the rights on it.",
        status=127 if missing else 126,
    )
