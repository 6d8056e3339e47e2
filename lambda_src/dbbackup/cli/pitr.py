"""``dbbackup pitr``: what the deployed functions of point-in-time recovery do, from a terminal."""

from __future__ import annotations

import json as json_module
import sys
import time
from datetime import UTC, datetime
from types import ModuleType
from typing import Annotated, Any

import typer

from dbbackup.cli.output import examples, print_json, say
from dbbackup.cli.pitr_metrics import refusals_told, tell_ended
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.pitr_run import RESTORE, failure_of
from dbbackup.core.pitr_window import estimate
from dbbackup.core.units import format_seconds, format_time
from dbbackup.operations.pitr_start import look_up


def _cloud() -> ModuleType:
    """Adapters of AWS, imported when they are used: the SDK takes as long to import as all the rest of a command."""
    from dbbackup import assembly_pitr

    return assembly_pitr


app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Restore an RDS instance to a point in time, make it production, or go back.\n\n"
    "The work is done by the functions and state machines of the restore stack; interrupting this program leaves "
    "them running. Credentials and region come from the environment, as for the AWS CLI.",
)
System = Annotated[
    str, typer.Option(envvar="DBBACKUP_SYSTEM", help="Name and environment that the stacks begin with: ftry-prod.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the execution to its end.")]
Poll = Annotated[float, typer.Option(help="Seconds between two looks.", min=0.01, hidden=True)]
Confirm = Annotated[str, typer.Option(help="Identifier of the production instance, once more.")]


@app.command(
    epilog=examples(("dbbackup pitr window ftry-prod", "before asking"), ("dbbackup pitr window ftry-prod --json", ""))
)
def window(instance: Annotated[str, typer.Argument(help="RDS instance identifier.")], json: Json = False) -> None:
    """Show from when to when an instance can be restored, and how long that may take."""
    now = datetime.now(UTC)
    source, found = look_up(_cloud().instances(), instance, now)
    guess = estimate(source, found.latest)
    if json:
        print_json({"instance": instance, "restorable_window": found.as_dict(), "estimate": guess.as_dict()})
        return
    behind = format_seconds((now - found.latest).total_seconds())
    low, high = format_seconds(guess.low_seconds), format_seconds(guess.high_seconds)
    say(f"{instance} can be restored to {found}; the latest is {behind} ago")
    say(f"A restore may take {low} to {high} ({guess.basis})")


@app.command(
    epilog=examples(
        ("dbbackup pitr restore 2025-01-11T14:30:00Z --system ftry-prod", "beside production, and wait"),
        ("dbbackup pitr restore latest --system ftry-prod --no-wait --json", "from a script"),
    )
)
def restore(
    restore_time: Annotated[str, typer.Argument(help='"latest", or ISO 8601 with a zone: 2025-01-11T14:30:00Z.')],
    system: System,
    target: Annotated[str | None, typer.Option(help="Identifier of the restored instance.")] = None,
    source: Annotated[str | None, typer.Option(help="Restore from this instance instead of production.")] = None,
    instance_class: Annotated[str | None, typer.Option(help="Class of the restored instance.")] = None,
    wait: Wait = True,
    json: Json = False,
    poll: Poll = 10,
) -> None:
    """Restore an instance beside production and verify it; production is not touched."""
    wanted = {"target": target, "source": source, "instance_class": instance_class}
    event = {"restore_time": restore_time, **{name: value for name, value in wanted.items() if value is not None}}
    with refusals_told(system, RESTORE):
        answer = _ask(f"{system}-pitr-restore", event)
    if not json:
        low, high = (format_seconds(answer["estimate"][f"{end}_seconds"]) for end in ("low", "high"))
        say(f"{answer['target']}: restoring to {answer['restore_time']}, which may take {low} to {high}")
    report = _follow(answer, wait=wait, json=json, poll=poll)
    if report is not None and not json:
        met = "within" if report["objective_met"] else "over"
        say(
            f"✅ {report['target']} is verified: {report['verification']['tables']} tables, "
            f"{format_seconds(report['recovery_time_seconds'])}, {met} the objective"
        )
        for each in report["differences"]:
            why = f" ({each['why']})" if each.get("why") else ""
            say(f"⚠️  {each['setting']}: {each['restored']}, while {report['source']} has {each['source']}{why}")
        say(f"   It is at {report['host']}. Next: look at it, then promote or delete it; it costs money")


