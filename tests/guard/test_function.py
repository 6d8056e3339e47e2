"""A migration of RDS under the guard of a backup that the deployed function takes."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3.util.connection

from dbbackup.adapters.functions import LIMIT_SECONDS, call, make_patient_client
from dbbackup.cli import waiting
from dbbackup.core.errors import BackupInProgressError, InvalidRequestError
from dbbackup.core.naming import RECEIPT_SUFFIX, manifest_key, receipt_key
from dbbackup.core.receipt import Receipt, Status
from dbbackup.handlers.event import parse_event
from tests.guard.conftest import COMMIT
from tests.guard.lambda_service import LambdaService, lambda_service
from tests.support.command import Ended, dbbackup
from tests.support.function import Function

NAME = "ftry-test-backup"
_IDLE, _INTERVAL = socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL


@pytest.fixture
def service(function: Function, monkeypatch: pytest.MonkeyPatch) -> Iterator[LambdaService]:
    """The deployed function behind Lambda's API."""
    with lambda_service(function.invoke) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", running.endpoint)
        yield running


def guard(service: LambdaService, function: Function, *words: str, options: tuple[str, ...] = ()) -> Ended:
    """Guard a command on a machine that knows AWS and nothing of the database."""
    environment = {**function.bucket.aws.environment(), "AWS_ENDPOINT_URL_LAMBDA": service.endpoint}
    arguments = ("guard", "--function", NAME, "--commit", COMMIT, *options, "--", *words)
    return dbbackup(*arguments, environment=environment, folder=Path("/"))


def stored(function: Function) -> Receipt:
    """The only receipt in the bucket."""
    (key,) = [name for name in function.bucket.names() if name.endswith(RECEIPT_SUFFIX)]
    return Receipt.model_validate_json(function.bucket.body(key))


def test_the_function_takes_the_backup_and_the_command_runs_here(service: LambdaService, function: Function) -> None:
    done = guard(service, function, "echo", "migrated", options=("--bucket", function.bucket.name))
    assert (done.status, done.out) == (0, "migrated\n"), done.err
    ((name, event),) = service.events
    assert name == NAME
    assert event == {"tier": "pre-migration", "commit": COMMIT, "requested_by": event["requested_by"]}
    receipt = stored(function)
    assert (receipt.status, receipt.backup.instance) == (Status.SUCCEEDED, "ftry-test")
    assert receipt.commit is not None
    assert receipt.commit.id == COMMIT
    assert receipt.requested_by == event["requested_by"]
    assert f"{NAME} takes a backup" in done.err


def test_a_failed_command_leads_back_to_the_dump_and_to_the_moment(service: LambdaService, function: Function) -> None:
    done = guard(service, function, "sh", "-c", "exit 5")
    assert done.status == 5
    receipt = stored(function)
    moment = receipt.point_in_time.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert f"dbbackup restore {receipt.backup.location} --to {function.database.name}\n" in done.err
    assert f"dbbackup pitr restore {moment} --source ftry-test --system ftry-test\n" in done.err
    assert receipt.backup.location.startswith(f"s3://{function.bucket.name}/pre-migration/")


def test_a_failed_function_says_why_in_its_own_words(
    service: LambdaService, function: Function, tmp_path: Path
) -> None:
    function.store_secret(json.dumps({"username": "postgres", "password": "wrong"}))
    done = guard(service, function, "touch", str(tmp_path / "ran"))
    assert done.status == 1
    assert "the server refused the password" in done.err
    assert "The command was not run." in done.err
    assert not (tmp_path / "ran").exists()


def test_a_lost_answer_is_no_backup_and_is_not_asked_for_again(
    service: LambdaService, function: Function, tmp_path: Path
) -> None:
    service.hang_up = True
    done = guard(service, function, "touch", str(tmp_path / "ran"))
    assert done.status == 1
    assert "The command was not run." in done.err
    assert len(service.events) == 1
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"status": "created", "bucket": "b", "key": "daily/x.dump", "database": "d", "tier": "daily"},
        {"status": "restored"},
    ],
)
def test_an_answer_of_another_function_is_no_backup(
    service: LambdaService, function: Function, tmp_path: Path, answer: Any
) -> None:
    service.invoke = lambda _: answer
    done = guard(service, function, "touch", str(tmp_path / "ran"))
    assert done.status == 1
    assert "does not say that the backup which was asked for is there" in done.err
    assert not (tmp_path / "ran").exists()


def test_another_bucket_than_the_functions_is_refused(
    service: LambdaService, function: Function, tmp_path: Path
) -> None:
    done = guard(service, function, "touch", str(tmp_path / "ran"), options=("--bucket", "another"))
    assert done.status == 2
    assert "not into the bucket 'another'" in done.err
    assert not (tmp_path / "ran").exists()


