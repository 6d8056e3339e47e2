"""A service of AWS does not answer, and somebody gives up waiting for it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from dbbackup.adapters.foreground import Foreground
from dbbackup.adapters.told_to_stop import TOLD
from dbbackup.core.errors import InterruptedRunError
from dbbackup.core.receipt import Status
from tests.guard.conftest import Place, environment_of
from tests.guard.lambda_service import lambda_service
from tests.support.buckets import Bucket
from tests.support.command import start_dbbackup
from tests.support.databases import Database
from tests.support.proxy import Breaking, breaking_proxy

RAN = "THE COMMAND RAN"
_FUNCTION = "ftry-test-backup"


@dataclass
class Stall:
    """One request, and those after it, wait until they are let go."""

    proxy: Breaking
    verb: str = ""
    contains: str = ""
    passed_over: int = 0
    reached: threading.Event = field(default_factory=threading.Event)
    answered: threading.Event = field(default_factory=threading.Event)

    def wait(self, verb: str, path: str) -> None:
        """Called before each request is passed on."""
        if not self.reached.is_set():
            if verb != self.verb or self.contains not in path:
                return
            if self.passed_over:
                self.passed_over -= 1
                return
        self.reached.set()
        self.answered.wait(60)


@pytest.fixture
def stall(bucket: Bucket) -> Iterator[Stall]:
    """A way to the bucket on which nothing waits yet."""
    with breaking_proxy(bucket.aws.endpoint) as proxy:
        stalled = Stall(proxy)
        proxy.before = stalled.wait
        yield stalled
        stalled.answered.set()


def stopped(command: subprocess.Popen[str], stall: Stall, number: signal.Signals, *, at_once: bool = True) -> str:
    """Stop it while a request waits, and see that it has ended: at once, or when the request is answered."""
    assert stall.reached.wait(60)
    command.send_signal(number)
    if at_once:
        command.wait(20)
    stall.answered.set()
    out, err = command.communicate(timeout=60)
    assert RAN not in out
    assert command.returncode == 130, err
    assert f"Stopped by {number.name}" in err
    assert "command was not run" in err
    return err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"])
@pytest.mark.parametrize(
    ("verb", "contains", "passed_over"),
    [
        ("POST", "?uploads", 0),
        ("PUT", ".manifest.json", 0),
        ("PUT", ".receipt.json", 0),
        ("PUT", ".receipt.json", 1),
    ],
    ids=["upload", "manifest", "receipt", "record-of-the-start"],
)
def test_a_signal_inside_a_request_to_s3_keeps_the_command_from_starting(
    database: Database, bucket: Bucket, stall: Stall, verb: str, contains: str, passed_over: int, number: signal.Signals
) -> None:
    stall.verb, stall.contains, stall.passed_over = verb, contains, passed_over
    environment = {**environment_of(database), **bucket.aws.environment(), "AWS_ENDPOINT_URL": stall.proxy.endpoint}
    words = ("guard", "--bucket", bucket.name, "--level", "1", "--", "echo", RAN)
    # Once the guard is about to start the command, signals wait, and the request is given up before long.
    stopped(start_dbbackup(*words, environment=environment), stall, number, at_once=not passed_over)
    receipts = Place(("", ""), {}, None, bucket).receipts()
    assert {receipt.status for receipt in receipts} <= {Status.BACKED_UP, Status.NOT_STARTED}


def test_a_signal_while_the_last_duration_is_looked_up_is_not_taken_for_a_failed_look(
    bucket: Bucket, stall: Stall
) -> None:
    stall.verb, stall.contains = "GET", "list-type=2"
    with lambda_service(lambda _: {}) as service:
        environment = {
            **bucket.aws.environment(),
            "AWS_ENDPOINT_URL": stall.proxy.endpoint,
            "AWS_ENDPOINT_URL_LAMBDA": service.endpoint,
        }
        words = ("guard", "--function", _FUNCTION, "--bucket", bucket.name, "--database", "ftry", "--", "echo", RAN)
        stopped(start_dbbackup(*words, environment=environment), stall, signal.SIGINT)
        assert service.events == []


def test_a_signal_while_the_function_works_says_that_it_goes_on(bucket: Bucket) -> None:
    stalled = Stall(Breaking("", 0, ""))

    def work(_: object) -> dict[str, str]:
        stalled.reached.set()
        stalled.answered.wait(60)
        return {}

    with lambda_service(work) as service:
        environment = {**bucket.aws.environment(), "AWS_ENDPOINT_URL_LAMBDA": service.endpoint}
        command = start_dbbackup("guard", "--function", _FUNCTION, "--", "echo", RAN, environment=environment)
        err = stopped(command, stalled, signal.SIGINT)
    assert f"{_FUNCTION} goes on" in err
    assert "dbbackup receipt list --bucket BUCKET" in err


def test_a_backup_that_s3_does_not_answer_can_be_stopped(database: Database, bucket: Bucket, stall: Stall) -> None:
    stall.verb, stall.contains = "PUT", "partNumber="
    environment = {**database.environment(), **bucket.aws.environment(), "AWS_ENDPOINT_URL": stall.proxy.endpoint}
    command = start_dbbackup("backup", "--bucket", bucket.name, environment=environment)
    assert stall.reached.wait(60)
    command.send_signal(signal.SIGTERM)
    _, err = command.communicate(timeout=40)
    assert not stall.answered.is_set()
    assert command.returncode == 130, err
    assert bucket.names() == []


def test_a_signal_that_a_library_has_swallowed_keeps_the_command_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TOLD, "signal", None)
    with contextlib.suppress(BaseException):
        TOLD.heard(signal.SIGTERM, None)
    with Foreground() as runner, pytest.raises(InterruptedRunError, match="Stopped by SIGTERM before the command"):
        runner.run(("true",), dict(os.environ))


@pytest.mark.parametrize("status", [0, 3])
def test_how_the_command_ended_is_said_before_s3_is_told(
    database: Database, bucket: Bucket, stall: Stall, status: int
) -> None:
    stall.verb, stall.contains, stall.passed_over = "PUT", ".receipt.json", 2
    asked: list[str] = []
    wait = stall.proxy.before

    def note(verb: str, path: str) -> None:
        asked.append(f"{verb} {path}")
        wait(verb, path)

    stall.proxy.before = note
    environment = {**environment_of(database), **bucket.aws.environment(), "AWS_ENDPOINT_URL": stall.proxy.endpoint}
    words = ("guard", "--bucket", bucket.name, "--level", "1", "--", "sh", "-c", f"exit {status}")
    command = start_dbbackup(*words, environment=environment)
    assert command.stderr is not None
    said = ""
    while (f"exit status {status}" if status == 0 else "dbbackup restore") not in said:
        line = command.stderr.readline()
        assert line, said
        said += line
    assert stall.reached.wait(60)
    command.send_signal(signal.SIGTERM)
    stall.answered.set()
    command.communicate(timeout=60)
    assert command.returncode == status, "the command's, whatever comes after it"
    (receipt,) = Place(("", ""), {}, None, bucket).receipts()
    assert receipt.status is (Status.FAILED if status else Status.SUCCEEDED)
    assert ".receipt.json" in asked[-1], "the bucket's life cycle removes old backups, so nothing is read for that"
