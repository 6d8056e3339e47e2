"""Folders that several hosts and containers write into: nobody takes another's unfinished file for abandoned."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.adapters.textfile import TextfileFolder
from dbbackup.core.errors import StorageError
from dbbackup.unfinished_files import ABANDONED_SECONDS, unfinished

KEY = "ftry_backup_20250111_020000.dump"
ANOTHER_KERNEL = f"{KEY}.00000000-11111111.partial"
OF_AN_EARLIER_RELEASE = f"{KEY}.1.partial"
WRITER = """
import sys, time
from pathlib import Path
from dbbackup.unfinished_files import unfinished
with unfinished(Path(sys.argv[1]), sys.argv[2], sys.argv[3]):
    print(flush=True)
    time.sleep(60)
"""


def _tidy(folder: Path) -> list[str]:
    """What is left once the next backup has begun and was given up."""
    with DirectoryStore(folder).archive_writer("ftry_backup_20250112_020000.dump", expected_bytes=0):
        pass
    return sorted(path.name for path in folder.iterdir())


def _start_writer(folder: Path, stem: str, suffix: str, *before: str) -> subprocess.Popen[bytes]:
    writer = subprocess.Popen(
        (*before, sys.executable, "-c", WRITER, str(folder), stem, suffix), stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    return writer


def _age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.mark.parametrize("silent", [0, 10 * ABANDONED_SECONDS])
def test_a_file_that_is_being_written_stays_and_one_whose_writer_was_killed_goes(tmp_path: Path, silent: float) -> None:
    writer = _start_writer(tmp_path, KEY, ".partial")
    (path,) = tmp_path.iterdir()
    _age(path, silent)
    assert _tidy(tmp_path) == [path.name]
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert _tidy(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a namespace")
def test_a_container_with_the_same_process_numbers_takes_nothing_away(tmp_path: Path) -> None:
    contained = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
    if subprocess.run((*contained, "true"), check=False, capture_output=True).returncode:
        pytest.skip("no namespaces here")
    writer = _start_writer(tmp_path, KEY, ".partial", *contained)
    (path,) = tmp_path.iterdir()
    assert _tidy(tmp_path) == [path.name]
    writer.kill()
    writer.wait()


@pytest.mark.parametrize("name", [ANOTHER_KERNEL, OF_AN_EARLIER_RELEASE])
def test_a_file_of_another_kernel_goes_when_nothing_was_written_to_it_for_a_day(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch()
    _age(path, ABANDONED_SECONDS - 60)
    assert _tidy(tmp_path) == [name]
    _age(path, ABANDONED_SECONDS + 60)
    assert _tidy(tmp_path) == []


def test_the_age_is_told_by_the_clock_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ANOTHER_KERNEL).touch()
    monkeypatch.setattr(time, "time", lambda: time.monotonic() + 1e10)
    assert _tidy(tmp_path) == [ANOTHER_KERNEL]


def test_without_locks_the_age_alone_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with unfinished(tmp_path, KEY, ".partial") as (_, path):
        assert _tidy(tmp_path) == [path.name]
        _age(path, ABANDONED_SECONDS + 60)
        assert _tidy(tmp_path) == []


def test_one_that_is_taken_away_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    taken: list[Path] = []

    def late(descriptor: int, operation: int) -> None:
        if not taken:
            taken.extend(tmp_path.iterdir())
            taken[0].unlink()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with unfinished(tmp_path, KEY, ".partial") as (_, path):
        assert path.exists()
        assert path != taken[0]


@pytest.mark.parametrize("links", [True, False], ids=["links", "no-links"])
def test_of_two_backups_of_one_name_the_second_does_not_replace_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    with (
        DirectoryStore(tmp_path).archive_writer(KEY, expected_bytes=0) as first,
        DirectoryStore(tmp_path).archive_writer(KEY, expected_bytes=0) as second,
    ):
        first.write(b"first")
        second.write(b"second")
        first.commit()
        with pytest.raises(StorageError, match="taken the name") as failure:
            second.commit()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(KEY, b"first")]
    assert "give each its own" in failure.value.action


def test_a_lost_answer_to_the_naming_is_no_other_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def repeated(source: Path, target: Path) -> None:
        link(source, target)
        link(source, target)

    monkeypatch.setattr(os, "link", repeated)
    with DirectoryStore(tmp_path).archive_writer(KEY, expected_bytes=0) as writer:
        writer.write(b"whole")
        writer.commit()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(KEY, b"whole")]


def test_textfiles_of_two_containers_do_not_share_a_file_on_the_way(tmp_path: Path) -> None:
    another = tmp_path / ".run.prom.00000000-11111111.partial"
    another.write_bytes(b"half")
    TextfileFolder(tmp_path).replace("run.prom", b"whole")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "run.prom": b"whole",
        another.name: b"half",
    }
    assert (tmp_path / "run.prom").stat().st_mode & 0o777 == 0o644