def test_a_receipt_of_the_function_without_a_command(function: Function) -> None:
    event = {"tier": "pre-migration", "commit": COMMIT.upper(), "requested_by": "deploy 42"}
    answer = function.invoke(event)
    assert answer["receipt"] == receipt_key(answer["key"])
    receipt = stored(function)
    assert (receipt.status, receipt.command, receipt.requested_by) == (Status.BACKED_UP, None, "deploy 42")
    assert receipt.commit is not None
    assert (receipt.commit.id, receipt.commit.dirty) == (COMMIT, None)
    assert receipt.backup.sha256 == answer["sha256"]
    assert "receipt" not in function.invoke({"tier": "manual"})


def test_the_same_event_again_leaves_a_receipt_as_it_is(function: Function) -> None:
    event = {"tier": "pre-migration", "scheduled_time": "2026-01-11T02:00:00Z", "requested_by": "first"}
    answer = function.invoke(event)
    again = function.invoke({**event, "requested_by": "second"})
    assert (again["status"], again["receipt"]) == ("already-made", answer["receipt"])
    assert stored(function).requested_by == "first"
    assert function.bucket.versions(answer["receipt"]) == 1


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"tier": "pre-migration", "commit": "main"}, "commit"),
        ({"tier": "pre-migration", "commit": "abcdef"}, "commit"),
        ({"tier": "pre-migration", "commit": 1234567}, "commit"),
        ({"tier": "pre-migration", "requested_by": ""}, "requested_by"),
        ({"tier": "pre-migration", "requested_by": "x" * 301}, "requested_by"),
        ({"tier": "daily", "commit": COMMIT}, "go with tier pre-migration"),
        ({"tier": "daily", "requested_by": "me"}, "go with tier pre-migration"),
    ],
)
def test_an_event_that_is_refused(event: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        parse_event(event)


def test_a_manifest_that_is_gone_keeps_the_command_from_running(
    service: LambdaService, function: Function, tmp_path: Path
) -> None:
    def spoiled(event: dict[str, Any]) -> dict[str, Any]:
        answer = function.invoke(event)
        function.bucket.s3.delete_object(Bucket=function.bucket.name, Key=manifest_key(answer["key"]))
        return answer

    service.invoke = spoiled
    done = guard(service, function, "touch", str(tmp_path / "ran"))
    assert done.status == 1
    assert "no receipt and manifest that agree" in done.err
    assert not (tmp_path / "ran").exists()


def test_the_connection_is_kept_alive_and_waited_for(service: LambdaService, monkeypatch: pytest.MonkeyPatch) -> None:
    service.invoke = lambda _: {}
    kept: list[tuple[int, ...]] = []
    real = urllib3.util.connection.create_connection

    def connect(*arguments: Any, **named: Any) -> socket.socket:
        made: socket.socket = real(*arguments, **named)
        alive = made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        kept.append((alive, *(made.getsockopt(socket.IPPROTO_TCP, each) for each in (_IDLE, _INTERVAL))))
        return made

    monkeypatch.setattr(urllib3.util.connection, "create_connection", connect)
    client = make_patient_client()
    call(client, NAME, {})
    assert kept == [(1, 60, 30)]
    assert client.meta.config.read_timeout > LIMIT_SECONDS
    assert client.meta.config.retries["total_max_attempts"] == 1


def test_lines_tell_that_time_passes_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "LINE_SECONDS", 0.05)
    with waiting.waiting("f takes a backup", 42):
        time.sleep(0.2)
    first, *more = capsys.readouterr().err.splitlines()
    assert first == "f takes a backup; the last one took 42.0 s"
    assert more
    assert all(line.startswith("f takes a backup: ") for line in more)


def test_a_backup_of_the_function_without_a_command(service: LambdaService, function: Function) -> None:
    environment = {**function.bucket.aws.environment(), "AWS_ENDPOINT_URL_LAMBDA": service.endpoint}
    words = ("backup", "--function", NAME, "--tier", "pre-migration", "--commit", COMMIT)
    done = dbbackup(*words, "--json", environment=environment, folder=Path("/"))
    assert done.status == 0, done.err
    receipt = stored(function)
    assert (receipt.status, receipt.command) == (Status.BACKED_UP, None)
    assert done.document["receipt"]["backup"] == receipt.model_dump(mode="json")["backup"]
    assert done.document["manifest"]["archive"]["sha256"] == receipt.backup.sha256
    assert f"Receipt: s3://{function.bucket.name}/" in dbbackup(*words, environment=environment, folder=Path("/")).out
    daily = dbbackup("backup", "--function", NAME, "--tier", "daily", environment=environment, folder=Path("/"))
    assert daily.status == 2


def test_a_function_that_is_at_it_already_has_the_status_of_a_rival(
    service: LambdaService, function: Function, tmp_path: Path
) -> None:
    service.invoke = lambda _: raise_in_progress()
    done = guard(service, function, "touch", str(tmp_path / "ran"))
    assert done.status == 75
    assert not (tmp_path / "ran").exists()


def raise_in_progress() -> None:
    """As the function does."""
    raise BackupInProgressError("Another backup of this database is running.")
