"""Nothing that is stored is ever written over: neither in a bucket nor in a directory, and not in a race either."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dbbackup.adapters import s3_store
from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.contract import KIND_MANIFEST, Tier
from dbbackup.core.errors import NameTakenError
from dbbackup.core.evidence import Evidence
from dbbackup.core.naming import manifest_key, roles_key
from dbbackup.core.ports import BackupStore
from dbbackup.operations.catalog import read_catalog
from dbbackup.operations.evidence import append
from tests.support.backups import MOMENT, lay_down, manifest_of, take
from tests.support.buckets import Bucket
from tests.support.databases import Database
from tests.support.faults import intercept, quick_retries, refusal


@pytest.fixture(params=["a directory", "a bucket"])
def store(request: pytest.FixtureRequest, bucket: Bucket, tmp_path: Path) -> BackupStore:
    return bucket.store() if request.param == "a bucket" else DirectoryStore(tmp_path)


def _read(store: BackupStore, key: str) -> bytes:
    with store.read(key) as chunks:
        return b"".join(chunks)


def test_whatever_is_stored_first_stays(store: BackupStore) -> None:
    key, later = "manual/x.dump", datetime.now(UTC) + timedelta(days=1)
    with (
        store.archive_writer(key, expected_bytes=1) as first,
        store.archive_writer(f"{key}2", expected_bytes=1) as other,
    ):
        first.write(b"first")
        first.commit()
        other.write(b"other")
        other.commit()
    with store.archive_writer(key, expected_bytes=1) as second:
        second.write(b"second")
        with pytest.raises(NameTakenError, match="already"):
            second.commit()
    with pytest.raises(NameTakenError, match="It stays as it is"):
        store.write_document(key, b"third", KIND_MANIFEST)
    with pytest.raises(NameTakenError, match="It stays as it is"):
        store.write_locked(key, b"fourth", until=later)
    assert _read(store, key) == b"first"


def test_a_receipt_alone_is_written_again(store: BackupStore) -> None:
    for body in (b"one", b"two"):
        store.replace_document("manual/x.receipt.json", body, "receipt")
    assert _read(store, "manual/x.receipt.json") == b"two"


def test_a_receipt_that_somebody_else_writes_meanwhile_is_not_lost(bucket: Bucket) -> None:
    key = "manual/x.receipt.json"
    bucket.put(key, b"one")
    client = s3_store.make_client()
    written: list[str] = []

    def another_first(request: Any, **_: Any) -> None:
        if not written:
            written.append(request.url)
            bucket.put(key, b"of somebody else")

    intercept(client, "PutObject", another_first)
    with pytest.raises(NameTakenError):
        bucket.store(client).replace_document(key, b"ours", "receipt")
    assert bucket.body(key) == b"of somebody else"


def test_a_document_whose_answer_was_lost_is_not_taken_for_somebody_elses(bucket: Bucket) -> None:
    client = s3_store.make_client()
    calls: list[str] = []

    def store_and_lose_the_answer(request: Any, **_: Any) -> Any:
        calls.append(request.url)
        if len(calls) > 1:
            return None
        bucket.put("manual/x.manifest.json", b"body", ChecksumAlgorithm="SHA256")
        return refusal(request, 500, "InternalError")

    intercept(client, "PutObject", store_and_lose_the_answer)
    with quick_retries():
        bucket.store(client).write_document("manual/x.manifest.json", b"body", KIND_MANIFEST)
    assert len(calls) == 2
    assert bucket.versions("manual/x.manifest.json") == 1


def test_a_backup_whose_name_another_takes_while_it_is_dumped_gets_the_next(database: Database, bucket: Bucket) -> None:
    client = s3_store.make_client()
    taken: list[str] = []

    def another_first(request: Any, **_: Any) -> None:
        if not taken:
            taken.append(request.url.partition(f"/{bucket.name}/")[2].partition("?")[0])
            bucket.put(taken[0], b"of another server")

    intercept(client, "CompleteMultipartUpload", another_first)
    manifest = take(database, bucket.store(client), tier=Tier.DAILY, scheduled_time=MOMENT).manifest
    assert manifest.backup_time == MOMENT + timedelta(seconds=1)
    assert bucket.body(taken[0]) == b"of another server"
    assert bucket.versions(taken[0]) == 1
    assert bucket.unfinished_uploads() == []


def test_a_file_that_appears_while_it_is_dumped_is_kept(database: Database, tmp_path: Path) -> None:
    taken: list[Path] = []

    def another_first(progress: object) -> None:
        if not taken and (begun := list(tmp_path.glob("*.partial"))):
            taken.append(tmp_path / f"{begun[0].name.partition('.dump')[0]}.dump")
            taken[0].write_bytes(b"of another server")

    manifest = take(database, DirectoryStore(tmp_path), scheduled_time=MOMENT, listener=another_first).manifest
    assert manifest.archive.key != taken[0].name
    assert taken[0].read_bytes() == b"of another server"


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP])
def test_a_file_system_without_hard_links_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(*_: Path) -> None:
        raise OSError(code, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    store = DirectoryStore(tmp_path)
    store.write_document("x.json", b"first", KIND_MANIFEST)
    with pytest.raises(NameTakenError):
        store.write_document("x.json", b"second", KIND_MANIFEST)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x.json", b"first")]


@pytest.mark.parametrize("left", ["the archive", "the manifest", "the roles", "a manifest that cannot be read"])
def test_what_a_failed_run_has_left_keeps_its_name(database: Database, store: BackupStore, left: str) -> None:
    key = store.key_for(
        take(database, store, tier=Tier.DAILY, scheduled_time=MOMENT + timedelta(days=1)).manifest.backup_id
    )
    key = key.replace("20260112", "20260111")
    part = {"the archive": key, "the roles": roles_key(key)}.get(left, manifest_key(key))
    store.write_document(part, b"left" if left != "the manifest" else manifest_of(database.name).to_bytes(), "dump")
    before = _read(store, part)
    made = take(database, store, tier=Tier.DAILY, scheduled_time=MOMENT)
    assert made.created
    assert made.manifest.backup_time == MOMENT + timedelta(seconds=1)
    assert _read(store, part) == before
    again = take(database, store, tier=Tier.DAILY, scheduled_time=MOMENT)
    assert (again.created, again.manifest) == (False, made.manifest)


def test_two_tiers_of_one_moment_in_a_directory_are_two_backups(database: Database, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    made = [take(database, store, tier=tier, scheduled_time=MOMENT) for tier in (Tier.DAILY, Tier.MONTHLY)]
    assert all(outcome.created for outcome in made)
    assert {entry.manifest.tier for entry in read_catalog(store).entries} == {Tier.DAILY, Tier.MONTHLY}


def test_evidence_is_stored_beside_what_lies_under_its_name(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 11, 2, tzinfo=UTC)
    evidence = Evidence(database="shop", started_at=moment, finished_at=moment, planes=(), software_version="1")
    store = DirectoryStore(tmp_path)
    store.write_document(evidence.key, b"no evidence", "evidence")
    stored = append(store, evidence)
    assert stored.key != evidence.key
    assert _read(store, evidence.key) == b"no evidence"


def test_archives_that_did_not_verify_are_set_aside_side_by_side(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    for body in (b"one", b"two", b"three"):
        (path := lay_down(tmp_path, manifest_of())[0]).write_bytes(body)
        store.reject(path.name)
    assert sorted(path.read_bytes() for path in tmp_path.glob("*.rejected")) == [b"one", b"three", b"two"]
