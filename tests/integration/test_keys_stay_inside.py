"""No key leads out of its place, whoever wrote it and wherever it stood."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.adapters.s3_store import make_client
from dbbackup.contract import Tier
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.glacier import Retrieval
from dbbackup.core.object_key import check_key
from dbbackup.core.ports import BackupStore
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.catalog import read_catalog
from tests.support.backups import lay_down, manifest_of, take
from tests.support.buckets import Bucket
from tests.support.command import dbbackup
from tests.support.databases import Database
from tests.support.faults import intercept

OUTSIDE = [
    "../victim/important.dump",
    "/etc/passwd",
    "a/../../b.dump",
    "./x.dump",
    "a//b.dump",
    "..",
    "",
    "nul\0.dump",
    "line\nbreak.dump",
    "x" * 1025,
]


def _uses(store: BackupStore, key: str) -> None:
    """Every way to get at an object."""
    for use in (
        lambda: store.find(key),
        lambda: store.read(key).__enter__(),
        lambda: store.archive_writer(key, expected_bytes=1),
        lambda: store.write_document(key, b"", "manifest"),
        lambda: store.replace_document(key, b"", "receipt"),
        lambda: store.write_locked(key, b"", until=datetime.now(UTC)),
    ):
        with pytest.raises(InvalidRequestError, match=r"is no key of a backup|is not in"):
            use()


@pytest.mark.parametrize("key", OUTSIDE, ids=range(len(OUTSIDE)))
def test_a_store_never_leaves_its_place(key: str, bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "important.dump").write_bytes(b"theirs")
    _uses(DirectoryStore(tmp_path / "backups"), key)
    _uses(bucket.store(), key)
    with pytest.raises(InvalidRequestError):
        bucket.store().ask_back(key, Retrieval.BULK, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["victim"]
    assert bucket.names() == []


@given(st.text(min_size=1, max_size=40))
def test_what_is_accepted_names_a_place_inside(key: str) -> None:
    try:
        check_key(key)
    except InvalidRequestError:
        return
    assert os.path.normpath(os.path.join("/place", key)).startswith("/place/")  # noqa: PTH118 - as the system would


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere" / "important.dump"
    outside.parent.mkdir()
    outside.write_bytes(b"theirs")
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "link.dump").symlink_to(outside)
    (folder / "evidence").symlink_to(outside.parent)
    store = DirectoryStore(folder)
    for key in ("link.dump", "evidence/important.dump"):
        _uses(store, key)
    assert list(store.objects(None)) == []
    with pytest.raises(InvalidRequestError, match="it leads to"):
        list(store.under("evidence/"))
    assert outside.read_bytes() == b"theirs"


def test_a_link_that_a_person_names_is_followed_to_its_file(database: Database, tmp_path: Path) -> None:
    key = take(database, DirectoryStore(tmp_path / "backups")).manifest.archive.key
    (tmp_path / "here").symlink_to(tmp_path / "backups" / key)
    ended = dbbackup("verify", tmp_path / "here", environment=database.environment())
    assert ended.status == 0, ended.err
    assert "SHA-256 matches the manifest" in ended.out


def test_retention_removes_what_lies_beside_a_manifest_and_nothing_that_it_names(
    database: Database, tmp_path: Path
) -> None:
    important = tmp_path / "victim" / "important.dump"
    important.parent.mkdir()
    important.write_bytes(b"theirs")
    folder = tmp_path / "backups"
    folder.mkdir()
    other = lay_down(folder, manifest_of("another", days_old=1))
    for age, named in ((40, "../victim/important.dump"), (50, str(important)), (60, other[0].name)):
        own = lay_down(folder, manifest_of(database.name, days_old=age, of=database))
        lying = manifest_of(database.name, days_old=age, of=database, key=named)
        own[1].write_bytes(lying.to_bytes())
    ended = dbbackup("backup", "--json", "--directory", folder, environment=database.environment())
    assert ended.status == 0, ended.err
    assert ended.document["old_backups_removed"] == 2, "and the newest daily one stays"
    assert important.read_bytes() == b"theirs"
    assert all(path.exists() for path in other)
    left = {entry.manifest.source.database for entry in read_catalog(DirectoryStore(folder)).entries}
    assert left == {"another", database.name}


def test_a_manifest_that_names_another_archive_is_of_the_one_that_it_lies_beside(
    database: Database, bucket: Bucket
) -> None:
    store = bucket.store()
    manifest = take(database, store, tier=Tier.DAILY).manifest
    archive = manifest.archive.model_copy(update={"key": "manual/another_backup_20260101_000000.dump"})
    roles = manifest.roles.model_copy(update={"key": "../roles.sql"})
    name = next(name for name in bucket.names() if name.endswith(".manifest.json"))
    bucket.put(name, manifest.model_copy(update={"archive": archive, "roles": roles}).to_bytes())
    assert read_catalog(store).entries[0].manifest == manifest


def test_the_version_that_was_verified_is_listed_verified_and_restored(database: Database, bucket: Bucket) -> None:
    store = bucket.store()
    manifest = take(database, store).manifest
    key = manifest.archive.key
    bucket.put(key, b"PGDMP of somebody else", StorageClass="GLACIER")
    entry = read_catalog(store).entries[0]
    assert entry.sound
    assert entry.archive is not None
    assert (entry.archive.version_id, entry.archive.storage_class) == (manifest.archive.version_id, "STANDARD")
    environment = {**database.environment(), **bucket.aws.environment()}
    verified = dbbackup("verify", key, "--bucket", bucket.name, environment=environment)
    assert verified.status == 0, verified.err
    assert "was written again or removed after it had been made" in verified.err
    restored = dbbackup("restore", key, "--bucket", bucket.name, "--to", "of the version", environment=environment)
    try:
        assert restored.status == 0, restored.err
    finally:
        database.server.execute('DROP DATABASE IF EXISTS "of the version"')


def test_a_removed_archive_is_found_in_its_version(database: Database, bucket: Bucket) -> None:
    manifest = take(database, bucket.store()).manifest
    bucket.s3.delete_object(Bucket=bucket.name, Key=manifest.archive.key)
    assert read_catalog(bucket.store()).entries[0].sound


def test_a_backup_that_was_copied_to_another_bucket_is_read_there(
    database: Database, bucket: Bucket, tmp_path: Path
) -> None:
    store = bucket.store()
    manifest = take(database, store).manifest
    other = f"{bucket.name}-copy"
    s3 = bucket.aws.make_bucket(other)
    for name in bucket.names():
        s3.put_object(Bucket=other, Key=name, Body=bucket.body(name))
    environment = {**database.environment(), **bucket.aws.environment()}
    ended = dbbackup("verify", "latest", "--bucket", other, environment=environment)
    assert ended.status == 0, ended.err
    assert manifest.archive.sha256 in ended.out
    assert "written again" not in ended.err


def test_an_archived_version_is_asked_back_and_not_what_lies_there_now(database: Database, bucket: Bucket) -> None:
    """The local AWS asks the newest version back whichever is named, so the request itself is looked at."""
    made = take(database, bucket.store()).manifest
    key = made.archive.key
    versions, body = [], bucket.body(key)
    for _ in range(2):
        bucket.put(key, body, StorageClass="GLACIER")
        versions.append(bucket.s3.head_object(Bucket=bucket.name, Key=key)["VersionId"])
    manifest = made.model_copy(update={"archive": made.archive.model_copy(update={"version_id": versions[0]})})
    client = make_client()
    asked: list[str] = []
    intercept(client, "RestoreObject", lambda request, **_: asked.append(request.url))
    source = ArchiveSource(bucket.store(client), key, manifest)
    source.ask_back(Retrieval.STANDARD, 3)
    assert [parse_qs(urlsplit(url).query)["versionId"] for url in asked] == [[versions[0]]]


def test_a_file_whose_name_no_backup_has_does_not_stop_a_listing(tmp_path: Path) -> None:
    (tmp_path / "two\nlines.dump").write_bytes(b"x")
    assert list(DirectoryStore(tmp_path).objects(None)) == []
