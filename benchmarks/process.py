"""One command, measured as a whole process."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """What a run cost and said."""

    wall_seconds: float
    peak_bytes: int
    output: bytes


def measure(command: Sequence[str], environment: Mapping[str, str]) -> Measured:
    """Run a command to its end.

    The peak is the kernel's maximum resident set of the largest single process among the command and what it
    started (ru_maxrss of wait4).

    Raises:
        RuntimeError: it failed, so its figures mean nothing.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with exit status {process.returncode}")
    return Measured(time.perf_counter() - started, usage.ru_maxrss * 1024, output)
