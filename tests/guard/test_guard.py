"""A command runs after a verified backup or not at all, and leads back when it fails."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.cli import guard_begin, reporting
from dbbackup.cli.migration import Migration
from dbbackup.contract import KIND_RECEIPT, TAG_KIND, Tier
from dbbackup.contract_notification import Outcome
from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import StorageError
from dbbackup.core.naming import RECEIPT_SUFFIX
from dbbackup.core.notification import Notification
from dbbackup.core.receipt import Receipt, Status
from dbbackup.operations.backup import BackupRequest
from dbbackup.operations.guard import run_guarded
from dbbackup.operations.receipts import leave_receipt
from tests.guard.conftest import COMMIT, Place, database_url, environment_of, guard, printed_command
from tests.support import comparison
from tests.support.backups import take
from tests.support.buckets import Bucket
from tests.support.command import PROGRAM, clean_environment, dbbackup, start_dbbackup
from tests.support.databases import Database
from tests.support.faults import wait_for

HALF_WAY = """
    ALTER TABLE item ADD COLUMN price numeric;
    UPDATE item SET name = 'migrated';
    DELETE FROM item WHERE id = 3;
    ALTER TABLE no_such_table ADD COLUMN x int;
"""


def test_the_printed_way_back_undoes_a_migration_that_failed_half_way(
    database: Database, place: Place, tmp_path: Path
) -> None:
    before = comparison.contents(database)
    change = tmp_path / "change.sql"
    change.write_text(HALF_WAY)
    psql = str(database.server.bindir / "psql")

    done = guard(database, place, psql, "--set", "ON_ERROR_STOP=1", "--file", str(change))

    assert done.status == 3, "psql's own, for a script that failed"
    assert comparison.contents(database) != before
    (receipt,) = place.receipts()
    assert (receipt.status, receipt.backup.database) == (Status.FAILED, database.name)
    assert receipt.command is not None
    assert (receipt.command.program, receipt.command.exit_status) == ("psql", 3)
    program, *words = printed_command(done.err, "dbbackup restore")
    assert program == "dbbackup"
    restored = dbbackup(*words, "--yes", environment={**database.environment(), **place.environment}, folder=Path("/"))
    assert restored.status == 0, restored.err
    assert comparison.contents(database) == before
    assert database.value("SELECT count(*) FROM information_schema.columns WHERE table_name = 'item'") == 2


def test_a_command_that_succeeds_leaves_its_receipt(database: Database, place: Place) -> None:
    began = datetime.now(UTC)
    done = guard(database, place, "true", options=("--commit", COMMIT[:10].upper()))
    assert (done.status, done.out) == (0, ""), done.err
    (receipt,) = place.receipts()
    assert receipt.status is Status.SUCCEEDED
    assert receipt.commit is not None
    assert receipt.commit.id == COMMIT[:10]
    assert receipt.command is not None
    assert receipt.command.exit_status == 0
    assert began <= receipt.backup.recovery_point < receipt.point_in_time <= receipt.command.started_at
    assert receipt.command.ended_at is not None
    assert "dbbackup restore" not in done.err


def test_the_receipt_is_written_before_the_command_and_again_after_it(bucket: Bucket, database: Database) -> None:
    place = Place(("--bucket", bucket.name), bucket.aws.environment(), None, bucket)
    assert guard(database, place, "true").status == 0
    (key,) = [name for name in bucket.names() if name.endswith(RECEIPT_SUFFIX)]
    assert key.startswith("pre-migration/")
    tags = bucket.s3.get_object_tagging(Bucket=bucket.name, Key=key)["TagSet"]
    assert tags == [{"Key": TAG_KIND, "Value": KIND_RECEIPT}]
    versions = bucket.s3.list_object_versions(Bucket=bucket.name, Prefix=key)["Versions"]
    bodies = [
        bucket.s3.get_object(Bucket=bucket.name, Key=key, VersionId=each["VersionId"])["Body"].read()
        for each in versions
    ]
    assert {Receipt.model_validate_json(body).status for body in bodies} == {
        Status.BACKED_UP,
        Status.RUNNING,
        Status.SUCCEEDED,
    }


def test_the_command_has_our_terminal_and_exactly_our_environment(database: Database, folder_place: Place) -> None:
    environment = clean_environment({**environment_of(database), "SOME_TOKEN": "of the application", "EMPTY": ""})
    script = "cat; echo said >&2; env -0"
    done = subprocess.run(
        (PROGRAM, "guard", *folder_place.options, "--", "sh", "-c", script),
        env=environment,
        cwd="/",
        input=b"typed\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    typed, _, rest = done.stdout.partition(b"\n")
    assert typed == b"typed"
    shown = dict(each.decode().split("=", 1) for each in rest.rstrip(b"\0").split(b"\0"))
    of_the_shell = ("PWD", "SHLVL", "_", "OLDPWD")
    assert {name: value for name, value in shown.items() if name not in of_the_shell} == environment
    assert b"said\n" in done.stderr


@pytest.mark.parametrize("broken", [{"POSTGRES_PASSWORD": "wrong"}, {"PG_BINDIR": "/nowhere"}])
def test_without_a_backup_the_command_does_not_run(
    database: Database, folder_place: Place, tmp_path: Path, broken: dict[str, Any]
) -> None:
    ran = tmp_path / "ran"
    done = guard(database, folder_place, "touch", str(ran), "--json", **broken)
    assert done.status == 1
    assert not ran.exists()
    assert "The command was not run." in done.err
    assert done.out == "", "the option --json is the command's"
    assert folder_place.receipts() == []


def test_while_another_backup_runs_the_command_does_not(
    database: Database, folder_place: Place, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    with database.source().session("another") as session:
        session.lock(0, Deadline())
        done = guard(database, folder_place, "touch", str(ran), options=("--wait", "0"))
    assert done.status == 75
    assert "Another backup" in done.err
    assert "The command was not run." in done.err
    assert not ran.exists()


@pytest.mark.parametrize(("mode", "status"), [(None, 127), (0o600, 126)])
def test_a_command_that_cannot_be_started(
    database: Database, folder_place: Place, tmp_path: Path, mode: int | None, status: int
) -> None:
    program = tmp_path / "migrate"
    if mode is not None:
        program.write_text("#!/bin/sh\n")
        program.chmod(mode)
    done = guard(database, folder_place, str(program))
    assert done.status == status
    assert "Nothing was migrated." in done.err
    assert "dbbackup restore" not in done.err, "there is nothing to go back from"
    (receipt,) = folder_place.receipts()
    assert receipt.status is Status.NOT_STARTED
    assert receipt.command is not None
    assert receipt.command.exit_status == status


def test_arguments_are_in_no_receipt(database: Database, folder_place: Place) -> None:
    secret = "postgresql://u:hidden@h/d"
    assert guard(database, folder_place, "echo", secret).out == f"{secret}\n"
    (receipt,) = folder_place.receipts()
    assert "hidden" not in receipt.to_bytes().decode()


def test_two_at_once_have_a_backup_and_a_receipt_each(database: Database, folder_place: Place) -> None:
    words = ("guard", *folder_place.options, "--", "true")
    both = [start_dbbackup(*words, environment=environment_of(database)) for _ in range(2)]
    for each in both:
        _, err = each.communicate(timeout=60)
        assert each.returncode == 0, err
    receipts = folder_place.receipts()
    assert len({receipt.backup.key for receipt in receipts}) == 2
    assert {receipt.status for receipt in receipts} == {Status.SUCCEEDED}


def test_an_end_that_cannot_be_recorded_is_said_and_does_not_change_the_status(
    database: Database, folder_place: Place
) -> None:
    spoil = f"cd {folder_place.folder} && for f in *{RECEIPT_SUFFIX}; do rm $f; mkdir $f; done; exit $STATUS"
    for status in (0, 9):
        done = guard(database, folder_place, "sh", "-c", spoil, STATUS=str(status))
        assert done.status == status
        assert "IS NOT IN ITS RECEIPT" in done.err
        assert "Do not run it again because of this." in done.err
        assert ("dbbackup restore" in done.err) == (status != 0)
        for receipt in Path(folder_place.options[1]).glob(f"*{RECEIPT_SUFFIX}"):
            receipt.rmdir()


def test_without_its_first_record_the_command_does_not_run(database: Database, tmp_path: Path) -> None:
    class Full(DirectoryStore):
        def replace_document(self, key: str, body: bytes, kind: str) -> None:
            raise StorageError("no room")

    class Nobody:
        def run(self, *_: object) -> int:
            raise AssertionError("it ran")

    store = DirectoryStore(tmp_path)
    outcome = take(database, store, tier=Tier.PRE_MIGRATION)
    receipt = leave_receipt(store, outcome.manifest, commit=None, requested_by=None)
    with pytest.raises(StorageError, match="The command was not run"):
        run_guarded(("true",), {}, receipt, store=Full(tmp_path), runner=Nobody(), told=lambda _: None)


def test_old_backups_go_with_their_receipts_after_seven_days(database: Database, folder_place: Place) -> None:
    store = DirectoryStore(Path(folder_place.options[1]))
    for days in (8, 6):
        moment = datetime.now(UTC) - timedelta(days=days)
        old = take(database, store, tier=Tier.PRE_MIGRATION, scheduled_time=moment).manifest
        leave_receipt(store, old, commit=None, requested_by="somebody")
    assert guard(database, folder_place, "true").status == 0
    assert [len(list(store.objects(None))), len(folder_place.receipts())] == [8, 2]


def test_the_script_keeps_what_a_settings_file_says_from_the_command(database: Database, tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[2] / "scripts" / "pre-migration-backup.sh"
    values = database.environment()
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    run = {"cwd": tmp_path, "env": clean_environment({"OURS": "1"}), "capture_output": True, "text": True}
    done = subprocess.run((script, "--commit", COMMIT, "--", "env"), **run, timeout=60, check=False)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    assert "OURS=1" in done.stdout
    assert not [name for name in values if f"{name}=" in done.stdout]
    alone = subprocess.run((script, "--commit", COMMIT), **run, timeout=60, check=False)  # type: ignore[call-overload]
    assert alone.returncode == 0, alone.stderr
    statuses = [receipt.status for receipt in Place(("", ""), os.environ, tmp_path / "backups", None).receipts()]
    assert statuses == [Status.SUCCEEDED, Status.BACKED_UP]


@pytest.mark.parametrize("status", [0, 5])
def test_an_end_that_nobody_reads_is_the_commands_end(database: Database, folder_place: Place, status: int) -> None:
    began = folder_place.folder
    assert began is not None
    script = f'touch "$0/began"; while [ ! -e "$0/go" ]; do sleep 0.05; done; exit {status}'
    words = ("guard", *folder_place.options, "--", "sh", "-c", script, str(began.parent))
    command = start_dbbackup(*words, environment=environment_of(database))
    wait_for((began.parent / "began").exists)
    assert command.stderr is not None
    assert command.stdout is not None
    command.stderr.close()
    command.stdout.close()
    (began.parent / "go").touch()
    assert command.wait(30) == status
    (receipt,) = folder_place.receipts()
    assert receipt.status is (Status.FAILED if status else Status.SUCCEEDED)


def test_a_backup_whose_receipt_could_not_be_left_is_told_all_the_same(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise StorageError("no room for a receipt")

    told: list[Notification] = []
    monkeypatch.setattr(reporting, "LISTENERS", [lambda notification, _: told.append(notification)])
    monkeypatch.setattr(guard_begin, "leave_receipt", refused)
    for name, value in database.environment().items():
        monkeypatch.setenv(name, value)
    request = BackupRequest(tier=Tier.PRE_MIGRATION, compression_level=1)
    target = guard_begin.Target({}, unchecked=False)
    with ExitStack() as held, pytest.raises(StorageError, match="no room"):
        guard_begin.by_ourselves(request, DirectoryStore(tmp_path), None, Migration(None, "me"), target, held=held)
    assert [(each.outcome, each.database) for each in told] == [(Outcome.SUCCEEDED, database.name)]


def test_the_way_back_that_the_script_prints_runs_as_it_is(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "my orders"
    folder.mkdir()
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in database.environment().items()))
    script = Path(__file__).resolve().parents[2] / "scripts" / "pre-migration-backup.sh"
    before = comparison.contents(database)
    run = {"env": clean_environment({"PATH": "/usr/bin:/bin"}), "capture_output": True, "text": True}
    psql = str(database.server.bindir / "psql")
    words = (psql, database_url(database), "--command", "DELETE FROM item", "--command", "no such statement")
    done = subprocess.run((script, "--", *words), cwd=folder, **run, timeout=60, check=False)  # type: ignore[call-overload]
    assert done.returncode == 1, done.stderr
    assert comparison.contents(database) != before
    assert f"the database {database.name!r} on 127.0.0.1 as it was at" in done.stderr
    (line,) = [line.strip() for line in done.stderr.splitlines() if "restore-database.sh" in line]
    back = subprocess.run(("bash", "-c", f"{line} --yes"), cwd="/", **run, timeout=60, check=False)  # type: ignore[call-overload]
    assert back.returncode == 0, back.stderr
    assert comparison.contents(database) == before
