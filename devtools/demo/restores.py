"""The steps in which a database is got back from its dump."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import psutil

from dbbackup.core.units import format_seconds
from devtools.demo.stage import NotProvedError, Stage
from devtools.demo.world import BUCKET, DATABASE, World
from devtools.sample_database import Sample, measure

_FILLING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname LIKE 'ftry\\_\\_dbbackup\\_new\\_%' AND query LIKE 'COPY%'
"""
_BESIDE = "SELECT count(*) FROM pg_database WHERE datname LIKE 'ftry\\_\\_dbbackup%'"


def undo_a_mistake(stage: Stage, world: World, sample: Sample) -> None:
    """Drop a table, and restore the newest backup."""
    world.server.execute("DROP TABLE payment CASCADE", DATABASE)
    stage.note(f"somebody has typed DROP TABLE payment CASCADE: {measure(world.server, DATABASE).rows:,} rows are left")
    done = world.run("dbbackup", "restore", "latest", "--bucket", BUCKET, "--yes")
    stage.quote(f"$ dbbackup restore latest --bucket {BUCKET} --yes\n{done.stdout}{done.stderr}")
    now = measure(world.server, DATABASE)
    stage.prove(
        "the dropped table is back, every count as before",
        done.returncode == 0 and (now.tables, now.rows) == (sample.tables, sample.rows),
        f"{now.tables} tables, {now.rows:,} rows",
    )


def kill_a_restore(stage: Stage, world: World, sample: Sample) -> None:
    """Kill a restore and its pg_restore with SIGKILL while the copy is being filled."""
    process = world.start_command("dbbackup", "restore", "latest", "--bucket", BUCKET, "--yes")
    give_up = time.monotonic() + 60
    while not world.server.value(_FILLING) and process.poll() is None and time.monotonic() < give_up:
        time.sleep(0.01)
    _kill_tree(process)
    now = measure(world.server, DATABASE)
    stage.prove(
        "a restore killed half-way leaves the original in place",
        (now.tables, now.rows) == (sample.tables, sample.rows) and world.server.value(_BESIDE) == 1,
        f"{DATABASE} answers with {now.rows:,} rows; an unfinished copy lies beside it",
    )
    done = world.run("dbbackup", "restore", "--resume")
    stage.quote(f"$ dbbackup restore --resume\n{done.stdout}{done.stderr}")
    stage.prove(
        "the next run finds the unfinished copy and removes it",
        done.returncode == 0 and world.server.value(_BESIDE) == 0,
        "nothing left beside the database",
    )


def _kill_tree(process: subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        raise NotProvedError("the restore had ended before it could be killed")
    # The command first: it would see its pg_restore die and tidy up, on a slow machine.
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for member in family:
        member.send_signal(signal.SIGKILL)
    process.communicate()


def rehearse(stage: Stage, world: World) -> None:
    """The monthly rehearsal, and its evidence."""
    done = world.run("dbbackup", "drill", "--bucket", BUCKET, "--check", 'SELECT count(*) FROM "User"', "--json")
    evidence = json.loads(done.stdout or "{}")
    passed = done.returncode == 0 and evidence.get("passed") is True
    plane = evidence["planes"][0] if passed else {}
    stage.prove(
        "a rehearsal restores the newest backup into a scratch database and removes it",
        passed,
        f"{plane['rows']:,} rows in {format_seconds(plane['recovery_seconds'])}, evidence {evidence['key']}"
        if passed
        else done.stderr,
    )
    verified = world.run("dbbackup", "evidence", "verify", "--bucket", BUCKET)
    stage.prove("its evidence verifies", verified.returncode == 0, verified.stdout.strip() or verified.stderr)
