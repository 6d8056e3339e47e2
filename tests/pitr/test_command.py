"""``dbbackup pitr`` in front of the synthesized functions."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from dbbackup import assembly_pitr
from dbbackup.adapters.functions import call
from dbbackup.assembly import TEXTFILE_VARIABLE
from dbbackup.cli.main import app
from dbbackup.cli.textfile import write_recovery
from dbbackup.core.errors import DbBackupError, InvalidRequestError
from dbbackup.core.exposition import samples_of
from dbbackup.core.pitr_errors import (
    FunctionFailedError,
    NotRestorableError,
    PromotionInProgressError,
    RestoredDataError,
)
from dbbackup.core.pitr_run import RecoveryRun
from dbbackup.core.units import format_time
from devtools.state_machine import Run, TaskFailedError
from tests.pitr.conftest import Recovery, log_to
from tests.support.rds_world import PROD

TARGET = "ftry-prod-restored"
DAY = timedelta(days=1)
QUICK = ("--poll", "0.01")


class Executions:
    """Runs each execution when it is first looked at, as Step Functions would have done meanwhile."""

    def __init__(self, recovery: Recovery) -> None:
        self._recovery = recovery
        self._looked: dict[str, int] = {}
        self._runs: dict[str, Run] = {}

    def document(self, arn: str) -> dict[str, Any] | None:
        found: dict[str, Any] = boto3.client("stepfunctions").describe_execution(executionArn=arn)
        if arn not in self._runs:
            with redirect_stdout(StringIO()):  # the functions run elsewhere, and so do their metrics
                self._runs[arn] = self._recovery.local.run(arn)
            return found
        run = self._runs[arn]
        self._recovery.world.end_execution(arn, run.status)
        return {
            **found,
            "status": run.status,
            "output": json.dumps(run.output),
            "error": run.error,
            "cause": run.cause,
            "stopDate": run.now,
        }

    def last_state(self, arn: str) -> str | None:
        return self._runs[arn].states[-1]


class Client:
    """Lambda's client, with one answer."""

    def __init__(self, **answer: Any) -> None:
        self._answer = answer

    def invoke(self, **_: Any) -> dict[str, Any]:
        return self._answer


@pytest.fixture
def terminal(recovery: Recovery, monkeypatch: pytest.MonkeyPatch) -> Recovery:
    """A terminal in front of the deployed functions."""

    def answered(name: str, event: Mapping[str, Any]) -> Any:
        try:
            return recovery.local.invoke(name.removeprefix("ftry-prod-pitr-"), dict(event))
        except TaskFailedError as failed:
            cause = json.loads(failed.cause)
            document = json.dumps({"errorType": failed.error, "errorMessage": cause["errorMessage"]}).encode()
            return call(Client(Payload=BytesIO(document), FunctionError="Unhandled"), name, event)

    log_to(StringIO())
    executions = Executions(recovery)
    monkeypatch.setattr(assembly_pitr, "call_function", answered)
    original = assembly_pitr.executions
    monkeypatch.setattr(assembly_pitr, "executions", lambda arn: executions if ":execution:" in arn else original(arn))
    monkeypatch.setenv("DBBACKUP_SYSTEM", "ftry-prod")
    return recovery


def pitr(*arguments: str) -> Result:
    return CliRunner().invoke(app, ("pitr", *arguments))


def two_hours_ago(recovery: Recovery) -> str:
    return format_time(recovery.world.latest - timedelta(hours=2))


def test_window(terminal: Recovery) -> None:
    shown = pitr("window", PROD)
    assert shown.exit_code == 0, shown.output
    assert format_time(terminal.world.earliest) in shown.output
    document = json.loads(pitr("window", PROD, "--json").stdout)
    assert document["restorable_window"]["latest"] == format_time(terminal.world.latest)
    assert 0 < document["estimate"]["low_seconds"] < document["estimate"]["high_seconds"]


