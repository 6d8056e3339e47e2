"""Progress of work that is done elsewhere and says nothing until it ends."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from dbbackup.core.units import format_seconds

LINE_SECONDS = 30


@contextmanager
def waiting(what: str, expected_seconds: float | None) -> Iterator[None]:
    """Show that time passes: a line that counts on a terminal, a line now and then where there is none.

    Args:
        what: what is waited for.
        expected_seconds: how long it took the last time, where that is known.
    """
    usual = f"; the last one took {format_seconds(expected_seconds)}" if expected_seconds is not None else ""
    console = Console(stderr=True)
    if console.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            bar.add_task(f"{what}{usual}", total=None)
            yield
        return
    sys.stderr.write(f"{what}{usual}\n")
    ended = threading.Event()
    lines = threading.Thread(target=_write_lines, args=(what, ended), daemon=True)
    lines.start()
    try:
        yield
    finally:
        ended.set()
        lines.join()


def _write_lines(what: str, ended: threading.Event) -> None:
    started = time.monotonic()
    while not ended.wait(LINE_SECONDS):
        sys.stderr.write(f"{what}: {format_seconds(time.monotonic() - started)} by now\n")
