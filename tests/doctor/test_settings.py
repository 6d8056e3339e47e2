"""What a backup refuses the doctor has named before: values of the environment, and the name of the bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbbackup.cli.reporting import LISTENERS
from tests.doctor.test_machine_and_server import checks, doctor
from tests.support.databases import Database
from tests.support.restores import cli

COMMANDS = {
    "backup": ("backup",),
    "list": ("list",),
    "verify": ("verify", "latest"),
    "restore": ("restore", "latest", "--yes"),
    "drill": ("drill",),
    "doctor": ("doctor",),
    "metrics": ("metrics",),
    "evidence": ("evidence", "list"),
    "receipts": ("receipt", "list"),
    "guard": ("guard",),
}


@pytest.mark.parametrize(
    ("variable", "value", "check"),
    [
        ("RETENTION_DAYS", "seven", "backup settings"),
        ("RETENTION_DAYS", "0", "backup settings"),
        ("BACKUP_COMPRESSION", "lz4", "backup settings"),
        ("BACKUP_COMPRESSION_LEVEL", "high", "backup settings"),
        ("BACKUP_COMPRESSION_LEVEL", "99", "backup settings"),
        ("BACKUP_COMPRESSION_LEVEL", "15", "compression"),  # one of zstd, which this pg_dump has not
        ("PGSSLMODE", "requrie", "settings"),
    ],
)
def test_a_value_that_a_backup_refuses_is_a_finding(
    database: Database, tmp_path: Path, variable: str, value: str, check: str
) -> None:
    ended = doctor(database, "--json", "--directory", tmp_path, **{variable: value})
    assert ended.status == 1
    found = checks(ended)
    assert {name for name in found if found[name]["status"] == "failed"} == {check}
    assert variable in found[check]["found"] or value in found[check]["found"]
    assert found[check]["action"]
    if check != "settings":
        assert found["connection"]["status"] == "ok", "it hides nothing else"
    refused = cli("backup", "--directory", tmp_path, environment={**database.environment(), variable: value})
    assert refused.status == 2


def test_a_value_of_a_url_is_not_shown(database: Database, tmp_path: Path) -> None:
    ended = doctor(database, "--json", "--directory", tmp_path, DATABASE_URL="postgresql://u@h/d?sslmode=hush")
    assert "sslmode in DATABASE_URL" in checks(ended)["settings"]["found"]
    assert "hush" not in ended.out + ended.err


@pytest.mark.parametrize(
    ("folder", "status", "reason"),
    [(".", "ok", "can leave"), ("absent", "warning", "there is no folder"), ("file", "warning", "is a file")],
)
def test_a_folder_that_prometheus_cannot_be_told_in_is_a_warning_as_the_backup_is_made(
    database: Database, tmp_path: Path, folder: str, status: str, reason: str
) -> None:
    (tmp_path / "file").write_text("")
    told = {"DBBACKUP_TEXTFILE_DIRECTORY": str(tmp_path / folder)}
    ended = doctor(database, "--json", "--directory", tmp_path / "backups", **told)
    assert ended.status == 0
    assert checks(ended)["Prometheus"]["status"] == status
    assert reason in checks(ended)["Prometheus"]["found"]
    assert not (tmp_path / "absent").exists()
    made = cli("backup", "--directory", tmp_path / "backups", environment={**database.environment(), **told})
    assert made.status == 0
    assert ("Prometheus was not told" in made.err) == (status == "warning")


def test_the_command_tells_prometheus_at_all() -> None:
    assert "write_textfile" in {listener.__name__ for listener in LISTENERS}


@pytest.mark.parametrize("command", sorted(COMMANDS))
@pytest.mark.parametrize(
    ("bucket", "action"),
    [("s3://bkt/daily", "Give the name, without s3://: bkt."), ("", "is the variable set"), ("my bucket", "letters")],
    ids=["address", "empty", "blank"],
)
def test_what_is_no_name_of_a_bucket_is_refused_by_every_command_before_anything_is_done(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, bucket: str, action: str
) -> None:
    monkeypatch.chdir(tmp_path)
    last = ("--", "touch", "migrated") if command == "guard" else ()
    ended = cli(*COMMANDS[command], "--bucket", bucket, *last, environment=database.environment())
    assert ended.status == 2, ended.out
    assert action in ended.err
    if bucket:
        named = {**database.environment(), "S3_BACKUP_BUCKET": bucket}
        assert action in cli(*COMMANDS[command], *last, environment=named).err
    assert list(tmp_path.iterdir()) == []
