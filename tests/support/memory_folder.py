"""Temporary files of the tests in memory, where the machine has a file system for that.

What is tested makes its files durable, and PostgreSQL makes and removes databases all the time: on a disk, half of the
run is waiting for it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
NEEDED = 4 * 1024**3
"""Bytes that must be free; a run takes less than half."""
_PREFIX = "dbt-"


def use_memory(memory: Path = MEMORY) -> Path | None:
    """Let this process and those it starts put temporary files into memory.

    Returns:
        The folder, for who calls to remove; none if somebody has decided already (``TMPDIR``), or the machine has no
        such file system, one that is too small, or one that no programs may be started from.
    """
    if "TMPDIR" in os.environ or not _is_fit(memory):
        return None
    _remove_what_killed_runs_left(memory)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=memory))
    folder.chmod(0o755)  # PostgreSQL runs as another user where the tests run as root
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None
    return folder


def give_back(folder: Path) -> None:
    """Remove the folder, and let temporary files go where they went before."""
    os.environ.pop("TMPDIR", None)
    tempfile.tempdir = None
    shutil.rmtree(folder, ignore_errors=True)


def _is_fit(memory: Path) -> bool:
    if not memory.is_dir() or not os.access(memory, os.W_OK | os.X_OK):
        return False
    facts = os.statvfs(memory)
    return facts.f_bavail * facts.f_frsize >= NEEDED and not facts.f_flag & os.ST_NOEXEC


def _remove_what_killed_runs_left(memory: Path) -> None:
    for folder in memory.glob(f"{_PREFIX}*"):
        pid = int(folder.name.removeprefix(_PREFIX).split("-")[0])
        if not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)
