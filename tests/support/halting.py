"""Starts the command so that it stops at a chosen call.

A point is ``module:name:before|after:text:number``: the process stops itself (SIGSTOP) at the numbered call of that
name whose arguments hold the text.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.support.command import clean_environment
from tests.support.faults import wait_for

ROOT = Path(__file__).resolve().parents[2]


def start_halting(point: str, *arguments: str | Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start the command and wait until it has stopped itself at the point."""
    process = subprocess.Popen(
        (sys.executable, "-m", "tests.support.halted", point, *arguments),
        env={**clean_environment(environment), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen = psutil.Process(process.pid)

    def stopped() -> bool:
        if process.poll() is not None:
            out, err = process.communicate()
            raise AssertionError(f"the command ended before {point}:\n{out}{err}")
        return seen.status() == psutil.STATUS_STOPPED

    wait_for(stopped)
    return process
