"""``dbbackup doctor``."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dbbackup.assembly_doctor import world_of
from dbbackup.cli.backup import backup
from dbbackup.cli.output import examples, print_json, say
from dbbackup.core.compression import Method
from dbbackup.core.doctor import Result, Status, to_do
from dbbackup.core.errors import InvalidRequestError
from dbbackup.operations.doctor import run_doctor
from dbbackup.operations.doctor_world import AskedOfBackup

HELP = (
    "Check this machine, the database and the place of its backups, and say what to fix, in the order to fix it.\n\n"
    "Nothing is changed: on the server it only reads, and in a bucket it begins an upload and gives it up. "
    "Exit status 0 where nothing failed, warnings or not, else 1."
)
EXAMPLES = examples(
    ("dbbackup doctor", "before the first backup into backups/"),
    ("dbbackup doctor --bucket ftry-backups", "with the rights that backups run with"),
    ("dbbackup doctor --json | jq '.checks[] | select(.status != \"ok\")'", "for a script"),
)
_SIGNS = {Status.OK: "✅", Status.WARNING: "⚠️ ", Status.FAILED: "❌", Status.SKIPPED: "➖"}


def doctor(
    database: Annotated[str | None, typer.Option(help="Name of the database.")] = None,
    directory: Annotated[Path | None, typer.Option(help="Directory of the backups.")] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket of the backups.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Check a machine or an environment."""
    world = world_of(
        os.environ,
        database=database,
        directory=directory,
        bucket=bucket,
        asked=_asked_of_backup,
        now=lambda: datetime.now(UTC),
    )
    results = run_doctor(world)
    broken = any(result.status is Status.FAILED for result in results)
    if json:
        print_json(
            {"status": "failed" if broken else "ok", "checks": [result.as_dict() for result in results]},
        )
    else:
        _say(results)
    if broken:
        raise typer.Exit(1)


def _asked_of_backup() -> AskedOfBackup:
    """What ``dbbackup backup`` without options makes of the environment, by the words of its own options.

    Raises:
        InvalidRequestError: it refuses a value.
    """
    app = typer.Typer(add_completion=False)
    app.command()(backup)
    try:
        given = typer.main.get_command(app).make_context("backup", []).params
    except typer.BadParameter as refused:
        raise InvalidRequestError(
            refused.format_message(),
            untouched="Nothing was done.",
            action="Correct the variable, in the environment or .env; `dbbackup backup --help` says what it may be.",
        ) from None
    return AskedOfBackup(compression=Method(given["compression"]), level=given["level"])


def _say(results: tuple[Result, ...]) -> None:
    width = max(len(result.name) for result in results)
    for result in results:
        say(f"{_SIGNS[result.status]} {result.name:<{width}}  {result.finding.found}")
    for status, title in (
        (Status.FAILED, "To fix, in this order:"),
        (Status.WARNING, "Better to change, too:"),
    ):
        remedies = to_do(results, status)
        if remedies:
            say(f"\n{title}")
        for number, (names, action) in enumerate(remedies, 1):
            say(f"{number:>2}. {names}: {action}")
    say("")
    counts = {status: sum(result.status is status for result in results) for status in Status}
    failures, warnings, skipped = (counts[status] for status in (Status.FAILED, Status.WARNING, Status.SKIPPED))
    if failures:
        say(f"❌ {failures} failed, {warnings} warnings, {skipped} not looked at. Nothing was changed.")
    elif warnings:
        say(f"✅ Backups can be taken; {warnings} warnings. Nothing was changed.")
    else:
        say(f"✅ All {len(results)} checks are fine. Nothing was changed.")