@app.command(epilog=examples(("dbbackup pitr status arn:aws:states:...:execution:ftry-prod-pitr:...", "")))
def status(arn: Annotated[str, typer.Argument(help="ARN of the execution.")], json: Json = False) -> None:
    """Show how an execution stands."""
    document, state = _look(arn), _cloud().executions(arn).last_state(arn)
    tell_ended(document)
    shown = {
        "execution_arn": arn,
        "status": document["status"],
        "state": state,
        "started": format_time(document["startDate"]),
        "seconds": round(((document.get("stopDate") or datetime.now(UTC)) - document["startDate"]).total_seconds()),
        "report": json_module.loads(document.get("output") or "null"),
        "error": document.get("error"),
        "cause": document.get("cause"),
    }
    if json:
        print_json(shown)
        return
    say(f"{shown['status']} in {state}, begun {shown['started']}, {format_seconds(shown['seconds'])}")
    if shown["cause"]:
        say(f"{shown['error']}: {shown['cause']}")


@app.command(
    epilog=examples(("dbbackup pitr promote ftry-prod-pitr-20250111-143000 --confirm ftry-prod --system ftry-prod", ""))
)
def promote(
    target: Annotated[str, typer.Argument(help="Identifier of the restored and verified instance.")],
    confirm: Confirm,
    system: System,
    wait: Wait = True,
    json: Json = False,
    poll: Poll = 10,
) -> None:
    """Make a restored instance production, by renaming both; connections break for some minutes."""
    _rename({"target": target, "confirm": confirm}, system, wait=wait, json=json, poll=poll)


@app.command(epilog=examples(("dbbackup pitr rollback --confirm ftry-prod --system ftry-prod", "the one before")))
def rollback(confirm: Confirm, system: System, wait: Wait = True, json: Json = False, poll: Poll = 10) -> None:
    """Make the instance that was replaced production again; what was written since stays in the other one."""
    _rename({"rollback": True, "confirm": confirm}, system, wait=wait, json=json, poll=poll)


def _rename(event: dict[str, Any], system: str, *, wait: bool, json: bool, poll: float) -> None:
    with refusals_told(system, "rollback" if event.get("rollback") else "promote"):
        answer = _ask(f"{system}-pitr-promote", event)
    if not json:
        say(f"{answer['becomes_production']} becomes {answer['production']}")
        say(f"{answer['production']} becomes {answer['production_becomes']}")
    report = _follow(answer, wait=wait, json=json, poll=poll)
    if report is not None and not json:
        say(f"✅ {report['status']} in {format_seconds(report['seconds'])}; production is at {report['host']}")
        say(f"   A log-in to {', '.join(report['logged_in_to'])} with the secret of now succeeded")
        if report["replaced_is_now"]:
            say(f'   The former one is {report["replaced_is_now"]}. Next: docs/runbooks/promote.md, "Afterwards"')


def _ask(function: str, event: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = _cloud().call_function(function, event)
    return answer


def _follow(answer: dict[str, Any], *, wait: bool, json: bool, poll: float) -> dict[str, Any] | None:
    """The report of an execution, once it has ended; None without waiting."""
    arn = answer["execution_arn"]
    if not wait:
        if json:
            print_json(answer)
        else:
            say(f"{answer['status']}; follow it with: dbbackup pitr status {arn}")
        return None
    shown = ""
    while (document := _look(arn))["status"] == "RUNNING":
        state = _cloud().executions(arn).last_state(arn) or "starting"
        if state != shown:
            sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S}  {state}\n")
            shown = state
        time.sleep(poll)
    tell_ended(document)
    if document["status"] != "SUCCEEDED":
        raise failure_of(document)(
            f"The execution ended as {document['status']}: {document.get('error')}: {document.get('cause')}",
            action=f"`dbbackup pitr status {arn}` shows it again; the runbook says what each failure means.",
        )
    report: dict[str, Any] = json_module.loads(document.get("output") or "{}")
    if json:
        print_json({**answer, "report": report})
    return report


def _look(arn: str) -> dict[str, Any]:
    document: dict[str, Any] | None = _cloud().executions(arn).document(arn)
    if document is None:
        raise InvalidRequestError(
            f"There is no execution {arn}.", untouched="Nothing was done.", action="Check the ARN and the region."
        )
    return document
