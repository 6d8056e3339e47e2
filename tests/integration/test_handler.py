"""The function from its event to its answer."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

import pytest

from dbbackup import assembly
from dbbackup.contract import KIND_DUMP, KIND_MANIFEST, KIND_ROLES, TAG_KIND, Tier, metric_dimensions
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.manifest import parse_manifest
from dbbackup.core.naming import manifest_key, receipt_key, roles_key
from tests.support.databases import Database, DatabaseMaker
from tests.support.function import EVENT, Function, deploy, failures_counted, metrics


def test_the_schedules_event_makes_a_backup_named_by_the_scheduled_time(
    function: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = function.invoke()
    body = function.bucket.body(function.key)
    manifest = parse_manifest("", function.bucket.body(manifest_key(function.key)), function.key)
    assert answer == {
        "status": "created",
        "bucket": function.bucket.name,
        "key": function.key,
        "database": function.database.name,
        "tier": "daily",
        "recovery_point": manifest.snapshot_at.isoformat(),
        "size_bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        "compression": "gzip:1",
        "tables": 1,
        "rows": 3,
        "duration_seconds": answer["duration_seconds"],
        "notes": [],
    }
    assert json.loads(json.dumps(answer)) == answer
    assert manifest.source.instance == "ftry-test"
    assert manifest.archive.version_id
    output = capsys.readouterr().out
    assert failures_counted(output) == 0
    expected = metric_dimensions("test", function.database.name, Tier.DAILY)
    assert expected.items() <= metrics(output).items()
    assert metrics(output)["BackupSizeBytes"] == [len(body)]


def test_three_objects_are_stored_each_tagged_with_its_kind(function: Function) -> None:
    function.invoke()
    kinds = {}
    for key in function.bucket.names():
        tags = function.bucket.s3.get_object_tagging(Bucket=function.bucket.name, Key=key)["TagSet"]
        kinds[key] = {tag["Key"]: tag["Value"] for tag in tags}
    assert kinds == {
        function.key: {TAG_KIND: KIND_DUMP},
        roles_key(function.key): {TAG_KIND: KIND_ROLES},
        manifest_key(function.key): {TAG_KIND: KIND_MANIFEST},
    }


def test_the_manifest_is_written_last(function: Function) -> None:
    function.invoke()
    head = function.bucket.s3.head_object
    times: dict[str, datetime] = {
        key: head(Bucket=function.bucket.name, Key=key)["LastModified"] for key in function.bucket.names()
    }
    assert max(times.values()) == times[manifest_key(function.key)]


def test_the_same_event_again_makes_no_second_backup(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    first = function.invoke()
    second = function.invoke()
    assert (first["status"], second["status"]) == ("created", "already-made")
    assert {**second, "status": "", "duration_seconds": 0} == {**first, "status": "", "duration_seconds": 0}
    assert all(function.bucket.versions(key) == 1 for key in function.bucket.names())
    assert failures_counted(capsys.readouterr().out) == 0


def test_the_same_moment_in_another_zone_is_the_same_backup(function: Function) -> None:
    function.invoke()
    assert function.invoke({**EVENT, "scheduled_time": "2026-01-11T04:00:00+02:00"})["status"] == "already-made"


def test_an_event_without_a_moment_makes_a_backup_of_now_each_time(function: Function) -> None:
    keys = {function.invoke({"tier": "manual"})["key"] for _ in range(2)}
    assert len(keys) == 2


def test_a_defect_is_counted_and_raised_as_it_is(
    function: Function, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(assembly, "bucket_store", broken)
    with pytest.raises(ZeroDivisionError):
        function.invoke()
    output = capsys.readouterr().out
    assert failures_counted(output) == 1
    assert "backup failed unexpectedly" in output
    assert function.database.server.password not in output


@pytest.mark.parametrize("tier", Tier)
def test_each_tier_has_a_prefix_of_its_own(function: Function, tier: Tier) -> None:
    answer = function.invoke({**EVENT, "tier": tier.value})
    assert answer["key"].startswith(f"{tier.value}/")
    beside = [manifest_key(answer["key"]), roles_key(answer["key"])]
    if tier is Tier.PRE_MIGRATION:
        beside.append(receipt_key(answer["key"]))
    assert function.bucket.names() == sorted([answer["key"], *beside])


def test_an_event_may_name_another_of_the_functions_databases(
    function: Function, new_database: DatabaseMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_database()
    monkeypatch.setenv("DB_NAMES", json.dumps([function.database.name, other.name]))
    assert function.invoke({**EVENT, "database": other.name})["database"] == other.name


@pytest.mark.parametrize(
    "event", [{"tier": "hourly"}, {}, {**EVENT, "database": "postgres"}, {**EVENT, "surprise": 1}, ["daily"]]
)
def test_an_event_that_cannot_be_carried_out_is_refused_and_counted(
    function: Function, capsys: pytest.CaptureFixture[str], event: Any
) -> None:
    with pytest.raises(InvalidRequestError):
        function.invoke(event)
    assert failures_counted(capsys.readouterr().out) == 1
    assert function.bucket.names() == []


def test_a_function_without_its_environment_fails_and_counts_it(
    function: Function, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DB_HOST")
    with pytest.raises(InvalidRequestError, match="DB_HOST"):
        function.invoke()
    assert failures_counted(capsys.readouterr().out) == 1


def test_beside_an_archive_without_a_manifest_the_backup_is_made_once(function: Function) -> None:
    function.bucket.put(function.key, b"left by a run that was cut off")
    made, again = function.invoke(), function.invoke()
    assert (made["status"], again["status"]) == ("created", "already-made")
    assert made["key"] == again["key"] != function.key
    assert function.bucket.body(made["key"]).startswith(b"PGDMP")
    assert function.bucket.body(function.key) == b"left by a run that was cut off"
    assert function.bucket.versions(function.key) == 1


def test_the_logged_outcome_is_one_line_of_json(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    function.invoke()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (logged,) = [line for line in lines if line.get("message") == "backup verified"]
    assert (logged["key"], logged["level"], logged["service"]) == (function.key, "INFO", "dbbackup")


def test_a_database_with_an_odd_name_has_a_plain_key(
    bucket: Any, new_database: DatabaseMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd: Database = new_database("sh=op / 'größe'\n100%")
    answer = deploy(bucket, odd, monkeypatch).invoke()
    assert answer["key"] == "daily/sh%3Dop%20%2F%20%27gr%C3%B6%C3%9Fe%27%0A100%25_backup_20260111_020000.dump"
    assert answer["database"] == odd.name
    assert answer["key"] in bucket.names()
