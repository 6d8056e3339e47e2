"""``dbbackup evidence list|verify``."""

from __future__ import annotations

import os
import sys
from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dbbackup import assembly
from dbbackup.cli.drill import document
from dbbackup.cli.output import examples, print_json, say
from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.units import format_seconds
from dbbackup.operations.evidence import Chain, read_chain

app = typer.Typer(no_args_is_help=True, help="Evidence of rehearsals: list it, verify its chain.")
_DIRECTORY = typer.Option(help="Directory of the backups.", file_okay=False)
_BUCKET = typer.Option(help="Bucket of the backups.")
_JSON = typer.Option("--json", help="Print JSON.")


@app.command("list", epilog=examples(("dbbackup evidence list --bucket ftry-backups", "every rehearsal, newest first")))
def list_evidence(
    directory: Annotated[Path | None, _DIRECTORY] = None,
    bucket: Annotated[str | None, _BUCKET] = None,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Show the rehearsals there were, newest first."""
    store = assembly.store_for(directory, bucket, os.environ)
    chain = read_chain(store)
    if json:
        print_json([document(stored) for stored in reversed(chain.documents)])
    elif not chain.documents:
        say(f"There is no evidence in {store.location}. `dbbackup drill` makes some.")
    else:
        _print_table(chain)
    for problem in chain.problems:
        sys.stderr.write(f"⚠️  {problem}\n")


def _print_table(chain: Chain) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("TIME (UTC)", "DATABASE", "WAY BACK", "PASSED", "RECOVERY TIME", "DATA LOST", "ROWS", "CHECKS"):
        table.add_column(column, no_wrap=True)
    for stored in reversed(chain.documents):
        evidence = stored.evidence
        when = evidence.started_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        if not evidence.planes:
            table.add_row(
                when, escape(evidence.database), "-", "[red]no[/]", "-", "-", "-", escape(evidence.failure or "")
            )
        for plane in evidence.planes:
            table.add_row(
                when,
                escape(evidence.database),
                plane.kind,
                "[green]yes[/]" if plane.passed else "[red]no[/]",
                format_seconds(plane.recovery_seconds),
                format_seconds(plane.recovery_point_age_seconds),
                f"{plane.rows:,}",
                f"{sum(check.passed for check in plane.checks)} of {len(plane.checks)}",
            )
    console = Console()
    console.print(table) if console.is_terminal else Console(width=200).print(table)


@app.command("verify", epilog=examples(("dbbackup evidence verify --bucket ftry-backups", "for an audit")))
def verify_evidence(
    directory: Annotated[Path | None, _DIRECTORY] = None,
    bucket: Annotated[str | None, _BUCKET] = None,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Check that no evidence was altered and none is missing."""
    store = assembly.store_for(directory, bucket, os.environ)
    chain = read_chain(store)
    if json:
        print_json({"documents": len(chain.documents), "problems": list(chain.problems), "intact": not chain.problems})
    if chain.problems:
        raise VerificationFailedError(
            f"The evidence in {store.location} is not intact: " + "; ".join(chain.problems) + ".",
            untouched="It was only read.",
            action="The bucket keeps earlier versions of a locked object: aws s3api list-object-versions.",
        )
    if not json:
        failed = sum(not stored.evidence.passed for stored in chain.documents)
        say(f"✅ {len(chain.documents)} rehearsals in an unbroken chain, {failed} of them failed")
