"""Commands that run by schedule: where nobody sits before them, what was not understood is a failed run, too.

A job whose settings are garbled makes no backup, every night, and says so to nobody but its log.
"""

from __future__ import annotations

import sys
from typing import Any, ClassVar

from typer.core import TyperCommand

from dbbackup.cli.reporting import tell
from dbbackup.contract_notification import Kind, Outcome
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.notification import Failure, Notification


class _UnattendedCommand(TyperCommand):
    kind: ClassVar[Kind]

    def make_context(self, *arguments: Any, **named: Any) -> Any:
        try:
            return super().make_context(*arguments, **named)
        except Exception as error:
            problem = _of_usage(error)
            if problem is not None:
                self._tell(InvalidRequestError(problem, untouched=_UNTOUCHED, action=_ACTION))
            raise

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except InvalidRequestError as error:
            self._tell(error)
            raise

    def _tell(self, error: InvalidRequestError) -> None:
        # Whoever sits before it reads the same on the terminal.
        if not _somebody_sits_here():
            tell(Notification(kind=self.kind, outcome=Outcome.FAILED, failure=Failure.of(error)))


class BackupCommand(_UnattendedCommand):
    """``backup``."""

    kind = Kind.BACKUP


class DrillCommand(_UnattendedCommand):
    """``drill``."""

    kind = Kind.REHEARSAL


_UNTOUCHED = "Nothing was connected to and nothing was written."
_ACTION = "Correct the option, or the variable that stands for it; --help names them all."


def _of_usage(error: Exception) -> str | None:
    """What Typer says of options that it does not understand; it has no public name for their error."""
    said = getattr(error, "format_message", None)
    return (
        str(said()) if callable(said) and getattr(error, "exit_code", None) == InvalidRequestError.exit_status else None
    )


def _somebody_sits_here() -> bool:
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()
