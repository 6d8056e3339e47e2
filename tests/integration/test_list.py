from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbbackup.contract import Tier
from dbbackup.core.naming import manifest_key
from tests.support.backups import lay_down, manifest_of, take
from tests.support.buckets import Bucket
from tests.support.command import Ended, dbbackup
from tests.support.databases import Database

ODD = "shop [red]loud[/] :bell: \\"


def _list(*arguments: str | Path, bucket: Bucket | None = None) -> Ended:
    where = ("--bucket", bucket.name) if bucket else ()
    return dbbackup("list", *where, *arguments, environment=bucket.aws.environment() if bucket else {})


def test_an_empty_place_is_no_failure(tmp_path: Path, bucket: Bucket) -> None:
    for ended in (_list("--directory", tmp_path), _list("--directory", tmp_path / "none"), _list(bucket=bucket)):
        assert ended.status == 0, ended.err
        assert "There are no backups in" in ended.out
        assert "`dbbackup backup` takes one" in ended.out
    assert _list("--directory", tmp_path, "--json").document == []


def test_the_table_shows_each_backup_newest_first(tmp_path: Path) -> None:
    older = manifest_of("shop", Tier.WEEKLY, days_old=12.01, size_bytes=5 * 1024**2)
    newer = manifest_of("shop", Tier.DAILY, days_old=0.1)
    for manifest in (older, newer):
        lay_down(tmp_path, manifest)
    (tmp_path / older.archive.key).write_bytes(b"x" * 5 * 1024**2)
    ended = _list("--directory", tmp_path)
    lines = [line.split() for line in ended.out.splitlines()]
    assert ended.status == 0
    assert lines[1] == ["TIER", "TIME", "(UTC)", "DATABASE", "SERVER", "SIZE", "AGE", "CLASS", "VERIFIED", "KEY"]
    first, second = lines[2:]
    assert first[0] == "daily"
    assert first[-1] == newer.archive.key
    assert second[0] == "weekly"
    assert second[3:] == ["shop", "localhost:5432", "5.0", "MiB", "12", "d", "LOCAL", "yes", older.archive.key]


def test_json_holds_all_that_a_script_needs(database: Database, bucket: Bucket) -> None:
    manifest = take(database, bucket.store(), tier=Tier.WEEKLY).manifest
    (document,) = _list("--json", bucket=bucket).document
    age = document.pop("age_seconds")
    assert 0 <= age < 300
    assert document == {
        "key": manifest.archive.key,
        "location": f"s3://{bucket.name}/{manifest.archive.key}",
        "tier": "weekly",
        "safety": False,
        "time": manifest.backup_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "recovery_point": manifest.snapshot_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "database": database.name,
        "server": f"localhost:{database.server.port}",
        "system_identifier": database.value("SELECT system_identifier::text FROM pg_control_system()"),
        "size_bytes": manifest.archive.size_bytes,
        "storage_class": "STANDARD",
        "verified": True,
        "tables": 1,
        "rows": 3,
        "sha256": manifest.archive.sha256,
    }


def test_a_tier_or_a_database_may_be_picked(tmp_path: Path) -> None:
    for database, tier in (("shop", Tier.DAILY), ("shop", Tier.WEEKLY), ("other", Tier.DAILY)):
        lay_down(tmp_path, manifest_of(database, tier, days_old=1 if tier is Tier.DAILY else 2))

    def picked(*options: str) -> list[tuple[str, str]]:
        found = _list("--json", "--directory", tmp_path, *options).document
        return sorted((entry["database"], entry["tier"]) for entry in found)

    assert picked("--tier", "daily") == [("other", "daily"), ("shop", "daily")]
    assert picked("--database", "shop") == [("shop", "daily"), ("shop", "weekly")]
    assert picked("--database", "shop", "--tier", "weekly") == [("shop", "weekly")]
    assert picked("--database", "nobody") == []
    assert _list("--tier", "hourly").status == 2


def test_a_tier_in_a_bucket_may_be_picked(database: Database, bucket: Bucket) -> None:
    for tier in (Tier.DAILY, Tier.MONTHLY):
        take(database, bucket.store(), tier=tier)
    (only,) = _list("--json", "--tier", "monthly", bucket=bucket).document
    assert only["tier"] == "monthly"
    assert len(_list("--json", bucket=bucket).document) == 2


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_the_storage_class_is_shown(bucket: Bucket, storage_class: str) -> None:
    manifest = manifest_of("shop", Tier.WEEKLY)
    key = manifest.backup_id.object_key
    moved = manifest.model_copy(update={"archive": manifest.archive.model_copy(update={"key": key})})
    bucket.put(key, b"dump", StorageClass=storage_class)
    bucket.put(manifest_key(key), moved.to_bytes())
    (document,) = _list("--json", bucket=bucket).document
    assert document["storage_class"] == storage_class
    assert storage_class in _list(bucket=bucket).out


def test_an_archive_without_a_manifest_is_no_backup_and_is_named(tmp_path: Path) -> None:
    manifest = manifest_of("shop", days_old=1)
    archive, beside, _ = lay_down(tmp_path, manifest)
    beside.unlink()
    ended = _list("--directory", tmp_path, "--json")
    assert (ended.status, ended.document) == (0, [])
    assert f"{archive} has no manifest: it is not a verified backup" in ended.err


def test_archives_that_are_gone_or_changed_are_not_called_verified(tmp_path: Path) -> None:
    gone, changed = manifest_of("gone", days_old=1), manifest_of("changed", days_old=2)
    lay_down(tmp_path, gone)[0].unlink()
    lay_down(tmp_path, changed)[0].write_bytes(b"another length")
    ended = _list("--directory", tmp_path)
    assert "gone" in ended.out.splitlines()[2]
    assert "size differs" in ended.out.splitlines()[3]
    assert [entry["verified"] for entry in _list("--directory", tmp_path, "--json").document] == [False, False]


def test_a_manifest_that_cannot_be_read_is_named_and_the_others_are_shown(tmp_path: Path) -> None:
    lay_down(tmp_path, manifest_of("shop", days_old=1))
    _, beside, _ = lay_down(tmp_path, manifest_of("shop", days_old=2))
    beside.write_text("{}")
    ended = _list("--directory", tmp_path, "--json")
    assert ended.status == 1
    assert len(json.loads(ended.out)) == 1
    assert f"The manifest {beside} cannot be read" in ended.err


def test_names_are_shown_as_they_are_not_as_markup(tmp_path: Path) -> None:
    folder = tmp_path / "[bold]folder[red] :bell:"
    folder.mkdir()
    manifest = manifest_of(ODD)
    lay_down(folder, manifest)
    ended = _list("--directory", folder)
    assert ended.status == 0, ended.err
    assert ODD in ended.out
    assert str(folder) in ended.out
    assert manifest.archive.key in ended.out


def test_a_bucket_that_is_not_there_is_a_failure(bucket: Bucket) -> None:
    ended = dbbackup("list", "--bucket", "no-such-bucket-of-ours", environment=bucket.aws.environment())
    assert ended.status == 1
    assert "There is no bucket for s3://no-such-bucket-of-ours" in ended.err
