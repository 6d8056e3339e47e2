"""The command ``dbbackup`` in a process of its own, as a person starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def dbbackup(
    *arguments: str | Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    before: Callable[[], None] | None = None,
) -> Ended:
    """Run the command to its end."""
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
