"""The command, stopped at a chosen call; run as ``python -m tests.support.halting POINT ARGUMENTS``.

A point is ``module:name:before|after:text:number``: the process stops itself (SIGSTOP) at the numbered call of that
name whose arguments hold the text.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from tests.support.command import clean_environment
from tests.support.faults import wait_for

ROOT = Path(__file__).resolve().parents[2]


def _install(point: str) -> None:
    module_name, name, when, text, number = point.split(":")
    owner: Any = importlib.import_module(module_name)
    *parents, last = name.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    real = getattr(owner, last)
    calls = 0

    def halting(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += text in repr((arguments, named))
        here = text in repr((arguments, named)) and calls == int(number)
        if here and when == "before":
            os.kill(os.getpid(), signal.SIGSTOP)
        result = real(*arguments, **named)
        if here and when == "after":
            os.kill(os.getpid(), signal.SIGSTOP)
        return result

    setattr(owner, last, halting)


def start_halting(point: str, *arguments: str | Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start the command and wait until it has stopped itself at the point."""
    process = subprocess.Popen(
        (sys.executable, "-m", "tests.support.halting", point, *arguments),
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


if __name__ == "__main__":
    _install(sys.argv.pop(1))
    from dbbackup.cli.main import main

    main()
