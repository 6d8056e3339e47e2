"""The streaming backup against the plain tools: time, memory, size.

In each round, one after the other on the same database and the same local S3: the bare ``pg_dump`` to
/dev/null, our command, and ``pg_dump | aws s3 cp -``. Ratios are taken within a round, so that a machine whose
speed drifts does not spoil them, and their median is reported. Everything at gzip level 9.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.process import Measured, measure
from dbbackup.core.units import format_bytes
from devtools.aws import LocalAws, start_aws
from devtools.bulk_data import fill
from devtools.postgres import Server, start_server

MIB = 1024**2
BUCKET = "bench-backups"
SMALL_BYTES = 150 * MIB
LARGE_BYTES = 600 * MIB
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
COMPRESSION = "gzip:9"


@dataclass(frozen=True)
class Round:
    """The three ways, once each."""

    bare: Measured
    ours: Measured
    piped: Measured

    @property
    def document(self) -> dict[str, Any]:
        """What our command printed."""
        loaded: dict[str, Any] = json.loads(self.ours.output)
        return loaded

    @property
    def stream_seconds(self) -> float:
        """Our dump alone: from the start of pg_dump to the object in S3."""
        return float(self.document["manifest"]["dump_seconds"])


def _environment(server: Server, aws: LocalAws, database: str) -> dict[str, str]:
    return {
        **os.environ,
        **aws.environment(),
        **server.environment(database),
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGUSER": server.user,
        "PGPASSWORD": server.password,
        "PGDATABASE": database,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def _round(number: int, server: Server, environment: dict[str, str]) -> Round:
    dump = f"{server.bindir / 'pg_dump'} --format=custom --compress={COMPRESSION}"
    ways = {
        "bare": ("sh", "-c", f"exec {dump} >/dev/null"),
        "ours": ("dbbackup", "backup", "--bucket", BUCKET, "--compression", "gzip", "--level", "9", "--json"),
        "piped": ("sh", "-c", f"{dump} | aws s3 cp - s3://{BUCKET}/plain.dump"),
    }
    # Each way comes first, second and last in turn.
    order = sorted(ways, key=lambda way: (list(ways).index(way) + number) % 3)
    measured = {way: measure(ways[way], environment) for way in order}
    return Round(**measured)


def _rounds(database: str, count: int, server: Server, aws: LocalAws, console: Console) -> list[Round]:
    environment = _environment(server, aws, database)
    rounds = []
    for number in range(count):
        rounds.append(_round(number, server, environment))
        console.print(f"  {database}: round {number + 1} of {count} done", style="dim")
    return rounds


def _ratio(rounds: list[Round], over: str, under: str) -> str:
    def seconds(one: Round, way: str) -> float:
        return one.stream_seconds if way == "stream" else float(getattr(one, way).wall_seconds)

    ratios = sorted(seconds(one, over) / seconds(one, under) for one in rounds)
    return f"{statistics.median(ratios):.3f}  ({ratios[0]:.3f} to {ratios[-1]:.3f})"


def _median_seconds(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} s"


def _report(name: str, rounds: list[Round], plain_bytes: int, console: Console) -> None:
    table = Table(title=f"{name}: {format_bytes(plain_bytes)} of dump data, {len(rounds)} rounds", title_justify="left")
    table.add_column("what")
    table.add_column("median (range)")
    rows = (
        ("bare pg_dump to /dev/null", _median_seconds([one.bare.wall_seconds for one in rounds])),
        ("our stream: pg_dump started to object stored", _median_seconds([one.stream_seconds for one in rounds])),
        ("our whole command: start, roles, stream, read back, manifest",
         _median_seconds([one.ours.wall_seconds for one in rounds])),
        ("of that, reading back and verifying",
         _median_seconds([one.document["manifest"]["verification"]["duration_seconds"] for one in rounds])),
        ("pg_dump | aws s3 cp -", _median_seconds([one.piped.wall_seconds for one in rounds])),
        ("our stream / bare pg_dump", _ratio(rounds, "stream", "bare")),
        ("our whole command / bare pg_dump", _ratio(rounds, "ours", "bare")),
        ("our stream / pg_dump | aws s3 cp -", _ratio(rounds, "stream", "piped")),
        ("our whole command / pg_dump | aws s3 cp -", _ratio(rounds, "ours", "piped")),
        ("peak memory of ours", format_bytes(max(one.ours.peak_bytes for one in rounds))),
        ("peak memory of pg_dump | aws s3 cp -", format_bytes(max(one.piped.peak_bytes for one in rounds))),
        ("object size", format_bytes(rounds[0].document["manifest"]["archive"]["size_bytes"])),
    )  # fmt: skip
    for row in rows:
        table.add_row(*row)
    console.print(table)


def main() -> None:
    """Run the benchmark and print its figures."""
    console = Console(width=110 if not sys.stdout.isatty() else None)
    with start_server() as server, start_aws() as aws:
        aws.make_bucket(BUCKET)
        for name, wanted, count in (("small", SMALL_BYTES, max(1, ROUNDS // 2)), ("large", LARGE_BYTES, ROUNDS)):
            fill(server, name, wanted)
            plain = measure(
                ("sh", "-c", f"{server.bindir / 'pg_dump'} | wc -c"), _environment(server, aws, name)
            ).output
            rounds = _rounds(name, count, server, aws, console)
            _report(name, rounds, int(plain), console)


if __name__ == "__main__":
    main()
