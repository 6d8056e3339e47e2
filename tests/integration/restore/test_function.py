"""The function that restores a dump, from its event to the database."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from dbbackup.contract import Metric, Tier, metric_dimensions
from dbbackup.core.errors import DbBackupError, InvalidRequestError, NotFoundError, RefusedError
from dbbackup.handlers.restore import handler
from tests.support.backups import take
from tests.support.buckets import Bucket
from tests.support.databases import Database
from tests.support.function import deploy, log_here, notices


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def _invoke(**event: Any) -> dict[str, Any]:
    return handler(event, cast("LambdaContext", _Context()))


@pytest.fixture(autouse=True)
def _deployed(database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(bucket, database, monkeypatch)


def _databases(database: Database) -> set[str]:
    with database.server.connect() as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}


def _rows(database: Database, name: str | None = None) -> int:
    return int(database.server.value("SELECT count(*) FROM item", name or database.name))


def test_the_latest_backup_goes_into_a_new_database(database: Database, bucket: Bucket) -> None:
    take(database, bucket.store())
    staging = f"{database.name}_staging"
    try:
        answer = _invoke(to=staging)

        assert (answer["status"], answer["database"], answer["tables"], answer["rows"]) == ("restored", staging, 1, 3)
        assert answer["safety_backup"] is None
        assert _rows(database, staging) == 3
    finally:
        database.server.execute(f'DROP DATABASE IF EXISTS "{staging}"')


def test_a_database_is_replaced_only_where_its_name_is_repeated(database: Database, bucket: Bucket) -> None:
    take(database, bucket.store())
    database.execute("DELETE FROM item")
    for confirm in ({}, {"confirm": "another"}):
        with pytest.raises(RefusedError, match=r"exists .* and is not confirmed"):
            _invoke(to=database.name, **confirm)
    assert _rows(database) == 0

    answer = _invoke(to=database.name, confirm=database.name)

    assert answer["rows"] == 3
    assert answer["safety_backup"].startswith(f"s3://{bucket.name}/manual/")
    assert _rows(database) == 3


def test_a_backup_may_be_named_by_its_key(database: Database, bucket: Bucket) -> None:
    first = take(database, bucket.store()).manifest.archive.key
    database.execute("INSERT INTO item VALUES (4, 'd')")
    take(database, bucket.store())

    assert _invoke(to=database.name, confirm=database.name, backup=first)["rows"] == 3


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archive_in_glacier_is_asked_back_and_restored_when_it_is_there(
    database: Database, bucket: Bucket, storage_class: str
) -> None:
    key = take(database, bucket.store()).manifest.archive.key
    bucket.transition(key, storage_class)
    before = _databases(database)

    answer = _invoke(to=database.name, confirm=database.name, backup=key)

    assert answer["status"] == "retrieving"
    assert answer["storage_class"] == storage_class
    assert "hours" in answer["takes"]
    assert "Restore" in bucket.s3.head_object(Bucket=bucket.name, Key=key)
    assert _databases(database) == before


def test_nothing_is_asked_back_for_a_restore_that_is_not_confirmed(database: Database, bucket: Bucket) -> None:
    key = take(database, bucket.store()).manifest.archive.key
    bucket.transition(key, "GLACIER")

    with pytest.raises(RefusedError, match=r"exists .* and is not confirmed"):
        _invoke(to=database.name, backup=key)
    assert "Restore" not in bucket.s3.head_object(Bucket=bucket.name, Key=key)

    assert _invoke(to=f"{database.name}_new", backup=key)["status"] == "retrieving", "there is nothing to confirm"


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({}, "to"),
        ({"to": ""}, "to"),
        ({"to": "x", "tier": "hourly"}, "tier"),
        ({"to": "x", "jobs": 0}, "jobs"),
        ({"to": "x", "retrieval": "fast"}, "retrieval"),
        ({"to": "x", "force": True}, "force"),
    ],
)
def test_an_event_that_cannot_be_carried_out_names_the_field(event: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidRequestError, match=named):
        _invoke(**event)


def test_a_backup_that_is_not_there_is_said_so(database: Database) -> None:
    with pytest.raises(NotFoundError, match="There is no backup"):
        _invoke(to=database.name)
    with pytest.raises(NotFoundError, match=r"There is no s3://"):
        _invoke(to=database.name, backup="daily/none_backup_20260101_000000.dump")


def _restores_counted(output: str) -> list[dict[str, Any]]:
    """Every verdict on a restore among the metrics on standard output."""
    documents = [json.loads(line) for line in output.splitlines() if '"_aws"' in line]
    return [document for document in documents if Metric.RESTORE_SUCCESS in document]


def test_a_restore_is_counted_and_told(database: Database, bucket: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = take(database, bucket.store(), tier=Tier.WEEKLY).manifest
    log_here()
    _invoke(to=database.name, confirm=database.name, tier="weekly")

    output = capsys.readouterr().out
    (counted,) = _restores_counted(output)
    assert metric_dimensions("test", database.name, Tier.WEEKLY).items() <= counted.items()
    assert (counted[Metric.RESTORE_SUCCESS], counted[Metric.RESTORE_FAILURE]) == ([1], [0])
    assert counted[Metric.RESTORE_DURATION][0] > 0
    (told,) = notices(output)
    assert (told["kind"], told["outcome"], told["environment"]) == ("restore", "succeeded", "test")
    assert (told["database"], told["tier"], told["rows"]) == (database.name, "weekly", 3)
    assert told["location"] == f"s3://{bucket.name}/{manifest.archive.key}"


def test_a_failed_restore_is_counted_and_told(
    database: Database, bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = take(database, bucket.store(), tier=Tier.DAILY).manifest.archive
    bucket.s3.delete_object(Bucket=bucket.name, Key=archive.key, VersionId=str(archive.version_id))
    log_here()
    with pytest.raises(DbBackupError):
        _invoke(to=database.name, confirm=database.name, tier="daily")

    output = capsys.readouterr().out
    (counted,) = _restores_counted(output)
    assert metric_dimensions("test", database.name, Tier.DAILY).items() <= counted.items()
    assert (counted[Metric.RESTORE_SUCCESS], counted[Metric.RESTORE_FAILURE]) == ([0], [1])
    assert Metric.RESTORE_DURATION not in counted
    (told,) = notices(output)
    assert (told["kind"], told["outcome"], told["database"], told["tier"]) == (
        "restore",
        "failed",
        database.name,
        "daily",
    )
    assert told["failure"]["error"] == "not-found"


@pytest.mark.parametrize("event", [{"to": ""}, {"confirm": "another"}])
def test_what_was_not_understood_or_confirmed_is_no_failed_restore(
    database: Database, bucket: Bucket, capsys: pytest.CaptureFixture[str], event: dict[str, Any]
) -> None:
    take(database, bucket.store())
    log_here()
    with pytest.raises((InvalidRequestError, RefusedError)):
        _invoke(**{"to": database.name, **event})
    output = capsys.readouterr().out
    assert "restore failed" in output
    assert _restores_counted(output) == []
    assert notices(output) == []


def test_a_function_without_its_environment_counts_as_a_failed_restore(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DB_HOST")
    log_here()
    with pytest.raises(InvalidRequestError, match="DB_HOST"):
        _invoke(to="shop")
    output = capsys.readouterr().out
    (counted,) = _restores_counted(output)
    assert (counted["Environment"], counted["Database"], counted["Tier"]) == ("test", "unknown", "manual")
    assert len(notices(output)) == 1


def test_a_wait_for_glacier_is_neither_a_success_nor_a_failure(
    database: Database, bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    key = take(database, bucket.store()).manifest.archive.key
    bucket.transition(key, "GLACIER")
    log_here()
    assert _invoke(to=database.name, confirm=database.name, backup=key)["status"] == "retrieving"
    output = capsys.readouterr().out
    assert "restore answered" in output
    assert _restores_counted(output) == []
    assert notices(output) == []
