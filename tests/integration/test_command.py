"""The command as a person or a script meets it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.support.buckets import Bucket
from tests.support.command import PROGRAM, clean_environment, dbbackup
from tests.support.databases import Database


@pytest.mark.parametrize("command", ["backup", "list", "verify"])
def test_help_has_examples(command: str) -> None:
    ended = dbbackup(command, "--help", environment={"COLUMNS": "200"})
    assert ended.status == 0
    assert "Examples" in ended.out
    assert f"dbbackup {command} " in ended.out.split("Examples")[1]


def test_the_programs_help_names_the_environment_and_the_exit_statuses() -> None:
    ended = dbbackup("--help", environment={"COLUMNS": "200"})
    for word in ("POSTGRES_HOST", "DATABASE_URL", "PGHOST", "S3_BACKUP_BUCKET", "PG_BINDIR", "75", "130"):
        assert word in ended.out


def test_the_version_is_shown() -> None:
    assert dbbackup("--version").out.startswith("dbbackup 0.")


@pytest.mark.parametrize("arguments", [["backup"], ["list"], ["verify", "latest"]])
def test_a_directory_and_a_bucket_at_once_are_refused(tmp_path: Path, arguments: list[str]) -> None:
    environment = {"POSTGRES_DB": "x", "POSTGRES_HOST": "127.0.0.1"}
    ended = dbbackup(*arguments, "--directory", tmp_path, "--bucket", "b", environment=environment)
    assert ended.status == 2
    assert "Give --directory or --bucket, not both" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["backup", "--tier", "hourly"],
        ["backup", "--retention-days", "0"],
        ["backup", "--wait", "-1"],
        ["verify"],
        ["x"],
    ],
)
def test_what_is_not_understood_is_refused(arguments: list[str]) -> None:
    ended = dbbackup(*arguments)
    assert ended.status == 2
    assert "Error" in ended.err


def test_without_a_database_the_message_says_how_to_name_one() -> None:
    ended = dbbackup("backup", "--json")
    assert ended.status == 2
    assert ended.document["what"] == "No database is named."
    assert "POSTGRES_DB" in ended.document["action"]


def test_a_backup_says_what_was_made_and_is_found_by_list_and_verify(database: Database, tmp_path: Path) -> None:
    environment = database.environment()
    made = dbbackup("backup", environment=environment, folder=tmp_path)
    assert made.status == 0, made.err
    assert made.err == ""
    (archive,) = (tmp_path / "backups").glob("*.dump")
    assert f"✅ Backup created: backups/{archive.name}" in made.out
    assert "✅ Verification passed (1 tables, 3 rows, gzip:9)" in made.out
    assert "✅ Old backups cleaned (retention: 30 days, 0 removed)" in made.out
    assert archive.name in dbbackup("list", environment=environment, folder=tmp_path).out
    assert dbbackup("verify", "latest", environment=environment, folder=tmp_path).status == 0
    assert dbbackup("verify", archive, environment=environment).status == 0


def test_json_is_one_document(database: Database, bucket: Bucket) -> None:
    environment = {**database.environment(), **bucket.aws.environment(), "S3_BACKUP_BUCKET": bucket.name}
    ended = dbbackup("backup", "--json", "--tier", "pre-migration", environment=environment)
    document = ended.document
    assert ended.err == ""
    assert document["status"] == "created"
    assert document["verified"] is True
    assert document["location"] == f"s3://{bucket.name}/{document['manifest']['archive']['key']}"
    assert document["manifest"]["tier"] == "pre-migration"
    assert document["manifest"]["archive"]["key"] in bucket.names()


def test_settings_come_from_options_or_the_environment(database: Database, tmp_path: Path) -> None:
    environment = {**database.environment(), "BACKUP_COMPRESSION": "gzip", "BACKUP_COMPRESSION_LEVEL": "3"}
    first = dbbackup("backup", "--json", "--directory", tmp_path, environment=environment)
    assert first.document["manifest"]["archive"]["compression"] == "gzip:3"
    second = dbbackup("backup", "--json", "--level", "5", "--directory", tmp_path, environment=environment)
    assert second.document["manifest"]["archive"]["compression"] == "gzip:5"
    refused = dbbackup("backup", "--json", "--level", "10", "--directory", tmp_path, environment=environment)
    assert refused.status == 2
    assert "level 10 is outside 1 to 9" in refused.document["what"]


def test_another_database_may_be_named(database: Database, tmp_path: Path) -> None:
    environment = {**database.environment(), "POSTGRES_DB": "postgres"}
    arguments = ("--json", "--database", database.name, "--directory", tmp_path)
    ended = dbbackup("backup", *arguments, environment=environment)
    assert ended.document["manifest"]["source"]["database"] == database.name


def _on_a_terminal(database: Database, folder: Path) -> tuple[int, str, str]:
    """Run a backup whose standard error is a terminal; status, standard output, what was drawn."""
    master, slave = pty.openpty()
    environment = clean_environment({**database.environment(), "TERM": "xterm", "COLUMNS": "120", "LINES": "24"})
    command = subprocess.Popen(
        (PROGRAM, "backup", "--directory", folder), env=environment, stdout=subprocess.PIPE, stderr=slave
    )
    os.close(slave)
    drawn = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # what Linux says when the other side has closed
            break
        if not piece:
            break
        drawn += piece
    os.close(master)
    out, _ = command.communicate()
    return command.returncode, out.decode(), drawn.decode()


def test_a_terminal_shows_how_far_a_backup_is(large_database: Database, tmp_path: Path) -> None:
    status, out, drawn = _on_a_terminal(large_database, tmp_path)
    assert status == 0
    assert "✅ Backup created" in out
    assert "dumping" in drawn
    assert "MiB" in drawn
    assert "/s" in drawn
    assert "1 tables" in drawn
    assert "reading back" in drawn


def test_a_pipe_gets_no_progress(large_database: Database, tmp_path: Path) -> None:
    ended = dbbackup("backup", "--json", "--directory", tmp_path, environment=large_database.environment())
    assert ended.err == ""
    assert json.loads(ended.out)["status"] == "created"
    assert "\x1b" not in ended.out


def test_the_package_can_be_run_as_a_module(database: Database, tmp_path: Path) -> None:
    python = PROGRAM.with_name("python")
    ended = subprocess.run(
        (python, "-m", "dbbackup", "list", "--json", "--directory", tmp_path),
        env=clean_environment({}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ended.stdout) == []
