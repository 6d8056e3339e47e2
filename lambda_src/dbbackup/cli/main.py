"""The program: its commands, how it ends, and what it does when it is told to stop."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from itertools import takewhile
from typing import Annotated

import typer

from dbbackup.adapters.told_to_stop import TOLD
from dbbackup.cli import backup, doctor, drill, evidence, guard, listing, metrics, pitr, receipt, restore, verify
from dbbackup.cli.output import report_failure
from dbbackup.cli.reporting import LISTENERS
from dbbackup.cli.slack import tell_slack
from dbbackup.cli.streams import Streams
from dbbackup.cli.textfile import write_textfile
from dbbackup.cli.unattended import BackupCommand, DrillCommand
from dbbackup.contract import SERVICE
from dbbackup.core.errors import DbBackupError, Explained, InterruptedRunError

app = typer.Typer(
    name=SERVICE,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,  # local variables may hold a password
    help="Verified PostgreSQL backups, in a directory or in S3.\n\n"
    "The database comes from POSTGRES_HOST, POSTGRES_PORT, POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB, else "
    "from DATABASE_URL, else from libpq's own variables (PGHOST ...). The place comes from --directory or --bucket, "
    "else from S3_BACKUP_BUCKET, else it is the directory backups/. PostgreSQL's programs come from PG_BINDIR, else "
    "from PATH.\n\n"
    "With SLACK_WEBHOOK_URL, Slack is told how backups, restores and rehearsals end; with SLACK_SUCCESSES=none only of "
    "failures. A backup or rehearsal without a terminal is told also where its settings were not understood.\n\n"
    "Exit status: 0 done and verified, 1 failed, 2 not understood, 75 another backup is running, 130 interrupted.",
)
app.command("backup", cls=BackupCommand, help=backup.HELP, epilog=backup.EXAMPLES)(backup.backup)
app.command("list", help=listing.HELP, epilog=listing.EXAMPLES)(listing.list_backups)
app.command("guard", help=guard.HELP, epilog=guard.EXAMPLES, context_settings=guard.CONTEXT)(guard.guard)
app.command("restore", help=restore.HELP, epilog=restore.EXAMPLES)(restore.restore)
app.command("drill", cls=DrillCommand, help=drill.HELP, epilog=drill.EXAMPLES)(drill.drill)
app.command("doctor", help=doctor.HELP, epilog=doctor.EXAMPLES)(doctor.doctor)
app.add_typer(evidence.app, name="evidence")
app.add_typer(pitr.app, name="pitr")
app.add_typer(receipt.app, name="receipt")
app.command("metrics", help=metrics.HELP, epilog=metrics.EXAMPLES)(metrics.metrics)
app.command("verify", help=verify.HELP, epilog=verify.EXAMPLES)(verify.verify)

LISTENERS.extend((write_textfile, tell_slack))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{SERVICE} {version(SERVICE)}")
        raise typer.Exit


@app.callback()
def _program(
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Options of the program itself."""


def main() -> None:
    """Run the program and exit with its status."""
    streams = Streams()
    TOLD.listen()
    try:
        app(prog_name=SERVICE)
    except DbBackupError as error:
        _report(error)
        sys.exit(error.exit_status)
    except InterruptedRunError as error:
        _report(error)
        streams.finish()
        # Everything is in order by now. Python would wait for threads, and one may hang in a request to S3.
        os._exit(error.exit_status)
    finally:
        streams.finish()


def _report(error: Explained) -> None:
    report_failure(error, as_json="--json" in takewhile(lambda word: word != "--", sys.argv))
