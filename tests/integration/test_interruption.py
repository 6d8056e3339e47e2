"""The command is told to stop, or is ended without a word, in the middle of a dump."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.buckets import Bucket
from tests.support.command import dbbackup, start_dbbackup
from tests.support.databases import Database
from tests.support.faults import wait_for

MIB = 1024**2


def _dump_of(command: subprocess.Popen[str]) -> psutil.Process | None:
    for child in psutil.Process(command.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # the one that told its version has ended
            if child.name() == "pg_dump" and "--snapshot" in " ".join(child.cmdline()):
                return child
    return None


def _halted(command: subprocess.Popen[str]) -> psutil.Process:
    """The command's pg_dump, stopped after it has written more than a pipe holds."""
    found: list[psutil.Process] = []

    def is_in_the_middle() -> bool:
        assert command.poll() is None, "the command ended too soon for this test"
        dump = _dump_of(command)
        if dump is None or dump.io_counters().write_chars < 2 * MIB:
            return False
        found.append(dump)
        return True

    wait_for(is_in_the_middle)
    found[0].suspend()
    return found[0]


@pytest.fixture
def started(large_database: Database, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """A backup into a directory that has come to its middle."""
    command = start_dbbackup("backup", "--json", "--directory", tmp_path, environment=large_database.environment())
    try:
        dump = _halted(command)
        yield command, dump
    finally:
        command.kill()
        command.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_backup_in_order(
    started: tuple[subprocess.Popen[str], psutil.Process], tmp_path: Path, number: signal.Signals
) -> None:
    command, dump = started
    command.send_signal(number)
    out, err = command.communicate(timeout=60)
    assert command.returncode == 130
    assert list(tmp_path.iterdir()) == []
    assert not dump.is_running()
    assert f"Stopped by {number.name}" in err
    assert "under a final name" in err
    assert json.loads(out)["error"] == "interrupted"


def test_a_signal_aborts_the_upload(large_database: Database, bucket: Bucket) -> None:
    environment = {**large_database.environment(), **bucket.aws.environment()}
    command = start_dbbackup("backup", "--bucket", bucket.name, environment=environment)
    dump = _halted(command)
    assert bucket.unfinished_uploads()
    command.terminate()
    command.communicate(timeout=60)
    assert command.returncode == 130
    assert not dump.is_running()
    assert bucket.names() == []
    assert bucket.unfinished_uploads() == []


def test_what_a_killed_run_leaves_is_no_backup_and_the_next_run_removes_it(
    started: tuple[subprocess.Popen[str], psutil.Process], large_database: Database, tmp_path: Path
) -> None:
    command, dump = started
    command.kill()
    command.communicate()
    (left,) = tmp_path.iterdir()
    assert re.search(r"\.dump\.[0-9a-f]{8}-[0-9a-f]{8}\.partial$", left.name)
    assert dbbackup("list", "--json", "--directory", tmp_path).document == []
    dump.resume()
    dump.wait(60)
    again = dbbackup("backup", "--json", "--directory", tmp_path, environment=large_database.environment())
    assert again.status == 0, again.err
    assert not left.exists()
    assert len(list(tmp_path.iterdir())) == 3


def test_the_turn_is_given_back_when_a_run_is_killed(
    started: tuple[subprocess.Popen[str], psutil.Process], large_database: Database, tmp_path: Path
) -> None:
    command, dump = started
    command.kill()
    command.communicate()
    dump.kill()
    ended = dbbackup("backup", "--wait", "30", "--directory", tmp_path, environment=large_database.environment())
    assert ended.status == 0, ended.err
