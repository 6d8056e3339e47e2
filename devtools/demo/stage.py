"""What the demo shows, and the record of what it has proved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dbbackup.core.units import format_seconds


class NotProvedError(Exception):
    """Something that the demo claims did not hold."""


@dataclass(frozen=True)
class Proof:
    """One claim that held, and how it was seen."""

    claim: str
    seen: str
    seconds: float


class Stage:
    """Prints steps as they happen and keeps the proofs for the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._mark = self._started
        self._steps = 0
        self.proofs: list[Proof] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A numbered section."""
        self._steps += 1
        self._console.print(f"\n[bold cyan]{self._steps}. {escape(title)}[/]")
        self._mark = time.monotonic()
        yield

    def note(self, text: str) -> None:
        """Something worth knowing."""
        self._console.print(f"   {escape(text)}", style="dim", highlight=False)

    def show(self, table: Table) -> None:
        """A table."""
        self._console.print(table)

    def quote(self, text: str) -> None:
        """What a program printed."""
        for line in text.rstrip().splitlines():
            self._console.print(f"   [dim]│[/] {escape(line.rstrip())}", highlight=False, soft_wrap=True)

    def prove(self, claim: str, holds: bool, seen: str) -> None:
        """State a claim that was just tried.

        Raises:
            NotProvedError: it does not hold.
        """
        now = time.monotonic()
        if not holds:
            raise NotProvedError(f"{claim}: {seen}")
        self.proofs.append(Proof(claim, seen, now - self._mark))
        self._mark = now
        self._console.print(f"   [green]✓[/] {escape(claim)} [dim]({escape(seen)})[/]", highlight=False)

    def summary(self) -> None:
        """All claims that held."""
        table = Table(title="What was proved", title_justify="left", title_style="bold", box=None, pad_edge=False)
        table.add_column("")
        table.add_column("CLAIM")
        table.add_column("SEEN")
        table.add_column("TIME", justify="right", no_wrap=True)
        for proof in self.proofs:
            table.add_row("[green]✓[/]", escape(proof.claim), escape(proof.seen), format_seconds(proof.seconds))
        self._console.print()
        self._console.print(table)
        elapsed = format_seconds(time.monotonic() - self._started)
        self._console.print(f"\n[bold green]All {len(self.proofs)} claims held, in {elapsed}.[/]")