def test_restore_promote_and_back(terminal: Recovery) -> None:
    shown = pitr("restore", two_hours_ago(terminal), "--target", TARGET, *QUICK)
    assert shown.exit_code == 0, shown.output
    assert f"✅ {TARGET} is verified: 1 tables" in shown.stdout
    shown = pitr("promote", TARGET, "--confirm", PROD, *QUICK)
    assert shown.exit_code == 0, shown.output
    assert "✅ promoted" in shown.stdout
    shown = pitr("rollback", "--confirm", PROD, "--json", *QUICK)
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["report"]["status"] == "rolled-back"
    assert set(terminal.world.databases) == {PROD, TARGET}


def test_restore_without_waiting_says_how_to_follow(terminal: Recovery) -> None:
    shown = pitr("restore", "latest", "--no-wait", "--json")
    document = json.loads(shown.stdout)
    assert document["status"] == "started"
    status = json.loads(pitr("status", document["execution_arn"], "--json").stdout)
    assert status["status"] == "RUNNING"


def test_a_failed_execution_fails_the_command(terminal: Recovery) -> None:
    terminal.database.execute("DROP TABLE orders")
    shown = pitr("restore", two_hours_ago(terminal), *QUICK)
    assert isinstance(shown.exception, RestoredDataError), "by its own name, as Prometheus tells it"
    assert "did not pass its verification" in str(shown.exception)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that node_exporter reads."""
    monkeypatch.setenv(TEXTFILE_VARIABLE, str(tmp_path))
    return tmp_path


def told_of(folder: Path, operation: str) -> dict[str, float]:
    """Values of a file by the end of the metric's name, and by the error where there is one."""
    found = samples_of((folder / f"dbbackup_pitr_ftry-prod_{operation}.prom").read_text())
    assert {sample.labels[:3] for sample in found} == {("ftry-prod", operation, "run")}
    return {
        "|".join((sample.family.name.removeprefix("dbbackup_pitr_"), *sample.labels[3:])): sample.value
        for sample in found
    }


def test_prometheus_is_told_how_recoveries_ended_and_what_they_achieved(terminal: Recovery, told: Path) -> None:
    shown = pitr("restore", two_hours_ago(terminal), "--target", TARGET, "--json", *QUICK)
    report = json.loads(shown.stdout)["report"]
    values = told_of(told, "restore")
    assert values["last_run_success"] == 1
    assert values["last_success_timestamp_seconds"] == values["last_run_timestamp_seconds"]
    assert values["recovery_time_seconds"] == report["recovery_time_seconds"] > 0
    assert values["duration_seconds"] >= report["recovery_time_seconds"]
    assert format_time(datetime.fromtimestamp(values["recovery_point_timestamp_seconds"], UTC)) == two_hours_ago(
        terminal
    )
    assert "recovery_point_age_seconds" not in values, "of a chosen moment it is what was asked for"

    assert pitr("promote", TARGET, "--confirm", PROD, *QUICK).exit_code == 0
    assert pitr("rollback", "--confirm", PROD, *QUICK).exit_code == 0
    for operation in ("promote", "rollback"):
        values = told_of(told, operation)
        assert (values["last_run_success"], values["duration_seconds"] > 0) == (1, True)
        assert "recovery_time_seconds" not in values


def test_a_restore_to_the_latest_moment_tells_how_much_would_have_been_lost(terminal: Recovery, told: Path) -> None:
    shown = pitr("restore", "latest", "--json", *QUICK)
    age = told_of(told, "restore")["recovery_point_age_seconds"]
    assert age == json.loads(shown.stdout)["report"]["recovery_point_age_seconds"]


def test_a_recovery_that_nobody_waited_for_is_told_of_when_its_end_is_seen(terminal: Recovery, told: Path) -> None:
    arn = json.loads(pitr("restore", "latest", "--no-wait", "--json").stdout)["execution_arn"]
    pitr("status", arn)
    assert list(told.iterdir()) == [], "it runs, and how it ends is not known"
    pitr("status", arn)
    assert told_of(told, "restore")["last_run_success"] == 1


