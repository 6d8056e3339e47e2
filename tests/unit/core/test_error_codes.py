"""One name for one error: the same word wherever a failure is told, logged, counted or decided by."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import IO, Any, cast

import pytest
from aws_lambda_powertools import Logger
from typer.testing import CliRunner

import dbbackup
from dbbackup.adapters.functions import call
from dbbackup.cli.pitr_metrics import refusals_told
from dbbackup.contract_notification import Kind, Outcome
from dbbackup.contract_pitr import Repeated
from dbbackup.core.error_codes import ERRORS
from dbbackup.core.errors import (
    ConnectionFailedError,
    DbBackupError,
    Explained,
    InterruptedRunError,
    InvalidRequestError,
    StorageError,
)
from dbbackup.core.exposition_pitr import after_recovery
from dbbackup.core.exposition_run import after_run
from dbbackup.core.notification import Failure, Notification
from dbbackup.core.pitr_errors import AwsUnreachableError, InstanceBusyError, PromotionInProgressError, ThrottledError
from dbbackup.core.pitr_run import run_of
from dbbackup.handlers.pitr_task import logged
from dbbackup.operations.pitr_end import reason_of
from tests.pitr.conftest import Stdout, log_to


def _all() -> Iterator[type[Explained]]:
    """Every kind of failure that is defined anywhere in the package."""
    for module in pkgutil.walk_packages(dbbackup.__path__, "dbbackup."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting: list[type[Explained]] = [Explained]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind is not Explained and kind.__module__.startswith("dbbackup."):
            yield kind


KINDS = sorted(set(_all()), key=lambda kind: kind.__qualname__)
OURS = [kind for kind in KINDS if issubclass(kind, DbBackupError)]
each_of_ours = pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__qualname__)


def lambda_says(error: BaseException) -> dict[str, str]:
    """What Lambda's runtime for Python reports of an exception."""
    return {"errorType": type(error).__name__, "errorMessage": str(error)}


def execution(error: str) -> dict[str, Any]:
    """A failed execution, as Step Functions describes it."""
    arn = "arn:aws:states:us-east-1:123456789012:execution:ftry-prod-pitr:x"
    now = datetime.now(UTC)
    return {"executionArn": arn, "status": "FAILED", "error": error, "cause": "-", "startDate": now, "stopDate": now}


def test_there_are_as_many_codes_as_kinds() -> None:
    assert len(KINDS) > 40
    codes = [kind.code for kind in KINDS]
    assert sorted(set(codes)) == sorted(codes)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__qualname__)
def test_each_kind_has_a_code_of_its_own_and_no_other_name(kind: type[Explained]) -> None:
    assert "code" in vars(kind) or kind is DbBackupError, "it would be told apart from its parent by nobody"
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)
    assert kind.__name__ == kind.code


def test_every_kind_is_found_by_its_code() -> None:
    assert set(ERRORS.values()) == set(OURS)


@each_of_ours
def test_what_a_function_ends_with_is_that_failure_wherever_it_is_told(
    kind: type[DbBackupError], capsys: pytest.CaptureFixture[str]
) -> None:
    failure, code = kind("It broke.", untouched="All is well.", action="Mend it."), kind.code

    def fail() -> dict[str, Any]:
        raise failure

    log_to(Stdout())
    with pytest.raises(kind) as raised:
        logged("a step", {"step": "status"}, fail)
    assert json.loads(capsys.readouterr().out)["error"] == code, "the log line"
    said = lambda_says(raised.value)
    caught = {"Error": said["errorType"], "Cause": json.dumps(said)}
    assert reason_of(caught)["error"] == code, "the state machine and what it tells people"
    run = run_of(execution(said["errorType"]))
    assert run is not None
    assert [sample.labels[-1] for sample in after_recovery(run, ()) if sample.family.name.endswith("_info")] == [code]
    answer = {"Payload": BytesIO(json.dumps(said).encode()), "FunctionError": "Unhandled"}
    client = type("Client", (), {"invoke": lambda _self, **_: answer})()
    with pytest.raises(kind) as remote:
        call(client, "f", {})
    assert type(remote.value) is kind, "the terminal that called it"
    assert remote.value.exit_status == kind.exit_status
    assert remote.value.as_dict()["error"] == code, "its JSON"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__qualname__)
def test_a_run_on_this_machine_is_told_under_the_same_name(kind: type[Explained]) -> None:
    error = kind("It broke.")
    assert isinstance(error, BaseException)
    told = Failure.of(error)
    assert told.error == kind.code
    notification = Notification(kind=Kind.BACKUP, outcome=Outcome.FAILED, database="ftry", failure=told)
    assert [sample.labels[-1] for sample in after_run(notification, ()) if sample.family.name.endswith("_info")] == [
        kind.code
    ]


@each_of_ours
def test_a_refused_request_is_counted_under_the_same_name(
    kind: type[DbBackupError], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Any] = []
    monkeypatch.setattr("dbbackup.cli.pitr_metrics.write_recovery", lambda run, _environ: written.append(run))
    with pytest.raises(kind), refusals_told("ftry-prod", "restore"):
        raise kind("It broke.")
    no_run = (InvalidRequestError, PromotionInProgressError)
    assert [run.error for run in written] == ([] if issubclass(kind, no_run) else [kind.code])


@each_of_ours
def test_a_logged_exception_has_the_same_name(kind: type[DbBackupError], capsys: pytest.CaptureFixture[str]) -> None:
    log = Logger(service="a-test", stream=cast("IO[str]", Stdout()))
    try:
        raise kind("It broke.")
    except DbBackupError:
        log.exception("failed")
    assert json.loads(capsys.readouterr().out)["exception_name"] == kind.code


def test_an_end_that_is_none_of_ours_is_an_execution_that_failed() -> None:
    for name in ("States.Timeout", "KeyError", "RestoredDataError", ""):
        run = run_of(execution(name))
        assert run is not None
        assert run.error == "execution-failed"


def test_what_the_machines_repeat_are_codes() -> None:
    kinds = {ThrottledError, InstanceBusyError, AwsUnreachableError, ConnectionFailedError, StorageError}
    assert {kind.code for kind in kinds} == {each.value for each in Repeated}


def test_the_command_ends_with_the_code_of_its_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    from dbbackup import assembly_pitr
    from dbbackup.cli.main import app

    class Runs:
        def document(self, _arn: str) -> dict[str, Any]:
            return execution("restored-data")

    answer = {"execution_arn": "x", "target": "t", "restore_time": "now", "estimate": {}}
    monkeypatch.setattr(assembly_pitr, "executions", lambda _arn: Runs())
    monkeypatch.setattr(assembly_pitr, "call_function", lambda _name, _event: answer)
    shown = CliRunner().invoke(app, ("pitr", "restore", "latest", "--system", "ftry-prod", "--json"))
    assert isinstance(shown.exception, DbBackupError)
    assert shown.exception.as_dict()["error"] == "restored-data"


def test_an_interruption_is_no_exception_and_has_a_code_too() -> None:
    assert InterruptedRunError.__name__ == "interrupted"
    assert not issubclass(InterruptedRunError, Exception)
