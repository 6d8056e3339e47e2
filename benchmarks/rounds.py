"""What the benchmarks share: the surroundings of their commands, and ratios taken round by round."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from devtools.aws import LocalAws
from devtools.postgres import Server

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))


def environment(server: Server, aws: LocalAws, database: str) -> dict[str, str]:
    """Variables that lead our command and the plain tools to the same database and the same S3."""
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


def turn(ways: Sequence[str], number: int) -> list[str]:
    """The ways in an order in which each comes first, second and last in turn."""
    shift = number % len(ways)
    return [*ways[shift:], *ways[:shift]]


def seconds(values: Sequence[float]) -> str:
    """The median of several durations."""
    return f"{statistics.median(values):.2f} s"


def ratio(over: Sequence[float], under: Sequence[float]) -> str:
    """The median and the range of ratios within each round."""
    ratios = sorted(one / other for one, other in zip(over, under, strict=True))
    return f"{statistics.median(ratios):.3f}  ({ratios[0]:.3f} to {ratios[-1]:.3f})"
