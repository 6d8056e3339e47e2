"""What is damaged is found; what is sound is said to be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import manifest_key
from devtools.postgres import LATEST, package_bindir
from tests.support.archives import DAMAGES, damage
from tests.support.backups import take
from tests.support.bindirs import with_program
from tests.support.buckets import Bucket
from tests.support.command import Ended, dbbackup
from tests.support.databases import Database


@pytest.fixture
def backed_up(database: Database, tmp_path: Path) -> Manifest:
    """A backup in the folder of the test."""
    return take(database, DirectoryStore(tmp_path)).manifest


def _verify(what: str | Path, *arguments: str | Path, bucket: Bucket | None = None) -> Ended:
    environment = {"PG_BINDIR": str(package_bindir(LATEST)), **(bucket.aws.environment() if bucket else {})}
    return dbbackup("verify", what, *arguments, environment=environment)


def test_a_sound_backup_is_said_to_be_so(backed_up: Manifest, tmp_path: Path) -> None:
    ended = _verify(tmp_path / backed_up.archive.key)
    assert ended.status == 0, ended.err
    assert f"SHA-256 matches the manifest: {backed_up.archive.sha256}" in ended.out
    assert "1 tables with data; decompresses to its end" in ended.out
    document = _verify("latest", "--json", "--directory", tmp_path).document
    assert document["status"] == "verified"
    assert document["digest_matches_manifest"] is True
    assert document["sha256"] == backed_up.archive.sha256


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_archive_is_found_out(backed_up: Manifest, tmp_path: Path, how: str) -> None:
    path = tmp_path / backed_up.archive.key
    before = path.read_bytes()
    damage(path, how)
    assert path.read_bytes() != before
    ended = _verify(path, "--json")
    assert ended.status == 1
    assert ended.document["error"] == "verification-failed"
    assert "Do not rely on this archive" in ended.err


def test_a_tail_that_pg_restore_never_reads_is_read_all_the_same(backed_up: Manifest, tmp_path: Path) -> None:
    path = tmp_path / backed_up.archive.key
    path.write_bytes(path.read_bytes() + bytes(5 * 1024**2))
    ended = _verify(path)
    assert ended.status == 1
    assert f"has {path.stat().st_size} bytes, {backed_up.archive.size_bytes} were written" in ended.err


@pytest.mark.parametrize(
    "how", ["cut in half", "one byte short", "a byte of the data changed", "empty", "not an archive"]
)
def test_damage_to_the_structure_is_found_without_a_manifest(backed_up: Manifest, tmp_path: Path, how: str) -> None:
    path = tmp_path / backed_up.archive.key
    damage(path, how)
    (tmp_path / manifest_key(backed_up.archive.key)).unlink()
    assert _verify(path).status == 1


def test_a_file_without_a_manifest_is_checked_and_that_is_said(backed_up: Manifest, tmp_path: Path) -> None:
    (tmp_path / manifest_key(backed_up.archive.key)).unlink()
    renamed = tmp_path / "from a colleague"
    (tmp_path / backed_up.archive.key).rename(renamed)
    ended = _verify(renamed)
    assert ended.status == 0, ended.err
    assert "nobody vouches for its content" in ended.out
    assert _verify(renamed, "--json").document["digest_matches_manifest"] is None


def test_a_backup_that_was_copied_elsewhere_is_verified_where_it_is(
    database: Database, bucket: Bucket, tmp_path: Path
) -> None:
    key = take(database, bucket.store()).manifest.archive.key
    copy = tmp_path / "copy.dump"
    copy.write_bytes(bucket.body(key))
    (tmp_path / "copy.manifest.json").write_bytes(bucket.body(manifest_key(key)))
    ended = _verify(copy)
    assert ended.status == 0, ended.err
    assert "SHA-256 matches the manifest" in ended.out
    assert str(copy) in ended.out


def test_a_damaged_manifest_is_named(backed_up: Manifest, tmp_path: Path) -> None:
    beside = tmp_path / manifest_key(backed_up.archive.key)
    beside.write_text(beside.read_text()[:-30])
    ended = _verify(tmp_path / backed_up.archive.key)
    assert ended.status == 1
    assert f"The manifest {beside} cannot be read" in ended.err


def test_latest_is_not_an_older_one_where_the_newest_manifest_is_damaged(
    backed_up: Manifest, database: Database, tmp_path: Path
) -> None:
    newer = take(database, DirectoryStore(tmp_path)).manifest
    beside = tmp_path / manifest_key(newer.archive.key)
    beside.write_text("{}")
    ended = _verify("latest", "--directory", tmp_path)
    assert ended.status == 1
    assert str(beside) in ended.err


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("gone_backup_20250101_000000.dump", "There is no"),
        ("latest", "There is no backup in"),
        ("s3://x", "name an obj"),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, what: str, said: str) -> None:
    where: list[str | Path] = [] if what.startswith("s3:") else ["--directory", tmp_path]
    ended = _verify(what, *where)
    assert ended.status in (1, 2)
    assert said in ended.err


def test_a_backup_in_a_bucket_is_named_by_key_by_url_or_as_the_latest(database: Database, bucket: Bucket) -> None:
    manifest = take(database, bucket.store()).manifest
    key, sha256 = manifest.archive.key, manifest.archive.sha256
    for arguments in (
        [key, "--bucket", bucket.name],
        [f"s3://{bucket.name}/{key}"],
        ["latest", "--bucket", bucket.name],
    ):
        ended = _verify(*arguments, "--json", bucket=bucket)
        assert ended.status == 0, ended.err
        assert ended.document["sha256"] == sha256
        assert ended.document["location"] == f"s3://{bucket.name}/{key}"


def test_the_latest_may_be_of_a_tier_or_a_database(database: Database, bucket: Bucket) -> None:
    manifest = take(database, bucket.store()).manifest
    for option, value in (("--tier", "manual"), ("--database", database.name)):
        ended = _verify("latest", option, value, "--json", "--bucket", bucket.name, bucket=bucket)
        assert ended.document["sha256"] == manifest.archive.sha256
    ended = _verify("latest", "--tier", "weekly", "--database", "x", "--bucket", bucket.name, bucket=bucket)
    assert "There is no weekly backup of database 'x'" in ended.err


def test_of_an_overwritten_object_the_verified_version_is_read_and_that_is_said(
    database: Database, bucket: Bucket
) -> None:
    manifest = take(database, bucket.store()).manifest
    bucket.put(manifest.archive.key, bucket.body(manifest.archive.key) + b"x")
    ended = _verify(manifest.archive.key, "--json", "--bucket", bucket.name, bucket=bucket)
    assert ended.status == 0, ended.err
    assert ended.document["written_again"] is True
    assert ended.document["sha256"] == manifest.archive.sha256
    assert manifest.archive.version_id
    assert f"is the version of then, {manifest.archive.version_id}" in ended.err


def test_a_client_older_than_the_archive_is_not_taken_for_damage(backed_up: Manifest, tmp_path: Path) -> None:
    script = 'case "$1" in --version) echo "pg_restore (PostgreSQL) 15.1";; '
    script += (
        '*) cat >/dev/null; echo "pg_restore: error: unsupported version (1.16) in file header" >&2; exit 1;; esac'
    )
    environment = {"PG_BINDIR": str(with_program(tmp_path, "pg_restore", script))}
    ended = dbbackup("verify", tmp_path / backed_up.archive.key, "--json", environment=environment)
    assert ended.status == 1
    assert ended.document["error"] == "client-tool"
    assert "at least as new as those that made the archive" in ended.err


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_must_be_asked_back_first(bucket: Bucket, storage_class: str) -> None:
    bucket.put("weekly/shop_backup_20250105_030000.dump", b"PGDMP", StorageClass=storage_class)
    ended = _verify("weekly/shop_backup_20250105_030000.dump", "--json", "--bucket", bucket.name, bucket=bucket)
    assert ended.status == 1
    assert json.loads(ended.out)["error"] == "archived"
    assert "restore-object" in ended.err
    assert "3 to 5 hours" in ended.err
