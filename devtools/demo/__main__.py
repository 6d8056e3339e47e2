"""``make demo``: run every step; exit 0 only if everything held."""

from __future__ import annotations

import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

from dbbackup.core.units import format_bytes
from devtools.aws import start_aws
from devtools.demo.backups import back_up_locally, list_and_verify, run_schedules, show_system
from devtools.demo.failures import damage_an_object, kill_the_dump
from devtools.demo.migration import migrate_badly
from devtools.demo.point_in_time import create_production, go_back_in_time
from devtools.demo.restores import kill_a_restore, rehearse, undo_a_mistake
from devtools.demo.stage import NotProvedError, Stage
from devtools.demo.total_loss import lose_the_server
from devtools.demo.watching import Watch, draw_dashboard, hear_of_failure, rehearse_alerts, watch_over
from devtools.demo.world import BUCKET, DATABASE, World, function_environment
from devtools.local_bucket import protect
from devtools.local_slack import start_slack
from devtools.postgres import start_server
from devtools.sample_database import create
from devtools.synthesized import read_system, synthesize


def run(stage: Stage) -> None:
    """All steps; whatever was started is stopped and removed on the way out, however that is."""
    with start_server() as stock, start_aws() as aws, tempfile.TemporaryDirectory(prefix="demo-cdk-") as folder:
        with stage.step("A real PostgreSQL and a local AWS, on free ports"):
            server = stock.master
            version = server.value("SHOW server_version")
            stage.note(f"PostgreSQL {version} on port {server.port}, AWS on {aws.endpoint}")
            stage.note(f"all that follows is done as {server.user!r}, who is no superuser, as on RDS")
            sample = create(server, DATABASE)
            stage.prove(
                f"database {DATABASE} created",
                sample.rows >= 100_000,
                f"{sample.tables} tables, {sample.rows:,} rows, {format_bytes(sample.size_bytes)}; partitions, "
                "generated and identity columns, row-level security, large objects, extensions, odd names",
            )
        with stage.step("The production environment, synthesized without an AWS account"):
            synthesize("prod", Path(folder))
            system = read_system(Path(folder))
            stage.prove("cdk synth", True, f"{system.resources} resources in {', '.join(system.stacks)}")
            s3 = aws.make_bucket(BUCKET)
            protect(s3, BUCKET, Path(folder))
            world = World(server, aws, system, s3, function_environment(system, server, aws))
            show_system(stage, world)
            create_production(world)
        with stage.step("The function of the template, invoked with what its schedules send"):
            run_schedules(stage, world, sample)
        with stage.step("What an operator sees"):
            list_and_verify(stage, world)
        with stage.step("The same backup on a developer's machine"):
            back_up_locally(stage, world)
        before = datetime.now(UTC)
        with stage.step("A table dropped by mistake, and the way back"):
            undo_a_mistake(stage, world, sample)
        with stage.step("Broken on purpose: a restore killed half-way"):
            kill_a_restore(stage, world, sample)
        with stage.step("Back to the moment before the mistake, with RDS"):
            go_back_in_time(stage, world, Path(folder), before)
        with stage.step("A rehearsal, and its evidence"):
            rehearse(stage, world)
        with stage.step("A migration that goes wrong, and its way back"):
            migrate_badly(stage, world, sample)
        with stage.step("Broken on purpose: pg_dump killed half-way"):
            failed = kill_the_dump(stage, world)
        with stage.step("Somebody hears of it: Slack, the probe and the alarms"), start_slack() as slack:
            watch = Watch(world, slack, Path(folder))
            hear_of_failure(stage, watch, failed)
            watch_over(stage, watch)
            rehearse_alerts(stage, watch)
            draw_dashboard(stage, watch)
        with stage.step("Broken on purpose: the stored object damaged"):
            damage_an_object(stage, world)
        with stage.step("Total loss: the server gone, a new and empty one"):
            lose_the_server(stage, world, sample)
    stage.summary()


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    """Run the demo; the exit status says whether everything held."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    console = Console(width=None if sys.stdout.isatty() else 120, emoji=False)
    try:
        run(Stage(console))
    except KeyboardInterrupt:
        console.print("\nStopped. The server, the local AWS and all temporary files are gone.")
        return 130
    except (NotProvedError, RuntimeError) as error:
        console.print(f"\n[bold red]This did not hold:[/] {escape(str(error))}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
