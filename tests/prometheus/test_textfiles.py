"""What runs leave for Prometheus: kept through failures, other runs, kills, and folders that cannot be written to."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dbbackup.adapters import textfile
from dbbackup.adapters.textfile import TextfileFolder
from dbbackup.assembly import TEXTFILE_VARIABLE
from dbbackup.cli import main
from dbbackup.cli.reporting import LISTENERS, failures_told
from dbbackup.cli.textfile import write_textfile
from dbbackup.contract import Tier
from dbbackup.contract_notification import Kind, Outcome
from dbbackup.core.errors import (
    BackupInProgressError,
    DbBackupError,
    InterruptedRunError,
    RestoreInProgressError,
    StorageError,
    VerificationFailedError,
)
from dbbackup.core.exposition import Sample, samples_of, text_of
from dbbackup.core.exposition_names import BACKUP, FAMILIES, SIZE
from dbbackup.core.notification import Failure, Notification
from tests.support.buckets import Bucket
from tests.support.command import dbbackup
from tests.support.databases import Database
from tests.support.promtool import needs_promtool, promtool

NIGHT = datetime(2026, 1, 11, 2, 4, 8, tzinfo=UTC)
NEXT = datetime(2026, 1, 12, 2, 4, 8, tzinfo=UTC)
ODD = 'sh/op "ü"\\ ${x}'


def _good(at: datetime = NIGHT, **changes: Any) -> Notification:
    return Notification(
        **{
            "kind": Kind.BACKUP,
            "outcome": Outcome.SUCCEEDED,
            "at": at,
            "database": "shop",
            "tier": Tier.DAILY,
            "size_bytes": 1000,
            "database_size_bytes": 4000,
            "duration_seconds": 8.5,
            "rows": 30,
            "tables": 3,
            "recovery_point": at.replace(minute=0),
            **changes,
        }
    )


def _failed(error: DbBackupError, at: datetime = NEXT, **changes: Any) -> Notification:
    work: dict[str, Any] = {"kind": Kind.BACKUP, "database": "shop", "tier": Tier.DAILY, **changes}
    return Notification(outcome=Outcome.FAILED, at=at, failure=Failure.of(error), **work)


def _tell(folder: Path, *notifications: Notification) -> None:
    for notification in notifications:
        write_textfile(notification, {TEXTFILE_VARIABLE: str(folder)})


def _values(folder: Path, name: str = "dbbackup_backup_shop_daily.prom") -> dict[str, float]:
    samples = samples_of((folder / name).read_text())
    assert len(samples) == len({sample.family.name for sample in samples})
    return {sample.family.name: sample.value for sample in samples}


def test_a_good_run_tells_when_how_long_and_how_much(tmp_path: Path) -> None:
    _tell(tmp_path, _good())
    assert _values(tmp_path) == {
        "dbbackup_backup_last_run_timestamp_seconds": NIGHT.timestamp(),
        "dbbackup_backup_last_run_success": 1,
        "dbbackup_backup_last_success_timestamp_seconds": NIGHT.timestamp(),
        "dbbackup_backup_recovery_point_timestamp_seconds": NIGHT.replace(minute=0).timestamp(),
        "dbbackup_backup_duration_seconds": 8.5,
        "dbbackup_backup_rows": 30,
        "dbbackup_backup_tables": 3,
        "dbbackup_backup_size_bytes": 1000,
        "dbbackup_backup_database_size_bytes": 4000,
    }


def test_a_failed_run_keeps_what_the_last_good_one_was(tmp_path: Path) -> None:
    _tell(tmp_path, _good())
    good = _values(tmp_path)
    _tell(tmp_path, _failed(VerificationFailedError("It is another.")), _failed(StorageError("It is full.")))
    assert _values(tmp_path) == {
        **good,
        "dbbackup_backup_last_run_timestamp_seconds": NEXT.timestamp(),
        "dbbackup_backup_last_run_success": 0,
        "dbbackup_backup_last_run_failure_info": 1,
    }
    text = (tmp_path / "dbbackup_backup_shop_daily.prom").read_text()
    assert 'error="storage"' in text
    assert "verification-failed" not in text
    assert "full" not in text  # a message may hold anything; its kind is a word of ours


def test_a_first_run_that_fails_claims_no_success_ever(tmp_path: Path) -> None:
    _tell(tmp_path, _failed(StorageError("It is full.")))
    assert "dbbackup_backup_last_success_timestamp_seconds" not in _values(tmp_path)


def test_a_good_run_after_a_failed_one_forgets_the_failure(tmp_path: Path) -> None:
    _tell(tmp_path, _failed(StorageError("It is full."), at=NIGHT), _good(NEXT, size_bytes=1100))
    values = _values(tmp_path)
    assert "dbbackup_backup_last_run_failure_info" not in values
    assert (values["dbbackup_backup_last_run_success"], values["dbbackup_backup_size_bytes"]) == (1, 1100)
    assert values["dbbackup_backup_last_success_timestamp_seconds"] == NEXT.timestamp()


def test_a_run_that_found_its_backup_made_already_makes_it_no_younger(tmp_path: Path) -> None:
    again = _good(NEXT, repeated=True, duration_seconds=0.1, recovery_point=NIGHT)
    _tell(tmp_path, _good(), again)
    values = _values(tmp_path)
    assert values["dbbackup_backup_last_success_timestamp_seconds"] == NIGHT.timestamp()
    assert values["dbbackup_backup_last_run_timestamp_seconds"] == NEXT.timestamp()
    assert values["dbbackup_backup_duration_seconds"] == 8.5

    (tmp_path / "dbbackup_backup_shop_daily.prom").unlink()
    _tell(tmp_path, again)
    values = _values(tmp_path)
    assert values["dbbackup_backup_last_success_timestamp_seconds"] == NIGHT.timestamp()
    assert values["dbbackup_backup_size_bytes"] == 1000
    assert "dbbackup_backup_duration_seconds" not in values


@pytest.mark.parametrize("kind", [Kind.BACKUP, Kind.RESTORE, Kind.REHEARSAL], ids=lambda kind: kind.value)
@pytest.mark.parametrize(
    "error", [BackupInProgressError, RestoreInProgressError, InterruptedRunError], ids=lambda error: error.code
)
def test_a_run_that_made_way_or_was_stopped_is_no_failed_one(
    kind: Kind, error: type[DbBackupError], tmp_path: Path
) -> None:
    _tell(tmp_path, _failed(error("Another is running."), kind=kind))
    assert list(tmp_path.iterdir()) == []
    _tell(tmp_path, _good(kind=kind))
    [file] = tmp_path.iterdir()
    before = file.read_bytes()
    _tell(tmp_path, _failed(error("Another is running."), kind=kind))
    assert file.read_bytes() == before


def test_the_same_name_on_two_servers_has_two_files(tmp_path: Path) -> None:
    prod, dev = "ftry-prod", "db1:5432"
    _tell(tmp_path, _failed(StorageError("It is full."), server=prod), _good(NEXT, server=dev))
    files = {"dbbackup_backup_shop@ftry-prod_daily.prom": 0, "dbbackup_backup_shop@db1%3A5432_daily.prom": 1}
    assert {path.name for path in tmp_path.iterdir()} == set(files)
    for name, succeeded in files.items():
        assert _values(tmp_path, name)["dbbackup_backup_last_run_success"] == succeeded
    first = samples_of((tmp_path / "dbbackup_backup_shop@db1%3A5432_daily.prom").read_text())[0]
    assert dict(zip(first.family.labels, first.labels, strict=True)) == {
        "server": dev,
        "database": "shop",
        "tier": "daily",
        "source": "run",
    }


@pytest.mark.parametrize("named", [None, "shop"], ids=["no database named", "database named"])
def test_a_rehearsal_that_found_no_backup_is_forgotten_by_the_next_that_does(named: str | None, tmp_path: Path) -> None:
    missing = _failed(StorageError("There is no bucket."), kind=Kind.REHEARSAL, database=named)
    other = _failed(StorageError("There is no bucket."), kind=Kind.REHEARSAL, database="stock")
    _tell(tmp_path, missing, other)
    assert len(list(tmp_path.iterdir())) == 2
    _tell(tmp_path, _good(kind=Kind.REHEARSAL, server="shop-prod"))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"dbbackup_rehearsal_stock.prom", "dbbackup_rehearsal_shop@shop-prod.prom"}


def test_databases_tiers_and_kinds_have_files_of_their_own(tmp_path: Path) -> None:
    _tell(
        tmp_path,
        _good(),
        _good(tier=Tier.WEEKLY),
        _good(database=ODD),
        _good(kind=Kind.RESTORE),
        _good(kind=Kind.REHEARSAL),
        _failed(StorageError("It is full."), kind=Kind.REHEARSAL),
        _good(kind=Kind.PROMOTION),
    )
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "dbbackup_backup_sh%2Fop%20%22%C3%BC%22%5C%20%24%7Bx%7D_daily.prom",
        "dbbackup_backup_shop_daily.prom",
        "dbbackup_backup_shop_weekly.prom",
        "dbbackup_rehearsal_shop.prom",
        "dbbackup_restore_shop.prom",
    ]
    assert _values(tmp_path, names[4])["dbbackup_restore_duration_seconds"] == 8.5
    assert _values(tmp_path, names[3])["dbbackup_rehearsal_last_run_success"] == 0
    assert samples_of((tmp_path / names[0]).read_text())[0].labels[1] == ODD


@needs_promtool
def test_all_files_of_a_folder_together_are_what_promtool_accepts(tmp_path: Path) -> None:
    _tell(tmp_path, _good(), _good(kind=Kind.RESTORE), _good(kind=Kind.REHEARSAL))
    _tell(tmp_path, _failed(StorageError("Full.")), _failed(StorageError("Full."), kind=Kind.RESTORE))
    text = b"".join(path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert promtool("check", "metrics", stdin=text) == (0, "")
    everything = text_of(Sample(family, tuple("x" for _ in family.labels), 1) for family in FAMILIES)
    assert promtool("check", "metrics", stdin=everything) == (0, "")


def test_text_is_read_back_as_it_was_written() -> None:
    samples = (
        Sample(BACKUP.last_success, ("", "a\nb\\", 'c"', "d"), 1768097048.123456),
        Sample(SIZE, ("db1:5432", ODD, "daily", "run"), 2**62),
    )
    assert samples_of(text_of(samples).decode()) == samples
    assert samples_of('dbbackup_of_another_version{a="b"} 1\n') == ()


def test_the_file_is_readable_by_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        _tell(tmp_path, _good(), _good(NEXT))
    finally:
        os.umask(before)
    [file] = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_killed_half_way_the_old_file_is_whole_and_the_next_run_cleans_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    _tell(tmp_path, _good())
    before = (tmp_path / "dbbackup_backup_shop_daily.prom").read_bytes()

    pid = os.fork()
    if pid == 0:
        target: object = os if moment == "fsync" else Path
        setattr(target, moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        _tell(tmp_path, _good(NEXT, size_bytes=2))
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL

    assert (tmp_path / "dbbackup_backup_shop_daily.prom").read_bytes() == before
    assert [path.name for path in tmp_path.glob("*.prom")] == ["dbbackup_backup_shop_daily.prom"]
    _tell(tmp_path, _good(NEXT))
    assert [path.name for path in tmp_path.iterdir()] == ["dbbackup_backup_shop_daily.prom"]
    assert _values(tmp_path)["dbbackup_backup_last_run_timestamp_seconds"] == NEXT.timestamp()


def test_ends_of_runs_at_once_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed run has read the file, and a good one ends just then: the failed one must not write over that."""
    monkeypatch.setattr(textfile, "_POLL_SECONDS", 0.001)
    _tell(tmp_path, _good())
    reading, go_on = threading.Event(), threading.Event()
    read = TextfileFolder.read

    def slow(self: TextfileFolder, name: str) -> str | None:
        text = read(self, name)
        if threading.current_thread().name == "failed":
            reading.set()
            go_on.wait(5)
        return text

    monkeypatch.setattr(TextfileFolder, "read", slow)
    failed = threading.Thread(target=_tell, args=(tmp_path, _failed(StorageError("Full."))), name="failed")
    good = threading.Thread(target=_tell, args=(tmp_path, _good(NEXT)), name="good")
    failed.start()
    assert reading.wait(5)
    good.start()
    good.join(0.1)
    go_on.set()
    failed.join()
    good.join()
    assert _values(tmp_path)["dbbackup_backup_last_success_timestamp_seconds"] == NEXT.timestamp()


