"""``dbbackup receipt show|list|verify``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dbbackup import assembly
from dbbackup.cli.connection import asked_connection
from dbbackup.cli.demand import DEFAULT_AGE, backup_key, demand_asked
from dbbackup.cli.guard_begin import unsettled_text
from dbbackup.cli.location import LATEST, locate
from dbbackup.cli.migration import repository
from dbbackup.cli.output import examples, print_json, progress_line, say, warn
from dbbackup.core.connection import Connection
from dbbackup.core.errors import NotFoundError, VerificationFailedError
from dbbackup.core.git_commit import SHOWN
from dbbackup.core.receipt import Receipt, Status
from dbbackup.core.units import format_seconds, format_time
from dbbackup.core.way_back import ways_back
from dbbackup.operations.receipt_check import Verdict, check_receipt
from dbbackup.operations.receipts import Found, read_receipt, receipts

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Receipts of backups before a migration: what was run, by whom, at which commit, and the way back.",
)
Directory = Annotated[Path | None, typer.Option(help="Directory of the backups.", file_okay=False)]
Bucket = Annotated[str | None, typer.Option(help="Bucket of the backups.")]
Database = Annotated[str | None, typer.Option(help="Of this database.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command(
    epilog=examples(
        ("dbbackup receipt show", "the newest, with the way back"),
        ("dbbackup receipt show s3://ftry-backups/pre-migration/ftry_backup_20250111_131502.dump --json", ""),
    )
)
def show(
    backup: Annotated[str, typer.Argument(metavar="KEY|FILE|latest", help="The backup or its receipt.")] = LATEST,
    directory: Directory = None,
    bucket: Bucket = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """Show a receipt and the way back to before its migration."""
    store, key = locate(backup, directory, bucket)
    if key is None:
        found = next(receipts(store, database or asked_connection().database), None)
        if found is not None and found.receipt is None:
            raise VerificationFailedError(found.problem, action="`dbbackup receipt list` shows the others.")
        receipt = found.receipt if found else None
    else:
        receipt = read_receipt(store, backup_key(key))
    if receipt is None:
        raise NotFoundError(
            f"There is no such receipt in {store.location}.",
            untouched="Nothing was changed.",
            action="`dbbackup receipt list` shows what there is.",
        )
    if json:
        print_json(receipt.model_dump(mode="json"))
    else:
        _say_receipt(receipt)


@app.command("list", epilog=examples(("dbbackup receipt list --bucket ftry-backups", "newest first")))
def list_receipts(
    directory: Directory = None, bucket: Bucket = None, database: Database = None, json: Json = False
) -> None:
    """Show the receipts there are, newest first."""
    store = assembly.store_for(directory, bucket, os.environ)
    every = list(receipts(store, database))
    readable = [(found, found.receipt) for found in every if found.receipt is not None]
    if json:
        print_json([{"key": found.key, **receipt.model_dump(mode="json")} for found, receipt in readable])
    elif not every:
        say(f"There are no receipts in {store.location}. `dbbackup backup --tier pre-migration` leaves one.")
    else:
        _print_table(readable)
    unreadable = [found for found in every if found.receipt is None]
    for found in unreadable:
        warn(found.problem)
    if unreadable:
        raise typer.Exit(1)


@app.command(
    epilog=examples(
        ("dbbackup receipt verify --bucket ftry-backups --database ftry --max-age 30m", "in a deploy job"),
        ("dbbackup receipt verify --read-back && npx prisma migrate deploy", "the backup is read whole, too"),
    )
)
def verify(
    database: Annotated[str | None, typer.Option(help="Database to migrate, instead of the environment's.")] = None,
    commit: Annotated[
        str | None, typer.Option(help="Commit to migrate to; else of GITHUB_SHA, else what is checked out.")
    ] = None,
    any_commit: Annotated[bool, typer.Option("--any-commit", help="Whatever the commit.")] = False,
    max_age: Annotated[str, typer.Option(help="How old the backup's data may be: 90s, 60m, 2h, 1d.")] = DEFAULT_AGE,
    unused: Annotated[bool, typer.Option("--unused", help="No command may have run on it yet.")] = False,
    through_proxy: Annotated[
        bool, typer.Option("--through-proxy", help="The environment reaches the database by another name.")
    ] = False,
    read_back: Annotated[bool, typer.Option("--read-back", help="Read the backup whole and check it.")] = False,
    directory: Directory = None,
    bucket: Bucket = None,
    json: Json = False,
) -> None:
    """Say whether there is a backup to go back to: exit status 0 if there is, 1 if not."""
    demand = demand_asked(database, commit, max_age, any_commit=any_commit, unused=unused, through_proxy=through_proxy)
    store = assembly.store_for(directory, bucket, os.environ)
    tools = assembly.tools_for(Connection(), os.environ) if read_back else None
    with progress_line() as listener:
        verdict = check_receipt(demand, store, repository(), tools=tools, listener=listener)
    if json:
        print_json(_document(verdict))
    if verdict.before is not None:
        warn(unsettled_text(verdict.before))
    for refusal in verdict.refusals:
        sys.stderr.write(f"❌ {refusal.why}\n   {refusal.action}\n")
    if verdict.refusals:
        if verdict.found is not None:
            sys.stderr.write(f"   The receipt: {store.url(verdict.found.key)}. Do not migrate.\n")
        raise typer.Exit(1)
    if not json and verdict.found is not None and verdict.found.receipt is not None:
        receipt = verdict.found.receipt
        age = format_seconds(max(0.0, (demand.now - receipt.backup.recovery_point).total_seconds()))
        say(f"✅ {receipt.backup.location} is there, {age} old, for commit {_commit(receipt)}")
        if receipt.status is Status.SUCCEEDED and receipt.command is not None:
            say(f"⚠️  {receipt.command.program} has run on it already: going back undoes that, too.")


def _document(verdict: Verdict) -> dict[str, Any]:
    found = verdict.found
    return {
        "status": "refused" if verdict.refusals else "verified",
        "refusals": [{"code": each.code, "why": each.why, "action": each.action} for each in verdict.refusals],
        "unsettled": verdict.before.key if verdict.before else None,
        "key": found.key if found else None,
        "receipt": found.receipt.model_dump(mode="json") if found and found.receipt else None,
    }


def _commit(receipt: Receipt) -> str:
    if receipt.commit is None:
        return "not known"
    return receipt.commit.id[:SHOWN] + (" with uncommitted changes" if receipt.commit.dirty else "")


def _say_receipt(receipt: Receipt) -> None:
    backup, command = receipt.backup, receipt.command
    say(f"{receipt.status.value}: {backup.location}")
    say(f"   of {backup.database!r} as it was at {format_time(backup.recovery_point)}, SHA-256 {backup.sha256}")
    say(f"   commit {_commit(receipt)}, requested by {receipt.requested_by or 'nobody who said so'}")
    if command is not None:
        ended = format_time(command.ended_at) if command.ended_at else "its end is not recorded"
        status = "" if command.exit_status is None else f", exit status {command.exit_status}"
        say(f"   {command.program}: {format_time(command.started_at)} to {ended}{status}")
    for way in ways_back(receipt, system=os.environ.get("DBBACKUP_SYSTEM")):
        say(f"   The way back to {way.purpose}:")
        say(f"       {way.command}")


def _print_table(readable: list[tuple[Found, Receipt]]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("TIME (UTC)", "DATABASE", "STATUS", "COMMIT", "PROGRAM", "BY", "KEY"):
        table.add_column(column, no_wrap=column != "KEY", overflow="fold")
    for found, receipt in readable:
        table.add_row(
            found.time.strftime("%Y-%m-%d %H:%M:%S"),
            escape(found.database),
            receipt.status.value,
            receipt.commit.id[:SHOWN] if receipt.commit else "-",
            escape(receipt.command.program) if receipt.command else "-",
            escape(receipt.requested_by or "-"),
            escape(found.key),
        )
    console = Console()
    console.print(table) if console.is_terminal else Console(width=240).print(table)
