"""The steps in which something is broken on purpose, and must not look like success."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime, timedelta

import psutil

from dbbackup.contract import Metric, Tier
from devtools.demo.stage import NotProvedError, Stage
from devtools.demo.world import BUCKET, DATABASE, World
from devtools.local_lambda import Invocation

_COPYING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'dbbackup pg_dump' AND query LIKE 'COPY public.payment %'
"""


def kill_the_dump(stage: Stage, world: World) -> Invocation:
    """Kill pg_dump with SIGKILL while its archive is being uploaded."""
    before = world.keys()
    backups = len(world.listed())
    due = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0) - timedelta(days=3)
    running = world.start({"tier": Tier.DAILY.value, "scheduled_time": due.isoformat()})
    _kill_dump(running.process.pid, world)
    invocation = world.keep(running.finish())
    failure = next((line for line in invocation.lines if line.get("message") == "backup failed"), {})
    stage.quote("\n".join(str(failure.get(part, "")) for part in ("what", "untouched", "action")))
    stage.prove(
        "a dump killed half-way is a failure, not a short backup",
        invocation.answer is None and invocation.metric(Metric.BACKUP_FAILURE) == 1,
        "the handler raised, metric BackupFailure 1",
    )
    stage.prove(
        "nothing of it is left under a final name",
        world.keys() == before and world.unfinished_uploads() == 0 and len(world.listed()) == backups,
        f"{len(before)} objects as before, no unfinished upload, {backups} backups listed as before",
    )
    return invocation


def _kill_dump(parent: int, world: World) -> None:
    """Kill the pg_dump below a process while it reads the table that comes late in the dump."""
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        if world.server.value(_COPYING, DATABASE):
            for child in psutil.Process(parent).children(recursive=True):
                if _is(child, "pg_dump"):
                    child.kill()
                    return
        time.sleep(0.005)
    raise NotProvedError("pg_dump was not seen at work, so it could not be killed")


def _is(process: psutil.Process, name: str) -> bool:
    try:
        return process.name() == name
    except psutil.NoSuchProcess:
        return False


def damage_an_object(stage: Stage, world: World) -> None:
    """Flip one bit in the middle of the newest daily backup, as a bad disk or a bad hand might."""
    daily = next(backup for backup in world.listed() if backup["tier"] == Tier.DAILY.value)
    key = daily["key"]
    body = bytearray(world.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    intact = world.s3.head_object(Bucket=BUCKET, Key=key)["VersionId"]
    body[len(body) // 2] ^= 1
    world.s3.put_object(Bucket=BUCKET, Key=key, Body=bytes(body))
    done = world.run("dbbackup", "verify", key, "--bucket", BUCKET)
    stage.quote(f"$ dbbackup verify {key} --bucket {BUCKET}\n{done.stdout}{done.stderr}")
    stage.prove(
        "an object that somebody has written over is found",
        done.returncode == 0 and "was written again" in done.stderr,
        f"1 bit in {len(body):,} bytes, past the policy of the bucket",
    )
    kept = world.s3.get_object(Bucket=BUCKET, Key=key, VersionId=intact)["Body"].read()
    stage.prove(
        "the version that was verified is what is read, verified and restored, and the message names it",
        intact in done.stderr and hashlib.sha256(kept).hexdigest() == daily["sha256"],
        f"version {intact}, SHA-256 as in the manifest",
    )
