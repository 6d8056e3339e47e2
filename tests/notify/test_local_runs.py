"""Local runs tell Slack how they ended, and end as they would without it."""

from __future__ import annotations

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
from tests.support.command import Ended, dbbackup
from tests.support.databases import Database
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
    assert "❌ Backup failed: nowhere" in text
    assert "nowhere" in text


def test_what_was_not_understood_is_told_nobody(database: Database, tmp_path: Path) -> None:
    with misbehaving_slack() as slack:
        ended = _run(database, slack.url, "backup", "--directory", tmp_path, "--bucket", "both")
    assert ended.status == 2
    assert slack.received == []


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
