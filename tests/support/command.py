"""The command ``dbbackup`` in a process of its own, as a person starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.warm_program import WarmProgram

PROGRAM = Path(sys.executable).with_name("dbbackup")
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True)
class Ended:
    """How a run of the command ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its standard output, read as JSON."""
        return json.loads(self.out)


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Nothing of ours but what every program needs, and what the test gives."""
    return {**{name: os.environ[name] for name in _KEPT if name in os.environ}, **environment}


@cache
def _warm() -> WarmProgram:
    return WarmProgram()


def quick_command(folder: Path) -> Path:
    """A command ``dbbackup`` in this folder, for shell scripts that are given it in PATH."""
    return _warm().command_in(folder)


def dbbackup(
    *arguments: str | Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    before: Callable[[], None] | None = None,
) -> Ended:
    """Run the command to its end.

    Args:
        arguments: of the command.
        environment: all that it has besides what every program needs.
        folder: where it runs.
        before: called in the process before the command begins, as :class:`subprocess.Popen` does.
    """
    if before is None:
        texts = tuple(str(argument) for argument in arguments)
        return Ended(*_warm().run(texts, clean_environment(environment or {}), folder, timeout=120))
    done = subprocess.run(
        (PROGRAM, *arguments),
        env=clean_environment(environment or {}),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=before,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def start_dbbackup(*arguments: str | Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start the command and go on."""
    return subprocess.Popen(
        (PROGRAM, *arguments),
        env=clean_environment(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
