"""The function's time is nearly over: it stops in order, wherever it is, and says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import DeadlineExceededError
from tests.support.backups import take
from tests.support.bindirs import with_program
from tests.support.buckets import Bucket
from tests.support.databases import Database
from tests.support.faults import at_first_bytes, dump_process
from tests.support.function import deploy, failures_counted

SOON = 2.0  # seconds; enough to come to the dump, on a busy machine too
AT_ONCE = 0.3


@contextmanager
def _locked(database: Database, table: str) -> Iterator[None]:
    with database.connect() as connection, connection.transaction():
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield


def _gives_up(database: Database, bucket: Bucket, doing: str, **request: Any) -> None:
    with pytest.raises(DeadlineExceededError, match=f"time limit came near while {doing}") as failure:
        take(database, bucket.store(), **{"deadline": Deadline.after(SOON), **request})
    assert bucket.names() == []
    assert bucket.unfinished_uploads() == []
    assert "nothing was stored under a final name" in failure.value.untouched
    assert "more memory" in failure.value.action


def test_while_the_dump_waits_for_a_lock(database: Database, bucket: Bucket) -> None:
    with _locked(database, "item"):
        _gives_up(database, bucket, "dumping")


def test_while_the_dump_stalls_in_the_middle(large_database: Database, bucket: Bucket) -> None:
    stall = at_first_bytes(lambda: dump_process().suspend())
    _gives_up(large_database, bucket, "dumping", listener=stall)


def test_while_bytes_still_flow(large_database: Database, bucket: Bucket) -> None:
    deadline = Deadline.after(SOON)

    def wait_for_it() -> None:
        time.sleep(deadline.remaining() or 0)

    _gives_up(large_database, bucket, "dumping", listener=at_first_bytes(wait_for_it), deadline=deadline)


def test_while_roles_are_dumped(database: Database, tmp_path: Path, bucket: Bucket) -> None:
    bindir = with_program(tmp_path, "pg_dumpall", "exec sleep 600")
    with pytest.raises(DeadlineExceededError, match="while dumping roles"):
        take(database, bucket.store(), bindir=bindir, deadline=Deadline.after(AT_ONCE))
    assert bucket.names() == []


def test_while_the_archive_is_read_back(database: Database, tmp_path: Path) -> None:
    bindir = with_program(tmp_path, "pg_restore", 'case "$*" in *--list*) exec "$REAL" "$@";; esac; exec sleep 600')
    store = DirectoryStore(tmp_path / "backups")
    with pytest.raises(DeadlineExceededError, match="while reading the archive back") as failure:
        take(database, store, bindir=bindir, deadline=Deadline.after(SOON))
    assert "set aside as" in failure.value.untouched
    assert [path.suffix for path in (tmp_path / "backups").iterdir()] == [".rejected"]


def test_while_another_backup_holds_the_turn(database: Database, bucket: Bucket) -> None:
    with database.source().session("another") as other:
        other.lock(0, Deadline())
        _gives_up(
            database, bucket, "waiting for another backup", lock_wait_seconds=600, deadline=Deadline.after(AT_ONCE)
        )


def test_the_function_stops_before_the_platform_would_and_counts_it(
    database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    function = deploy(bucket, database, monkeypatch, BACKUP_DEADLINE_MARGIN_SECONDS="30")
    with _locked(database, "item"), pytest.raises(DeadlineExceededError, match="while dumping"):
        function.invoke(seconds=30 + SOON)
    assert failures_counted(capsys.readouterr().out) == 1
    assert bucket.names() == []


def test_a_function_with_no_time_left_does_not_begin(
    database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = deploy(bucket, database, monkeypatch)
    with pytest.raises(DeadlineExceededError):
        function.invoke(seconds=10)
    assert bucket.names() == []
