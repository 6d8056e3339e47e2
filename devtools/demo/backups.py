"""The steps in which everything goes well."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime

from rich.table import Table

from dbbackup.contract import Metric, Tier
from dbbackup.core.units import format_bytes, format_seconds, format_time
from devtools.demo.stage import Stage
from devtools.demo.world import BUCKET, World
from devtools.local_lambda import Invocation
from devtools.sample_database import Sample
from devtools.synthesized import last_firing


def run_schedules(stage: Stage, world: World, sample: Sample) -> None:
    """Invoke the function with what each schedule sends, and for the tiers on demand."""
    now = datetime.now(UTC)
    events = []
    for schedule in sorted(world.system.schedules, key=lambda each: list(Tier).index(Tier(each.tier))):
        events.append((schedule.event(last_firing(schedule.expression, now)), schedule.expression))
    for tier in (Tier.PRE_MIGRATION, Tier.MANUAL):
        events.append(({"tier": tier.value}, "on demand"))
    for event, origin in events:
        stage.note(f"{origin} sends {event}")
        invocation = world.invoke(event)
        _prove_backup(stage, str(event["tier"]), invocation, sample)

    event = events[0][0]
    again = world.invoke(event)
    stage.prove(
        "the same event twice makes one backup",
        again.answer is not None and again.answer["status"] == "already-made" and len(world.listed()) == len(events),
        f"second answer: {again.answer['status'] if again.answer else again.error}",
    )


def _prove_backup(stage: Stage, tier: str, invocation: Invocation, sample: Sample) -> None:
    answer = invocation.answer
    if answer is None:
        stage.prove(f"{tier} backup", False, invocation.error or "no answer")
        return
    stage.prove(
        f"{tier} backup made and verified",
        invocation.metric(Metric.BACKUP_SUCCESS) == 1
        and answer["tables"] == sample.tables
        and answer["rows"] == sample.rows,
        f"{format_bytes(answer['size_bytes'])} of {format_bytes(sample.size_bytes)}, {answer['tables']} tables, "
        f"{answer['rows']:,} rows, {format_seconds(answer['duration_seconds'])}",
    )


def list_and_verify(stage: Stage, world: World) -> None:
    """Show what the operator's command says of the bucket, and read every backup back once more."""
    stage.quote("$ dbbackup list --bucket " + BUCKET + "\n" + world.run("dbbackup", "list", "--bucket", BUCKET).stdout)
    backups = world.listed()
    total = 0
    for backup in backups:
        done = world.run("dbbackup", "verify", backup["key"], "--bucket", BUCKET)
        if done.returncode != 0:
            stage.prove(f"{backup['key']} verifies", False, done.stderr)
        total += backup["size_bytes"]
    stage.prove(
        "every backup reads back: lists, decompresses to its end, SHA-256 matches",
        len(backups) == len(Tier),
        f"{len(backups)} archives, {format_bytes(total)}",
    )


def back_up_locally(stage: Stage, world: World) -> None:
    """The script for a developer's machine, with no AWS at all."""
    with tempfile.TemporaryDirectory(prefix="demo-backups-") as folder:
        done = world.run("scripts/backup-database.sh", "--directory", folder)
        stage.quote("$ scripts/backup-database.sh\n" + done.stdout.replace(folder, "backups") + done.stderr)
        stage.prove("the local script makes and verifies a backup", done.returncode == 0, "exit status 0")


def show_system(stage: Stage, world: World) -> None:
    """The function's environment: what the template says, and what stands in for it here."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 3))
    table.add_column("VARIABLE", no_wrap=True)
    table.add_column("IN THE TEMPLATE", overflow="fold")
    table.add_column("HERE", overflow="fold")
    for name, value in world.system.function.environment.items():
        here = world.function_environment[name]
        if isinstance(value, str):
            table.add_row(name, value, "same" if here == value else here, style="dim" if here == value else None)
        else:
            table.add_row(name, "a reference, resolved when deployed", here)
    stage.show(table)
    for schedule in world.system.schedules:
        fired = format_time(last_firing(schedule.expression, datetime.now(UTC)))
        stage.note(f"schedule {schedule.name}: {schedule.expression}, last due {fired}")
