"""pg_dump that does not end well: no object, no manifest, a message with a remedy, a counted failure."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.core.errors import DatabaseReadError, DbBackupError, DumpFailedError
from tests.support.backups import take
from tests.support.bindirs import with_program
from tests.support.buckets import Bucket
from tests.support.databases import Database
from tests.support.faults import at_first_bytes, dump_process
from tests.support.function import deploy, failures_counted


def _fails_leaving_nothing(
    database: Database,
    bucket: Bucket,
    folder: Path,
    act: Callable[[], None] = lambda: None,
    kind: type[DbBackupError] = DumpFailedError,
    bindir: Path | None = None,
) -> DbBackupError:
    """Try it into a bucket and into a directory; both stay empty."""
    for store in (bucket.store(), DirectoryStore(folder / "backups")):
        with pytest.raises(kind) as failure:
            take(database, store, listener=at_first_bytes(act), bindir=bindir)
        assert not list(store.objects(None))
    assert bucket.names() == []
    assert bucket.unfinished_uploads() == []
    assert [path for path in (folder / "backups").glob("**/*") if path.is_file()] == []
    assert failure.value.untouched
    assert database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'dbbackup'") <= 1
    return failure.value


def test_a_dump_that_is_killed_leaves_no_object(large_database: Database, bucket: Bucket, tmp_path: Path) -> None:
    failure = _fails_leaving_nothing(
        large_database, bucket, tmp_path, lambda: os.kill(dump_process().pid, signal.SIGKILL)
    )
    assert "pg_dump was killed by signal 9" in failure.what
    assert "The incomplete archive was thrown away" in failure.untouched


def test_a_dump_whose_server_process_is_terminated_leaves_no_object(
    large_database: Database, bucket: Bucket, tmp_path: Path
) -> None:
    def terminate() -> None:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dbbackup pg_dump'"
        assert large_database.value(f"{query} AND datname = current_database()") is True

    failure = _fails_leaving_nothing(large_database, bucket, tmp_path, terminate)
    assert "Dumping the contents of table" in failure.what
    assert "look for a failover" in failure.action


def test_a_dump_whose_snapshot_session_is_terminated_leaves_no_object(
    large_database: Database, bucket: Bucket, tmp_path: Path
) -> None:
    def terminate() -> None:
        query = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dbbackup backup manual'"
        )
        assert large_database.value(f"{query} AND datname = current_database()") is True

    failure = _fails_leaving_nothing(large_database, bucket, tmp_path, terminate, DatabaseReadError)
    assert "The database session failed while" in failure.what
    assert "look for a failover" in failure.action


def test_a_dump_that_fails_after_its_header_leaves_no_object(
    database: Database, bucket: Bucket, tmp_path: Path
) -> None:
    # Large objects are read last and their rights are not looked at before.
    database.execute("SELECT lo_from_bytea(0, '\\x00')")
    reader = database.superuser.user_without_rights("IN ROLE pg_read_all_data")
    failure = _fails_leaving_nothing(reader, bucket, tmp_path)
    assert "permission denied for large object" in failure.what
    assert "pg_dump ended with exit status 1" in failure.what


def test_a_table_that_may_not_be_read_leaves_no_object(database: Database, bucket: Bucket, tmp_path: Path) -> None:
    reader = database.user_without_rights()
    # Whether our count or pg_dump comes upon it first is chance; the reason must be told either way.
    failure = _fails_leaving_nothing(reader, bucket, tmp_path, kind=DbBackupError)
    assert "permission denied for table item" in failure.what
    assert "GRANT pg_read_all_data" in failure.action


def test_the_cause_is_what_pg_dump_says_however_long_it_takes_to_begin(
    database: Database, bucket: Bucket, tmp_path: Path
) -> None:
    late = with_program(tmp_path, "pg_dump", 'case "$*" in *--snapshot*) sleep 1;; esac; exec "$REAL" "$@"')
    reader = database.user_without_rights()
    failure = _fails_leaving_nothing(reader, bucket, tmp_path, bindir=late)
    assert "pg_dump: error: query failed: ERROR:  permission denied for table item" in failure.what
    assert "GRANT pg_read_all_data" in failure.action


def test_rows_behind_a_policy_are_not_left_out_in_silence(database: Database, bucket: Bucket, tmp_path: Path) -> None:
    database.execute("ALTER TABLE item ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON item USING (id < 2)")
    reader = database.superuser.user_without_rights("IN ROLE pg_read_all_data")
    failure = _fails_leaving_nothing(reader, bucket, tmp_path, kind=DbBackupError)
    assert 'row-level security policy for table "item"' in failure.what
    assert "GRANT <owner> TO <user> WITH INHERIT TRUE" in failure.action


def test_a_user_who_bypasses_policies_may_back_everything_up(database: Database, tmp_path: Path) -> None:
    database.execute("ALTER TABLE item ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON item USING (id < 2)")
    reader = database.superuser.user_without_rights("IN ROLE pg_read_all_data BYPASSRLS")
    manifest = take(reader, DirectoryStore(tmp_path)).manifest
    assert manifest.total_rows == 3


def test_a_damaged_table_leaves_no_object(large_database: Database, bucket: Bucket, tmp_path: Path) -> None:
    # The values of the second half of the table point to where nothing is: the dump fails in the middle.
    large_database.execute("CREATE TABLE other (body bytea); ALTER TABLE other ALTER body SET STORAGE EXTERNAL")
    large_database.execute("INSERT INTO other SELECT body FROM noise LIMIT 1")
    large_database.execute("CREATE TABLE void (body text)")
    large_database.superuser.execute(
        "SET allow_system_table_mods = on; UPDATE pg_class SET relfilenode = "
        "(SELECT t.relfilenode FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid WHERE c.relname = 'void') "
        "WHERE oid = (SELECT reltoastrelid FROM pg_class WHERE relname = 'other')"
    )
    failure = _fails_leaving_nothing(large_database, bucket, tmp_path)
    assert "Dumping the contents of table" in failure.what
    assert "other" in failure.what


def test_a_role_dump_that_fails_leaves_no_object(database: Database, bucket: Bucket, tmp_path: Path) -> None:
    bindir = with_program(tmp_path, "pg_dumpall", 'echo "pg_dumpall: error: no such luck" >&2; exit 1')
    failure = _fails_leaving_nothing(database, bucket, tmp_path, bindir=bindir)
    assert "The roles could not be dumped: pg_dumpall ended with exit status 1: pg_dumpall: error: no" in failure.what


def test_the_function_counts_a_dump_that_failed(
    database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    function = deploy(bucket, database.user_without_rights(), monkeypatch)
    with pytest.raises(DbBackupError, match="permission denied for table item"):
        function.invoke()
    assert failures_counted(capsys.readouterr().out) == 1
    assert bucket.names() == []
