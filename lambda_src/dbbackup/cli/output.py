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

from dbbackup.core.errors import DbBackupError
from dbbackup.core.ports import Progress, ProgressListener, no_progress
from dbbackup.core.units import format_bytes

_PHASES = {"roles": "roles", "dump": "dumping", "verify": "reading back"}


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


def report_failure(error: DbBackupError, *, as_json: bool) -> None:
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
        task = bar.add_task("connecting", total=None, amount="", tables="")
        phase = ""

        def show(progress: Progress) -> None:
            nonlocal phase
            if progress.phase != phase:
                phase = progress.phase
                bar.reset(task, total=progress.bytes_total)
            amount = format_bytes(progress.bytes_done)
            if progress.bytes_total:
                amount += f" of {format_bytes(progress.bytes_total)}"
            bar.update(
                task,
                completed=progress.bytes_done,
                description=_PHASES.get(phase, phase),
                amount=amount,
                tables=f"{progress.tables_done} tables" if progress.tables_done else "",
            )

        yield show
