"""The streaming backup against the plain tools: time, memory, size.

In each round, one after the other on the same database and the same local S3: the bare ``pg_dump`` to
/dev/null, our command, and ``pg_dump | aws s3 cp -``. Ratios are taken within a round, so that a machine whose
speed drifts does not spoil them, and their median is reported. Everything at gzip level 9.
"""

from __future__ import annotations

import json
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
SMALL_BYTES = 150 * MIB
LARGE_BYTES = 600 * MIB
COMPRESSION = "gzip:9"


@dataclass(frozen=True)
class Round:
    """The three ways, once each, and reading the object back with the plain tools."""

    bare: Measured
    ours: Measured
    piped: Measured
    reread: Measured

    @property
    def document(self) -> dict[str, Any]:
        """What our command printed."""
        loaded: dict[str, Any] = json.loads(self.ours.output)
        return loaded

    @property
    def stream_seconds(self) -> float:
        """Our dump alone: from the start of pg_dump to the object in S3."""
        return float(self.document["manifest"]["dump_seconds"])

    @property
    def verify_seconds(self) -> float:
        """Reading back."""
        return float(self.document["manifest"]["verification"]["duration_seconds"])


def _round(number: int, server: Server, surroundings: dict[str, str]) -> Round:
    dump = f"{server.bindir / 'pg_dump'} --format=custom --compress={COMPRESSION}"
    ways = {
        "bare": ("sh", "-c", f"exec {dump} >/dev/null"),
        "ours": ("dbbackup", "backup", "--bucket", BUCKET, "--compression", "gzip", "--level", "9", "--json"),
        "piped": ("sh", "-c", f"{dump} | aws s3 cp - s3://{BUCKET}/plain.dump"),
    }
    measured = {way: measure(ways[way], surroundings) for way in turn(tuple(ways), number)}
    again = f"aws s3 cp s3://{BUCKET}/plain.dump - | {server.bindir / 'pg_restore'} --format=custom --file=/dev/null"
    return Round(**measured, reread=measure(("sh", "-c", again), surroundings))


def _rounds(database: str, count: int, server: Server, aws: LocalAws, console: Console) -> list[Round]:
    surroundings = environment(server, aws, database)
    rounds = []
    for number in range(count):
        rounds.append(_round(number, server, surroundings))
        console.print(f"  {database}: round {number + 1} of {count} done", style="dim")
    return rounds


def _report(name: str, rounds: list[Round], plain_bytes: int, console: Console) -> None:
    table = Table(title=f"{name}: {format_bytes(plain_bytes)} of dump data, {len(rounds)} rounds", title_justify="left")
    table.add_column("what")
    table.add_column("median (range)")
    bare, piped, whole = ([getattr(one, way).wall_seconds for one in rounds] for way in ("bare", "piped", "ours"))
    stream = [one.stream_seconds for one in rounds]
    rows = (
        ("bare pg_dump to /dev/null", seconds(bare)),
        ("our stream: pg_dump started to object stored", seconds(stream)),
        ("our whole command: start, roles, stream, read back, manifest", seconds(whole)),
        ("of that, reading back and verifying", seconds([one.verify_seconds for one in rounds])),
        ("pg_dump | aws s3 cp -", seconds(piped)),
        ("our stream / bare pg_dump", ratio(stream, bare)),
        ("our whole command / bare pg_dump", ratio(whole, bare)),
        ("our stream / pg_dump | aws s3 cp -", ratio(stream, piped)),
        ("our whole command / pg_dump | aws s3 cp -", ratio(whole, piped)),
        ("aws s3 cp | pg_restore to /dev/null", seconds([one.reread.wall_seconds for one in rounds])),
        (
            "our reading back, counting rows / that",
            ratio([one.verify_seconds for one in rounds], [one.reread.wall_seconds for one in rounds]),
        ),
        ("peak memory of ours", format_bytes(max(one.ours.peak_bytes for one in rounds))),
        ("peak memory of pg_dump | aws s3 cp -", format_bytes(max(one.piped.peak_bytes for one in rounds))),
        ("object size", format_bytes(rounds[0].document["manifest"]["archive"]["size_bytes"])),
    )
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
            plain = measure(("sh", "-c", f"{server.bindir / 'pg_dump'} | wc -c"), environment(server, aws, name)).output
            rounds = _rounds(name, count, server, aws, console)
            _report(name, rounds, int(plain), console)


if __name__ == "__main__":
    main()
