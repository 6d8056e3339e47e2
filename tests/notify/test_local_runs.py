"""Local runs tell Slack how they ended, and end as they would without it."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

import pytest

from dbbackup.cli import slack as cli_slack
from dbbackup.cli.slack import tell_slack
from dbbackup.contract_notification import Kind, Outcome
from dbbackup.core.errors import InterruptedRunError
from dbbackup.core.message import Message
from dbbackup.core.notification import Notification
from tests.support.command import PROGRAM, Ended, clean_environment, dbbackup
from tests.support.databases import Database
from tests.support.halting import start_halting
from tests.support.misbehaving_slack import Answer, drop_by_drop, misbehaving_slack, status

TOLD = Notification(kind=Kind.BACKUP, outcome=Outcome.SUCCEEDED, database="d")


def _run(database: Database, webhook: str, *arguments: str | Path, **more: str) -> Ended:
    return dbbackup(*arguments, environment={**database.environment(), "SLACK_WEBHOOK_URL": webhook, **more})


def test_backup_restore_and_rehearsal_tell_how_they_ended(database: Database, tmp_path: Path) -> None:
    with misbehaving_slack() as slack:
        first = _run(database, slack.url, "backup", "--directory", tmp_path, "--tier", "daily")
        again = _run(database, slack.url, "backup", "--directory", tmp_path, "--tier", "daily")
        plan = _run(database, slack.url, "restore", "latest", "--directory", tmp_path, "--plan")
        restore = _run(database, slack.url, "restore", "latest", "--directory", tmp_path, "--yes")
        drill = _run(database, slack.url, "drill", "--directory", tmp_path)
    for ended in (first, again, plan, restore, drill):
        assert ended.status == 0, ended.err
        assert "Slack" not in ended.err
        assert "SECRET" not in ended.out + ended.err
    titles = [message["text"].split(":")[0] for message in slack.received]
    assert titles == ["✅ Backup verified", "✅ Backup verified", "✅ Database restored", "✅ Rehearsal passed"]
    texts = slack.texts()
    assert f"✅ Backup verified: {database.name}" in texts[0]
    assert "*Rows*\n3 in 1 tables" in texts[0]
    assert "%" not in texts[0]
    assert "*Size*" in texts[1]
    assert "unchanged" in texts[1] or "%" in texts[1]


def test_a_failure_is_told_with_what_to_do(database: Database, tmp_path: Path) -> None:
    with misbehaving_slack() as slack:
        ended = _run(database, slack.url, "backup", "--directory", tmp_path, POSTGRES_DB="nowhere")
    assert ended.status == 1
    (text,) = slack.texts()
    assert f"❌ Backup failed: nowhere on {socket.gethostname()}" in text
    assert "nowhere" in text


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (("backup", "--directory", "x", "--bucket", "both"), {}, "Both a directory and a bucket are named."),
        (("backup",), {"POSTGRES_HOST": "", "DATABASE_URL": "postgres//SECRET"}, "DATABASE_URL"),
        (("backup",), {"POSTGRES_PORT": "54x2"}, "POSTGRES_PORT"),
        (("backup",), {"BACKUP_COMPRESSION": "zst"}, "BACKUP_COMPRESSION"),
        (("backup",), {"RETENTION_DAYS": "30d"}, "RETENTION_DAYS"),
        (("backup", "--directory", "a-file"), {}, "--directory"),
        (("backup", "--directry", "x"), {}, "--directry"),
        (("drill",), {"POSTGRES_PORT": "54x2"}, "POSTGRES_PORT"),
    ],
    ids=["both-places", "url", "port", "compression", "retention", "file", "no-option", "drill"],
)
def test_a_job_whose_settings_are_garbled_is_no_silent_one(
    database: Database, tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    (tmp_path / "a-file").touch()
    with misbehaving_slack() as slack:
        given = {**database.environment(), "SLACK_WEBHOOK_URL": slack.url, **environment}
        ended = dbbackup(*arguments, environment=given, folder=tmp_path)
    assert ended.status == 2
    (text,) = slack.texts()
    kind = "Rehearsal" if arguments[0] == "drill" else "Backup"
    assert f"❌ {kind} failed on {socket.gethostname()}" in text
    assert said in text
    assert "`invalid-request`" in text
    assert "SECRET" not in text


def test_what_was_not_understood_on_a_terminal_is_told_nobody(database: Database, tmp_path: Path) -> None:
    terminal, end = pty.openpty()
    try:
        with misbehaving_slack() as slack:
            given = {**database.environment(), "SLACK_WEBHOOK_URL": slack.url, "RETENTION_DAYS": "30d"}
            ended = subprocess.run(
                (PROGRAM, "backup", "--directory", tmp_path),
                env=clean_environment(given),
                stdin=end,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
    finally:
        os.close(terminal)
        os.close(end)
    assert ended.returncode == 2
    assert "RETENTION_DAYS" in ended.stderr
    assert slack.received == []


def test_a_backup_before_a_migration_without_its_receipt_is_told_as_the_failure_that_it_is(
    database: Database, tmp_path: Path
) -> None:
    """What is in the way of the receipt: a folder of its name cannot be replaced by a file."""
    point = "dbbackup.cli.backup:leave_receipt:before::1"
    with misbehaving_slack() as slack:
        given = {**database.environment(), "SLACK_WEBHOOK_URL": slack.url}
        running = start_halting(point, "backup", "--tier", "pre-migration", "--directory", tmp_path, environment=given)
        (manifest,) = tmp_path.glob("*.manifest.json")
        tmp_path.joinpath(manifest.name.replace(".manifest.", ".receipt.")).mkdir()
        running.send_signal(signal.SIGCONT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 1, err
    (text,) = slack.texts()
    assert f"❌ Backup failed: {database.name}" in text


@pytest.mark.parametrize(
    ("successes", "sent", "warned"),
    [("all", 1, False), ("none", 0, False), ("first-after-failure", 1, True)],
    ids=["all", "none", "not-known-here"],
)
def test_successes_of_local_runs_are_told_as_wanted(
    database: Database, tmp_path: Path, successes: str, sent: int, warned: bool
) -> None:
    more = {"SLACK_SUCCESSES": successes}
    with misbehaving_slack() as slack:
        ended = _run(database, slack.url, "backup", "--directory", tmp_path, **more)
        assert len(slack.received) == sent
        failed = _run(database, slack.url, "backup", "--directory", tmp_path, POSTGRES_DB="nowhere", **more)
    assert (ended.status, failed.status) == (0, 1)
    assert ("neither all nor none" in ended.err) == warned
    assert len(slack.received) == sent + 1


@pytest.mark.parametrize("trouble", [status(404, "no_service"), status(503, Retry_After="60")], ids=["404", "503"])
def test_a_slack_that_fails_is_one_warning_and_the_backup_is_there(
    database: Database, tmp_path: Path, trouble: Answer
) -> None:
    with misbehaving_slack(trouble) as slack:
        ended = _run(database, slack.url, "backup", "--directory", tmp_path, "--json")
    assert ended.status == 0
    assert ended.document["status"] == "created"
    assert ended.err.count("⚠️") == 1
    assert "Slack was not told" in ended.err
    assert "SECRET" not in ended.err


def test_a_webhook_that_is_none_is_refused_loudly_and_the_backup_is_made(database: Database, tmp_path: Path) -> None:
    ended = _run(database, "hooks.slack.com/SECRET", "backup", "--directory", tmp_path)
    assert ended.status == 0
    assert "✅ Backup created" in ended.out
    assert "SLACK_WEBHOOK_URL" in ended.err
    assert "begins with https://" in ended.err
    assert "SECRET" not in ended.err


def test_a_run_does_not_wait_long_for_slack(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli_slack.LONGEST_SECONDS <= 10
    monkeypatch.setattr(cli_slack, "LONGEST_SECONDS", 0.3)
    began = monotonic()
    with misbehaving_slack(drop_by_drop(3)) as slack:
        tell_slack(TOLD, {"SLACK_WEBHOOK_URL": slack.url})
    assert monotonic() - began < 2
    assert "Slack was not told" in capsys.readouterr().err


@pytest.mark.parametrize("environment", [{}, {"SLACK_WEBHOOK_URL": ""}, {"SLACK_WEBHOOK_URL": "  "}])
def test_without_a_webhook_nothing_is_said(environment: Mapping[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    tell_slack(TOLD, environment)
    assert capsys.readouterr().err == ""


def test_a_defect_in_telling_is_a_warning_and_a_stop_is_a_stop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dbbackup import assembly_notify

    def defect(_: Notification) -> Message:
        raise KeyError("SECRET")

    def stopped(_: Notification) -> Message:
        raise InterruptedRunError("Stopped by SIGTERM.")

    monkeypatch.setattr(assembly_notify, "local_message", defect)
    tell_slack(TOLD, {"SLACK_WEBHOOK_URL": "https://hooks.example.com/x"})
    error = capsys.readouterr().err
    assert "KeyError" in error
    assert "SECRET" not in error
    monkeypatch.setattr(assembly_notify, "local_message", stopped)
    with pytest.raises(InterruptedRunError):
        tell_slack(TOLD, {"SLACK_WEBHOOK_URL": "https://hooks.example.com/x"})
