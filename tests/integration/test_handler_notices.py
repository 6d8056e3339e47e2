"""What the backup function tells the notifier and CloudWatch about the backup before."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dbbackup.contract import EnvKey, Metric, Tier
from dbbackup.core.errors import InvalidRequestError, StorageError, VerificationFailedError
from dbbackup.core.naming import manifest_key
from dbbackup.core.notification import Notification
from dbbackup.handlers import backup as module
from tests.support.function import EVENT, Function, failures_counted, metrics, notices

NEXT = {**EVENT, "scheduled_time": "2026-01-12T02:00:00Z"}


def ratios(output: str) -> list[float]:
    """Every size ratio among lines of standard output."""
    documents = [json.loads(line) for line in output.splitlines() if '"_aws"' in line]
    return [document[Metric.BACKUP_SIZE_RATIO][0] for document in documents if Metric.BACKUP_SIZE_RATIO in document]


def test_a_backup_is_told_with_where_it_is_and_how_large(
    function: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = function.invoke()
    output = capsys.readouterr().out
    (told,) = notices(output)
    assert Notification.model_validate(told).model_dump(mode="json", exclude_none=True) == told
    assert told["started_at"] < told["at"]
    assert {**told, "at": "", "started_at": "", "dump_seconds": 0, "database_size_bytes": 0} == {
        "kind": "backup",
        "outcome": "succeeded",
        "at": "",
        "started_at": "",
        "environment": "test",
        "database": function.database.name,
        "instance": "ftry-test",
        "server": "ftry-test",
        "tier": "daily",
        "location": f"s3://{function.bucket.name}/{function.key}",
        "size_bytes": answer["size_bytes"],
        "database_size_bytes": 0,
        "duration_seconds": answer["duration_seconds"],
        "dump_seconds": 0,
        "rows": 3,
        "tables": 1,
        "recovery_point": answer["recovery_point"].replace("+00:00", "Z"),
        "repeated": False,
        "details": [],
    }
    assert ratios(output) == [], "there was none before"


def test_a_second_backup_is_compared_with_the_first(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    first = function.invoke()
    function.database.execute("INSERT INTO item SELECT n, md5(n::text) FROM generate_series(10, 2000) AS n")
    capsys.readouterr()
    second = function.invoke(NEXT)
    output = capsys.readouterr().out
    (told,) = notices(output)
    assert told["previous_size_bytes"] == first["size_bytes"]
    assert told["previous_at"].startswith("20")
    assert ratios(output) == [second["size_bytes"] / first["size_bytes"]]
    assert ratios(output)[0] > 2


def test_only_a_backup_of_the_same_tier_is_compared_with(
    function: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    function.invoke({**EVENT, "tier": Tier.WEEKLY.value})
    function.invoke(NEXT)
    assert ratios(capsys.readouterr().out) == []


def test_a_repeat_is_told_as_one(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    function.invoke()
    function.invoke()
    first, second = notices(capsys.readouterr().out)
    assert (first["repeated"], second["repeated"]) == (False, True)
    assert first["location"] == second["location"]


@pytest.mark.parametrize("damage", ["denied", "damaged", "defect"])
def test_a_comparison_that_fails_costs_the_backup_nothing(
    function: Function, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    function.invoke()
    if damage == "damaged":
        function.bucket.put(manifest_key(function.key), b"{")
    else:
        error = StorageError("S3 says no.") if damage == "denied" else ZeroDivisionError("a defect")

        def broken(*_: object) -> None:
            raise error

        monkeypatch.setattr(module, "previous_backup", broken)
    capsys.readouterr()

    answer = function.invoke(NEXT)

    output = capsys.readouterr().out
    assert answer["status"] == "created"
    assert failures_counted(output) == 0
    (told,) = notices(output)
    assert told["outcome"] == "succeeded"
    assert "previous_size_bytes" not in told
    assert ratios(output) == []
    (warned,) = [json.loads(line) for line in output.splitlines() if '"WARNING"' in line]
    assert warned["message"] == "the backup is not compared with the one before it"
    assert {"denied": "S3 says no", "damaged": "cannot be read", "defect": "ZeroDivision"}[damage] in json.dumps(warned)


def test_a_failure_is_told_in_its_own_words(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    function.store_secret("not JSON")
    with pytest.raises(Exception, match="secret"):
        function.invoke()
    output = capsys.readouterr().out
    (told,) = notices(output)
    assert (told["kind"], told["outcome"], told["environment"]) == ("backup", "failed", "test")
    assert (told["database"], told["tier"]) == (function.database.name, "daily")
    assert told["due_at"] == "2026-01-11T02:00:00Z"
    assert told["failure"]["error"] == "credentials"
    assert "secret" in told["failure"]["what"]
    assert Metric.VERIFICATION_FAILURE not in metrics(output), "it never came to a verification"


@pytest.mark.parametrize(
    ("tier", "due"), [("daily", "2025-01-11T02:00:00Z"), ("manual", "9999-01-11T02:00:00Z")], ids=["past", "future"]
)
def test_a_slip_in_the_scheduled_time_makes_no_backup(
    function: Function,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tier: str,
    due: str,
) -> None:
    monkeypatch.setenv(EnvKey.KEPT_DAYS, json.dumps({"daily": 30}))
    with pytest.raises(InvalidRequestError, match="scheduled_time"):
        function.invoke({"tier": tier, "scheduled_time": due})
    assert function.bucket.names() == []
    (told,) = notices(capsys.readouterr().out)
    assert (told["database"], told["failure"]["error"]) == (function.database.name, "invalid-request")


def test_a_failed_verification_is_counted_as_one(
    function: Function, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def damaged(*_: object, **__: object) -> None:
        raise VerificationFailedError("What was read back is not what was written.")

    monkeypatch.setattr(module, "run_backup", damaged)
    with pytest.raises(VerificationFailedError):
        function.invoke()
    output = capsys.readouterr().out
    assert metrics(output)[Metric.VERIFICATION_FAILURE] == [1]
    (told,) = notices(output)
    assert told["failure"]["error"] == "verification-failed"


@pytest.mark.parametrize("event", [{"tier": "hourly"}, {"tier": 3, "database": ["x"]}, ["daily"], None])
def test_a_refused_event_is_told_without_what_is_not_known(
    function: Function, capsys: pytest.CaptureFixture[str], event: Any
) -> None:
    with pytest.raises(InvalidRequestError):
        function.invoke([] if event is None else event)
    (told,) = notices(capsys.readouterr().out)
    assert "tier" not in told
    assert told["failure"]["error"] == "invalid-request"


def test_of_a_defect_only_its_type_is_told(
    function: Function, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("with something secret in it")

    monkeypatch.setattr(module, "run_backup", broken)
    with pytest.raises(ZeroDivisionError):
        function.invoke()
    (told,) = notices(capsys.readouterr().out)
    assert told["failure"]["what"].startswith("ZeroDivisionError")
    assert "something secret" not in json.dumps(told)
