"""Runs that Lambda ended without a word of ours are told from the lines that Lambda writes."""

from __future__ import annotations

import json

import pytest

from dbbackup.contract_notification import KILLED_FILTER, Kind, killed_filter_name
from tests.support.misbehaving_slack import OK, MisbehavingSlack, status
from tests.support.notifier import Notifier, log_event

REQUEST = "6f747a63-2b7d-4a3c-9a59-bf2f2ad4f0a1"
OTHER = "0d2c0a3e-9f0b-4d5e-8a77-1b1f1c3a9e10"
TIMED_OUT = f"2026-01-11T02:15:00.123Z {REQUEST} Task timed out after 900.10 seconds\n\n"
EXITED = f"RequestId: {REQUEST} Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n"
CRASHED = f"RequestId: {REQUEST} Error: Runtime exited with error: exit status 1\nRuntime.ExitError\n"


def report(status: str = "", *, used: int = 400, request: str = REQUEST) -> str:
    """The last line of an invocation in the text format."""
    end = f"Status: {status}\t\n" if status else "\n"
    return (
        f"REPORT RequestId: {request}\tDuration: 900000.00 ms\tBilled Duration: 900000 ms\t"
        f"Memory Size: 1769 MB\tMax Memory Used: {used} MB\t{end}XRAY TraceId: 1-5e\tSegmentId: 0\tSampled: true\t\n"
    )


def json_report(status: str, error: str | None = None, *, used: int = 400) -> str:
    """The same in the JSON format."""
    record = {
        "requestId": REQUEST,
        "metrics": {"durationMs": 900000.0, "memorySizeMB": 1769, "maxMemoryUsedMB": used},
        "status": status,
        **({"errorType": error} if error else {}),
    }
    return json.dumps({"time": "2026-01-11T02:15:00.123Z", "type": "platform.report", "record": record})


TIME, MEMORY, CRASH = "its time was over", "its memory was used up", "ended without an answer"


def tell(notifier: Notifier, *lines: str, kind: Kind = Kind.BACKUP) -> int:
    """How many messages the lines of one delivery become."""
    group = f"/aws/lambda/ftry-test-{kind.value}"
    answer = notifier.invoke(log_event(list(lines), group=group, subscription=killed_filter_name(kind)))
    return int(answer["sent"])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([TIMED_OUT], TIME),
        ([report("timeout")], TIME),
        ([TIMED_OUT, report("timeout")], TIME),
        ([json_report("timeout")], TIME),
        ([EXITED], MEMORY),
        ([EXITED, report("error\tError Type: Runtime.ExitError")], MEMORY),
        ([report("error\tError Type: Runtime.ExitError", used=1769)], MEMORY),
        ([report("error\tError Type: Runtime.OutOfMemory")], MEMORY),
        ([json_report("error", "Runtime.OutOfMemory")], MEMORY),
        ([json_report("failure", "Runtime.ExitError", used=1769)], MEMORY),
        ([CRASHED, report("error\tError Type: Runtime.ExitError")], CRASH),
        ([json_report("error", "Runtime.ExitError")], CRASH),
    ],
    ids=[
        *("text-time", "report-time", "both-time", "json-time", "text-memory", "both-memory", "report-full"),
        *("report-memory", "json-memory", "json-full", "both-crash", "json-crash"),
    ],
)
def test_each_killed_run_is_one_message_that_says_what_ended_it(
    notifier: Notifier, slack: MisbehavingSlack, lines: list[str], said: str
) -> None:
    assert tell(notifier, *lines) == 1
    (text,) = slack.texts()
    for part in (
        "❌ Backup run was killed: ftry-test-backup",
        said,
        "Without a manifest nothing of it counts as a backup",
        "repeated by itself",
        f"`{REQUEST}`",
        "|log>",
        "<https://wiki.example.com/runbooks/backup-failed.md|runbook>",
        "On-Call: oncall@example.com",
    ):
        assert part in text


@pytest.mark.parametrize(
    "line",
    [
        report(),
        json_report("success"),
        json_report("failure", "Function.ValueError"),
        json.dumps({"level": "ERROR", "message": "Task timed out after all", "notification": {"kind": "backup"}}),
        json.dumps({"message": f"RequestId: {REQUEST} Error: Runtime exited with error"}),
        "platform.report",
        json.dumps({"type": "platform.report", "record": None}),
    ],
    ids=["well", "json-well", "json-raised", "our-own-line", "quoted", "word", "no-record"],
)
def test_what_speaks_of_no_killed_run_is_no_message(notifier: Notifier, slack: MisbehavingSlack, line: str) -> None:
    assert tell(notifier, line) == 0
    assert slack.received == []


def test_two_killed_runs_are_two_messages(notifier: Notifier, slack: MisbehavingSlack) -> None:
    assert tell(notifier, TIMED_OUT, report("timeout"), report("timeout", request=OTHER)) == 2


def test_a_killed_restore_says_what_became_of_the_database(notifier: Notifier, slack: MisbehavingSlack) -> None:
    assert tell(notifier, EXITED, kind=Kind.RESTORE) == 1
    (text,) = slack.texts()
    assert "❌ Restore run was killed: ftry-test-restore" in text
    assert "The database is as it was, unless the log says that names were exchanged" in text
    assert "repeated by itself" not in text
    assert "/restore.md|runbook>" in text


@pytest.mark.parametrize(
    "line",
    [TIMED_OUT, EXITED, CRASHED, report("timeout"), json_report("timeout")],
    ids=["time", "memory", "crash", "report", "json"],
)
def test_the_pattern_of_the_subscription_finds_each_line(line: str) -> None:
    """Terms with a question mark before them: one is enough."""
    terms = [term.strip() for term in KILLED_FILTER.replace("?", "").split('"') if term.strip()]
    assert any(term in line for term in terms)
    assert not any(term in report() for term in terms), "a run that ended by itself starts no notifier"


def test_of_two_killed_runs_only_the_one_that_slack_did_not_take_comes_again(
    notifier: Notifier, slack: MisbehavingSlack
) -> None:
    slack.answers[:] = [OK, status(404, "no_service"), OK]
    assert tell(notifier, TIMED_OUT, report("timeout"), report("timeout", request=OTHER)) == 1
    (again,) = notifier.kept()
    slack.received.clear()
    assert notifier.invoke(again)["sent"] == 1
    (text,) = (json.dumps(message) for message in slack.received)
    assert OTHER in text
    assert REQUEST not in text
