"""``dbbackup pitr`` in front of the synthesized functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import redirect_stdout
from datetime import timedelta
from io import BytesIO, StringIO
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from dbbackup import assembly_pitr
from dbbackup.adapters.functions import call
from dbbackup.cli.main import app
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.pitr_errors import ExecutionFailedError, FunctionFailedError, PromotionInProgressError
from dbbackup.core.units import format_time
from devtools.state_machine import Run, TaskFailedError
from tests.pitr.conftest import Recovery, log_to
from tests.support.rds_world import PROD

TARGET = "ftry-prod-restored"
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


@pytest.fixture
def terminal(recovery: Recovery, monkeypatch: pytest.MonkeyPatch) -> Recovery:
    """A terminal in front of the deployed functions."""

    def answered(name: str, event: Mapping[str, Any]) -> Any:
        try:
            return recovery.local.invoke(name.removeprefix("ftry-prod-pitr-"), dict(event))
        except TaskFailedError as failed:
            status = {"OutsideWindowError": 2, "InvalidRequestError": 2, "PromotionInProgressError": 75}
            message = json.loads(failed.cause)["errorMessage"]
            raise FunctionFailedError(message, kind=failed.error, status=status.get(failed.error, 1)) from failed

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
    assert isinstance(shown.exception, ExecutionFailedError)
    assert "did not pass its verification" in str(shown.exception)


def test_what_was_not_understood_has_its_own_status(terminal: Recovery) -> None:
    shown = pitr("restore", "2025-01-11T14:30:00")
    assert isinstance(shown.exception, InvalidRequestError)
    assert "has no zone" in str(shown.exception)


def test_another_promotion_has_its_own_status(terminal: Recovery) -> None:
    pitr("restore", two_hours_ago(terminal), "--target", TARGET, *QUICK)
    assert pitr("promote", TARGET, "--confirm", PROD, "--no-wait").exit_code == 0
    shown = pitr("promote", "ftry-prod-other", "--confirm", PROD)
    assert isinstance(shown.exception, PromotionInProgressError)


def test_the_adapter_tells_a_failed_function_from_an_answer(recovery: Recovery) -> None:
    class Client:
        def __init__(self, **answer: Any) -> None:
            self._answer = answer

        def invoke(self, **_: Any) -> dict[str, Any]:
            return self._answer

    assert call(Client(Payload=BytesIO(b'{"a": 1}')), "f", {}) == {"a": 1}
    failed = BytesIO(b'{"errorType": "OutsideWindowError", "errorMessage": "too late"}')
    with pytest.raises(FunctionFailedError, match="too late") as raised:
        call(Client(Payload=failed, FunctionError="Unhandled"), "f", {})
    assert raised.value.status == 2