def _missing(folder: Path) -> Path:
    return folder / "none"


def _a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file"


def _occupied(folder: Path) -> Path:
    (folder / "dbbackup_backup_shop_daily.prom").mkdir()
    return folder


@pytest.mark.parametrize("make", [_missing, _a_file, _occupied])
def test_a_folder_that_cannot_be_written_to_is_one_warning(
    make: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path)
    before = sorted(tmp_path.iterdir())
    _tell(folder, _good())
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("⚠️  Prometheus was not told (DBBACKUP_TEXTFILE_DIRECTORY).")
    assert said.err.count("\n") == 1
    assert "the folder is there" in said.err
    assert sorted(tmp_path.iterdir()) == before


def test_a_full_disk_is_a_warning_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _tell(tmp_path, _good())
    before = _values(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    _tell(tmp_path, _good(NEXT))
    assert "No space left on device" in capsys.readouterr().err
    assert _values(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["dbbackup_backup_shop_daily.prom"]


def test_a_folder_that_somebody_holds_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(textfile, "LONGEST_WAIT_SECONDS", 0.05)
    holder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    _tell(tmp_path, _good())
    os.close(holder)
    assert "Locking" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [b"dbbackup_backup_size_bytes{", b"\xff\xfe\x00", b'x{a="b} 1\n'])
def test_a_damaged_file_is_begun_anew_and_said(
    damage: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dbbackup_backup_shop_daily.prom").write_bytes(damage)
    _tell(tmp_path, _failed(StorageError("Full.")))
    assert "was damaged and is begun anew" in capsys.readouterr().err
    assert _values(tmp_path)["dbbackup_backup_last_run_success"] == 0


def test_a_defect_in_telling_is_a_warning_and_an_interruption_is_not_swallowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("password=secret")

    monkeypatch.setattr(TextfileFolder, "replace", broken)
    _tell(tmp_path, _good())
    assert capsys.readouterr().err == "⚠️  Prometheus was not told: RuntimeError, which nobody expected.\n"

    def stopped(*_: object) -> None:
        raise InterruptedRunError("Stopped by SIGTERM.")

    monkeypatch.setattr(TextfileFolder, "replace", stopped)
    with pytest.raises(InterruptedRunError):
        _tell(tmp_path, _good())


@pytest.mark.parametrize("environment", [{}, {TEXTFILE_VARIABLE: " "}])
def test_nothing_is_written_where_no_folder_is_named(
    environment: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_textfile(_good(), environment)
    assert list(tmp_path.iterdir()) == []


def test_failures_reach_the_textfile_through_the_listeners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(main)  # the program has its listeners
    assert write_textfile in LISTENERS
    monkeypatch.setenv(TEXTFILE_VARIABLE, str(tmp_path))
    with pytest.raises(StorageError), failures_told(Kind.BACKUP, database="shop", tier=Tier.DAILY):
        raise StorageError("Full.")
    assert _values(tmp_path)["dbbackup_backup_last_run_success"] == 0


def test_runs_of_the_command_leave_their_files(database: Database, tmp_path: Path) -> None:
    backups, folder = tmp_path / "backups", tmp_path / "textfiles"
    folder.mkdir()
    settings = {**database.server.environment(database.name), TEXTFILE_VARIABLE: str(folder)}
    made = dbbackup("backup", "--tier", "daily", "--directory", backups, environment=settings)
    assert made.status == 0, made.err
    drilled = dbbackup("drill", "--directory", backups, environment=settings)
    assert drilled.status == 0, drilled.err
    names = sorted(path.name for path in folder.iterdir())
    server = quote(database.parameters.server, safe="")
    assert names == [
        f"dbbackup_backup_{database.name}@{server}_daily.prom",
        f"dbbackup_rehearsal_{database.name}@{server}.prom",
    ]
    good = _values(folder, names[0])
    assert good["dbbackup_backup_size_bytes"] == next(backups.glob("*.dump")).stat().st_size
    assert (good["dbbackup_backup_rows"], good["dbbackup_backup_tables"]) == (3, 1)
    assert _values(folder, names[1])["dbbackup_rehearsal_last_run_success"] == 1

    failed = dbbackup("backup", "--tier", "daily", "--directory", "/proc/none", environment=settings)
    assert failed.status == 1
    after = _values(folder, names[0])
    assert after["dbbackup_backup_last_run_success"] == 0
    kept = "dbbackup_backup_last_success_timestamp_seconds"
    assert after[kept] == good[kept]


@pytest.mark.parametrize(
    ("arguments", "status", "names"),
    [
        (("drill", "--bucket", "no-such-bucket-of-ours"), 1, ["dbbackup_rehearsal_shop.prom"]),
        (("drill", "--directory", "empty", "--database", "stock"), 1, ["dbbackup_rehearsal_stock.prom"]),
        (("drill", "empty/stock_backup_20260111_020000.dump"), 1, ["dbbackup_rehearsal_stock.prom"]),
        (("restore", "latest", "--bucket", "no-such-bucket-of-ours"), 1, ["dbbackup_restore_shop@db1%3A5432.prom"]),
        (("restore", "latest", "--directory", "empty"), 1, ["dbbackup_restore_shop@db1%3A5432.prom"]),
        (("restore", "latest", "--directory", "empty", "--plan"), 1, []),
        (("drill", "--bucket", "one", "--directory", "empty"), 2, []),
        (("restore", "latest", "--bucket", "one", "--directory", "empty"), 2, []),
    ],
    ids=[
        "drill without a bucket",
        "drill of nothing",
        "drill of a file that is not there",
        "restore without a bucket",
        "restore of nothing",
        "a plan",
        "drill that was not understood",
        "restore that was not understood",
    ],
)
def test_a_run_that_finds_no_backup_is_a_failed_one(
    arguments: tuple[str, ...], status: int, names: list[str], bucket: Bucket, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    folder = tmp_path / "textfiles"
    folder.mkdir()
    settings = {"POSTGRES_HOST": "db1", "POSTGRES_DB": "shop", TEXTFILE_VARIABLE: str(folder)}
    ended = dbbackup(*arguments, environment={**settings, **bucket.aws.environment()}, folder=tmp_path)
    assert ended.status == status, ended.err
    assert [path.name for path in folder.iterdir()] == names
    for name in names:
        values = _values(folder, name)
        assert values[f"{'_'.join(name.split('_')[:2])}_last_run_success"] == 0


def test_a_folder_that_is_not_there_fails_no_backup(database: Database, tmp_path: Path) -> None:
    settings = {**database.server.environment(database.name), TEXTFILE_VARIABLE: str(tmp_path / "none")}
    ended = dbbackup("backup", "--directory", tmp_path, environment=settings)
    assert ended.status == 0
    assert "Prometheus was not told" in ended.err
    assert "✅ Verification passed" in ended.out