def test_a_recovery_that_failed_keeps_what_is_known_of_the_good_one(terminal: Recovery, told: Path) -> None:
    pitr("restore", two_hours_ago(terminal), "--target", TARGET, *QUICK)
    good = told_of(told, "restore")
    terminal.database.execute("DROP TABLE orders")
    pitr("restore", two_hours_ago(terminal), "--target", "ftry-prod-second", *QUICK)
    values = told_of(told, "restore")
    assert (values["last_run_success"], values["last_run_failure_info|restored-data"]) == (0, 1)
    kept = ("last_success_timestamp_seconds", "recovery_time_seconds", "duration_seconds")
    assert {name: values[name] for name in kept} == {name: good[name] for name in kept}


def test_a_recovery_that_was_refused_is_a_failed_one(terminal: Recovery, told: Path) -> None:
    pitr("restore", "latest", "--target", "ftry-prod-other", "--source", "ftry-prod-none")
    assert told_of(told, "restore")["last_run_failure_info|source-missing"] == 1
    pitr("promote", "ftry-prod-none", "--confirm", PROD)
    assert told_of(told, "promote")["last_run_failure_info|instance-missing"] == 1


def test_an_old_recovery_that_somebody_looks_at_does_not_hide_a_later_one(told: Path) -> None:
    late = datetime(2025, 1, 11, 14, 30, tzinfo=UTC)
    for run in (RecoveryRun("ftry-prod", "restore", late), RecoveryRun("ftry-prod", "restore", late - DAY, error="x")):
        write_recovery(run, os.environ)
    assert told_of(told, "restore")["last_run_success"] == 1


def test_what_was_not_understood_or_made_way_is_no_failed_recovery(terminal: Recovery, told: Path) -> None:
    pitr("restore", "2025-01-11T14:30:00")
    pitr("restore", two_hours_ago(terminal), "--target", TARGET, *QUICK)
    pitr("promote", TARGET, "--confirm", PROD, "--no-wait")
    pitr("promote", "ftry-prod-other", "--confirm", PROD)
    assert [path.name for path in told.iterdir()] == ["dbbackup_pitr_ftry-prod_restore.prom"]


def test_a_folder_that_is_not_there_fails_no_recovery(terminal: Recovery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TEXTFILE_VARIABLE, "/nonexistent")
    shown = pitr("restore", "latest", *QUICK)
    assert shown.exit_code == 0
    assert "Prometheus was not told" in shown.stderr


def test_what_was_not_understood_has_its_own_status(terminal: Recovery) -> None:
    shown = pitr("restore", "2025-01-11T14:30:00")
    assert isinstance(shown.exception, InvalidRequestError)
    assert "has no zone" in str(shown.exception)


def test_another_promotion_has_its_own_status(terminal: Recovery) -> None:
    pitr("restore", two_hours_ago(terminal), "--target", TARGET, *QUICK)
    assert pitr("promote", TARGET, "--confirm", PROD, "--no-wait").exit_code == 0
    shown = pitr("promote", "ftry-prod-other", "--confirm", PROD)
    assert isinstance(shown.exception, PromotionInProgressError)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("invalid-request", 2),
        ("outside-window", 2),
        ("in-progress", 75),
        ("promotion-in-progress", 75),
        ("verification-failed", 1),
    ],
)
def test_a_failure_of_a_function_keeps_its_exit_status(kind: str, status: int) -> None:
    failed = BytesIO(json.dumps({"errorType": kind, "errorMessage": "its words"}).encode())
    with pytest.raises(DbBackupError, match="its words") as raised:
        call(Client(Payload=failed, FunctionError="Unhandled"), "f", {})
    assert raised.value.exit_status == status


def test_the_adapter_tells_a_failed_function_from_an_answer() -> None:
    assert call(Client(Payload=BytesIO(b'{"a": 1}')), "f", {}) == {"a": 1}
    failed = BytesIO(b'{"errorType": "not-restorable", "errorMessage": "too old"}')
    with pytest.raises(NotRestorableError, match="too old"):
        call(Client(Payload=failed, FunctionError="Unhandled"), "f", {})
    gone = BytesIO(b'{"errorType": "Runtime.ExitError", "errorMessage": "signal: killed"}')
    with pytest.raises(FunctionFailedError, match=r"Runtime\.ExitError: signal: killed"):
        call(Client(Payload=gone, FunctionError="Unhandled"), "f", {})
