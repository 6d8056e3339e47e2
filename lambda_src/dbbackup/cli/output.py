"""What the program prints: results on standard output, progress and failures on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import Progress as RichProgress
from rich.progress import ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from dbbackup.core.errors import Explained
from dbbackup.core.ports import Progress, ProgressListener, no_progress
from dbbackup.core.units import format_bytes

_PHASES = {
    "roles": "roles",
    "dump": "dumping",
    "verify": "reading back",
    "read": "reading the backup",
    "restore": "restoring",
    "compare": "comparing",
}


def examples(*lines: tuple[str, str]) -> str:
    """The end of a help text: commands and what each is for, a line each."""
    return "\n\n".join(["[bold]Examples[/]", *(f"  {command}   [dim]{purpose}[/]" for command, purpose in lines)])


def print_json(document: Mapping[str, Any] | list[dict[str, Any]]) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def say(line: str) -> None:
    """One line of a result."""
    sys.stdout.write(line + "\n")


def warn(line: str) -> None:
    """One line that does not belong to the result."""
    sys.stderr.write(f"⚠️  {line}\n")


def report_failure(error: Explained, *, as_json: bool) -> None:
    """What happened, what was left alone, what to do."""
    if as_json:
        print_json({"status": "failed", **error.as_dict()})
    sys.stderr.write(f"❌ {error.what}\n")
    for line in (error.untouched, error.action):
        if line:
            sys.stderr.write(f"   {line}\n")


class _Rate(ProgressColumn):
    """Bytes a second, over the last while."""

    def render(self, task: Task) -> Text:
        return Text(f"{format_bytes(task.speed or 0)}/s", style="dim")


def _items(progress: Progress) -> str:
    if progress.tables_total:
        return f"{progress.tables_done} of {progress.tables_total} entries"
    return f"{progress.tables_done} tables" if progress.tables_done else ""


class TerminalProgress:
    """Draws a line, and can be told to make room for a question."""

    def __init__(self, bar: RichProgress) -> None:
        self._bar = bar
        self._task = bar.add_task("connecting", total=None, amount="", tables="")
        self._phase = ""

    def pause(self) -> None:
        """Stop drawing until the next progress."""
        self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        """Show how far it is."""
        if progress.phase != self._phase:
            self._phase = progress.phase
            self._bar.reset(self._task, total=progress.bytes_total)
            self._bar.start()
        amount = format_bytes(progress.bytes_done) if progress.bytes_done else ""
        if progress.bytes_total:
            amount += f" of {format_bytes(progress.bytes_total)}"
        self._bar.update(
            self._task,
            completed=progress.bytes_done,
            description=_PHASES.get(self._phase, self._phase),
            amount=amount,
            tables=_items(progress),
        )


@contextmanager
def progress_line() -> Iterator[ProgressListener]:
    """A line that shows bytes, rate, elapsed time and tables on a terminal; nothing where there is none."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield no_progress
        return
    with RichProgress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[amount]}"),
        _Rate(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[tables]}"),
        console=console,
        transient=True,
    ) as bar:
        yield TerminalProgress(bar)
