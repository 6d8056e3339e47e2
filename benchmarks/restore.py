"""The restore from S3 against the plain tools: time, bytes read, and room on disk.

In each round, one after the other from the same backup in the same local S3: ``aws s3 cp`` and ``pg_restore`` by
hand into an empty database, our command into a new database (which checks the digest, plans, compares with the
manifest and puts the copy in place besides), and our command for one table of many.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.process import Measured, measure
from benchmarks.rounds import ROUNDS, environment, ratio, seconds, turn
from dbbackup.core.units import format_bytes
from devtools.aws import LocalAws, start_aws
from devtools.bulk_data import fill
from devtools.postgres import Server, start_server

MIB = 1024**2
BUCKET = "bench-backups"
DATA_BYTES = 600 * MIB
JOBS = os.cpu_count() or 1
ONE_TABLE = "public.visits_2"


@dataclass(frozen=True)
class Round:
    """The three ways, once each."""

    plain: Measured
    ours: Measured
    one_table: Measured

    def phases(self, way: str) -> dict[str, float]:
        """Seconds of each phase of ours."""
        document: dict[str, Any] = json.loads(getattr(self, way).output)
        phases: dict[str, float] = document["durations_seconds"]
        return phases


def _round(number: int, server: Server, surroundings: dict[str, str], key: str) -> Round:
    programs, plain = server.bindir, f"plain_{number}"
    ours = ("dbbackup", "restore", key, "--bucket", BUCKET, "--jobs", str(JOBS), "--json", "--to")
    ways: dict[str, tuple[str, ...]] = {
        "plain": (
            "sh",
            "-ec",
            f"file=$(mktemp); trap 'rm -f $file' EXIT; aws s3 cp --quiet s3://{BUCKET}/{key} $file; "
            f"{programs}/createdb {plain}; {programs}/pg_restore --exit-on-error -j {JOBS} -d {plain} $file",
        ),
        "ours": (*ours, f"ours_{number}"),
        "one_table": (*ours, f"one_{number}", "--table", ONE_TABLE),
    }
    measured = {}
    for way in turn(tuple(ways), number):
        measured[way] = measure(ways[way], surroundings)
        server.execute("CHECKPOINT")
    for name in (plain, f"ours_{number}", f"one_{number}"):
        server.execute(f'DROP DATABASE "{name}"')
    return Round(**measured)


def run(server: Server, aws: LocalAws, console: Console) -> None:
    """Measure and print."""
    aws.make_bucket(BUCKET)
    fill(server, "source", DATA_BYTES)
    surroundings = environment(server, aws, "source")
    made = measure(("dbbackup", "backup", "--bucket", BUCKET, "--compression", "gzip", "--json"), surroundings)
    archive = json.loads(made.output)["manifest"]["archive"]
    rounds = []
    for number in range(ROUNDS):
        rounds.append(_round(number, server, surroundings, archive["key"]))
        console.print(f"  restore: round {number + 1} of {ROUNDS} done", style="dim")
    plain, ours, one = ([getattr(each, way).wall_seconds for each in rounds] for way in ("plain", "ours", "one_table"))
    table = Table(
        title=f"restore: archive of {format_bytes(archive['size_bytes'])}, {JOBS} jobs, {ROUNDS} rounds",
        title_justify="left",
    )
    table.add_column("what")
    table.add_column("median (range)")
    for row in (
        ("aws s3 cp + pg_restore by hand", seconds(plain)),
        ("our whole command: check, plan, restore, compare, put in place", seconds(ours)),
        ("of that, pg_restore", seconds([each.phases("ours")["restore"] for each in rounds])),
        ("of that, comparing", seconds([each.phases("ours")["compare"] for each in rounds])),
        ("our whole command / by hand", ratio(ours, plain)),
        ("one table of four: our whole command", seconds(one)),
        ("one table / whole restore, ours", ratio(one, ours)),
        ("bytes read from S3, either way", format_bytes(archive["size_bytes"])),
        ("dump on disk meanwhile", format_bytes(archive["size_bytes"])),
        ("peak memory of ours", format_bytes(max(each.ours.peak_bytes for each in rounds))),
    ):
        table.add_row(*row)
    console.print(table)


def main() -> None:
    """Run the benchmark and print its figures."""
    console = Console(width=110 if not sys.stdout.isatty() else None)
    with start_server(settings={"maintenance_work_mem": "256MB"}) as server, start_aws() as aws:
        run(server, aws, console)


if __name__ == "__main__":
    main()
