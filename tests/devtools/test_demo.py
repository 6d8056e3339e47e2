"""The demo is what a newcomer sees first: it must hold, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture
def folder() -> Iterator[Path]:
    """For all temporary files of the demo: its path is short, as sockets need, and others may pass, as PostgreSQL
    that runs as another user needs."""
    with tempfile.TemporaryDirectory(prefix="t-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def _start(temporary: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (sys.executable, "-m", "devtools.demo"),
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _processes_in(folder: Path) -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if str(folder) in line:
            found.append(line)
    return found


@pytest.mark.timeout(600)
def test_the_demo_proves_every_claim_and_cleans_up(folder: Path) -> None:
    process = _start(folder)
    shown = process.communicate(timeout=580)[0]

    assert process.returncode == 0, shown
    for tier in ("daily", "weekly", "monthly", "pre-migration", "manual"):
        assert f"✓ {tier} backup made and verified" in shown
    for claim in (
        "the same event twice makes one backup",
        "every backup reads back",
        "a dump killed half-way is a failure",
        "nothing of it is left under a final name",
        "the dropped table is back, every count as before",
        "a restore killed half-way leaves the original in place",
        "restores production to a moment and verifies it over SQL",
        "the restored instance becomes production",
        "and back again",
        "its evidence verifies",
        "an object that somebody has written over is found",
        "pg_dump --create says the same as before, line by line",
        "claims held",
    ):
        assert claim in shown
    assert list(folder.iterdir()) == []
    assert _processes_in(folder) == []


def test_an_interrupted_demo_says_so_and_cleans_up(folder: Path) -> None:
    process = _start(folder)
    give_up = time.monotonic() + 60
    while not any(folder.glob("pg-*/data/postmaster.pid")) and time.monotonic() < give_up:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # what Ctrl-C sends: to the whole group
    shown = process.communicate(timeout=60)[0]

    assert process.returncode == 130, shown
    assert "Stopped." in shown
    assert list(folder.iterdir()) == []
    assert _processes_in(folder) == []
