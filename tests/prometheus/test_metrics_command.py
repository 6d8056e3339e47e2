"""``dbbackup metrics``: what a store holds, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import boto3
import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.contract import Tier
from dbbackup.core.errors import NotFoundError
from dbbackup.core.evidence import Evidence, Plane
from dbbackup.core.exposition import samples_of
from dbbackup.core.naming import manifest_key
from dbbackup.core.pitr_ports import Instances
from dbbackup.operations.evidence import append
from dbbackup.operations.textfile_instance import instance_samples
from tests.support.backups import lay_down, manifest_of, take
from tests.support.buckets import Bucket
from tests.support.command import Ended, dbbackup
from tests.support.databases import Database
from tests.support.promtool import needs_promtool, promtool

SERVER = "localhost:5432"


def _metrics(*arguments: str | Path, bucket: Bucket | None = None) -> Ended:
    return dbbackup("metrics", *arguments, environment=bucket.aws.environment() if bucket else {})


def _values(text: str) -> dict[tuple[str, ...], float]:
    return {(sample.family.name, *sample.labels): sample.value for sample in samples_of(text)}


def _rehearsal(days_old: float, *, passed: bool = True, recovery_seconds: float = 60, **changes: Any) -> Evidence:
    moment = datetime.now(UTC) - timedelta(days=days_old)
    plane = Plane(
        kind="dump",
        restored_from="daily/shop.dump",
        restored_into="scratch",
        recovery_point=moment - timedelta(hours=3),
        recovery_point_age_seconds=10_800,
        recovery_seconds=recovery_seconds,
        tables=2,
        rows=7,
        checks=(),
        removed=passed,
    )
    return Evidence(
        **{
            "database": "shop",
            "server": SERVER,
            "started_at": moment,
            "finished_at": moment + timedelta(seconds=90),
            "planes": (plane,),
            "software_version": "0.1.0",
            **changes,
        }
    )


def test_the_newest_backup_of_each_database_and_tier_is_told(tmp_path: Path) -> None:
    newest = manifest_of("shop", days_old=1, size_bytes=4)
    for manifest in (newest, manifest_of("shop", days_old=2), manifest_of("shop", Tier.WEEKLY, days_old=9)):
        lay_down(tmp_path, manifest)
    lay_down(tmp_path, manifest_of("stock", days_old=3))
    ended = _metrics("--directory", tmp_path)
    assert (ended.status, ended.err) == (0, "")
    values = _values(ended.out)
    shop = (SERVER, "shop", "daily", str(tmp_path))
    assert values["dbbackup_backup_last_success_timestamp_seconds", *shop] == newest.finished_at.timestamp()
    assert values["dbbackup_backup_recovery_point_timestamp_seconds", *shop] == newest.snapshot_at.timestamp()
    verified = newest.verification.verified_at.timestamp()
    assert values["dbbackup_backup_verified_timestamp_seconds", *shop] == verified
    assert values["dbbackup_backup_size_bytes", *shop] == 4
    assert values["dbbackup_backup_database_size_bytes", *shop] == 8_000_000
    assert values["dbbackup_catalog_backups", *shop] == 2
    assert values["dbbackup_catalog_size_bytes", *shop] == 8
    assert values["dbbackup_catalog_unsound_backups", *shop] == 0
    assert values["dbbackup_catalog_backups", SERVER, "shop", "weekly", str(tmp_path)] == 1
    assert values["dbbackup_catalog_backups", SERVER, "stock", "daily", str(tmp_path)] == 1


def test_what_is_no_backup_does_not_count_and_is_told(tmp_path: Path) -> None:
    good = manifest_of("shop", days_old=4)
    lay_down(tmp_path, good)
    lay_down(tmp_path, manifest_of("shop", days_old=1))[0].unlink()
    lay_down(tmp_path, manifest_of("shop", days_old=2))[0].write_bytes(b"another length")
    lay_down(tmp_path, manifest_of("shop", days_old=3).model_copy(update={"safety": True}))
    lay_down(tmp_path, manifest_of("shop", days_old=5))[1].unlink()
    lay_down(tmp_path, manifest_of("shop", days_old=6))[1].write_text("{}")
    lay_down(tmp_path, manifest_of("gone", days_old=1))[0].unlink()
    ended = _metrics("--directory", tmp_path)
    assert ended.status == 0
    assert "cannot be read" in ended.err
    values = _values(ended.out)
    place = str(tmp_path)
    newest = values["dbbackup_backup_last_success_timestamp_seconds", SERVER, "shop", "daily", place]
    assert newest == good.finished_at.timestamp()
    assert values["dbbackup_catalog_backups", SERVER, "shop", "daily", place] == 1
    assert values["dbbackup_catalog_unsound_backups", SERVER, "shop", "daily", place] == 2
    assert values["dbbackup_catalog_backups", SERVER, "gone", "daily", place] == 0
    assert ("dbbackup_backup_last_success_timestamp_seconds", SERVER, "gone", "daily", place) not in values
    assert values["dbbackup_catalog_unmanifested_archives", place] == 1
    assert values["dbbackup_catalog_unreadable_manifests", place] == 1


def test_rehearsals_tell_the_last_result_and_what_the_last_good_one_showed(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    append(store, _rehearsal(40, recovery_seconds=99))
    good = append(store, _rehearsal(9, recovery_seconds=61)).evidence
    failed = append(store, _rehearsal(1, passed=False)).evidence
    values = _values(_metrics("--directory", tmp_path).out)
    shop = (SERVER, "shop", str(tmp_path))
    assert values["dbbackup_rehearsal_last_run_success", *shop] == 0
    assert values["dbbackup_rehearsal_last_run_timestamp_seconds", *shop] == failed.finished_at.timestamp()
    assert values["dbbackup_rehearsal_last_success_timestamp_seconds", *shop] == good.finished_at.timestamp()
    assert values["dbbackup_rehearsal_recovery_time_seconds", *shop, "dump"] == 61
    assert values["dbbackup_rehearsal_recovery_point_age_seconds", *shop, "dump"] == 10_800
    assert values["dbbackup_rehearsal_rows", *shop] == 7
    assert values["dbbackup_catalog_evidence_problems", str(tmp_path)] == 0


def test_the_same_name_on_two_servers_is_two_databases(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    for server, days_old in (("ftry-prod", 14), ("ftry-dev", 1)):
        manifest = manifest_of("ftry", days_old=days_old)
        source = manifest.source.model_copy(update={"instance": server})
        lay_down(tmp_path, manifest.model_copy(update={"source": source}))
    append(store, _rehearsal(9, passed=False, database="ftry", server="ftry-prod"))
    append(store, _rehearsal(1, database="ftry", server="ftry-dev"))
    values = _values(_metrics("--directory", tmp_path).out)
    newest = [
        values["dbbackup_backup_last_success_timestamp_seconds", server, "ftry", "daily", str(tmp_path)]
        for server in ("ftry-prod", "ftry-dev")
    ]
    assert 12 * 86_400 < newest[1] - newest[0] < 14 * 86_400
    for server, passed in (("ftry-prod", 0), ("ftry-dev", 1)):
        assert values["dbbackup_rehearsal_last_run_success", server, "ftry", str(tmp_path)] == passed


def test_a_rehearsal_of_several_databases_is_told_of_each(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    both: dict[str, Any] = {"database": "ftry, orders", "databases": ("ftry", "orders")}
    append(store, _rehearsal(40, database="ftry, orders", server=None))  # as an earlier version wrote it
    good = append(store, _rehearsal(9, **both)).evidence
    append(store, _rehearsal(1, passed=False, **both))
    values = _values(_metrics("--directory", tmp_path).out)
    for database in ("ftry", "orders"):
        of = (SERVER, database, str(tmp_path))
        assert values["dbbackup_rehearsal_last_run_success", *of] == 0
        assert values["dbbackup_rehearsal_last_success_timestamp_seconds", *of] == good.finished_at.timestamp()
        assert ("dbbackup_rehearsal_rows", *of) not in values
    assert {key[1:3] for key in values if key[0].startswith("dbbackup_rehearsal_")} == {
        (SERVER, "ftry"),
        (SERVER, "orders"),
    }


def test_altered_evidence_is_counted(tmp_path: Path) -> None:
    stored = append(DirectoryStore(tmp_path), _rehearsal(1))
    file = tmp_path / stored.key
    file.chmod(0o600)
    file.write_text(file.read_text().replace('"rows": 7', '"rows": 8'))
    values = _values(_metrics("--directory", tmp_path).out)
    assert values["dbbackup_catalog_evidence_problems", str(tmp_path)] == 1


@needs_promtool
def test_a_bucket_is_told_the_same_way_and_promtool_accepts_it(database: Database, bucket: Bucket) -> None:
    manifest = take(database, bucket.store(), tier=Tier.WEEKLY).manifest
    ended = _metrics("--bucket", bucket.name, bucket=bucket)
    assert ended.status == 0, ended.err
    key = (database.parameters.server, database.name, "weekly", f"s3://{bucket.name}")
    values = _values(ended.out)
    assert values["dbbackup_backup_size_bytes", *key] == manifest.archive.size_bytes
    assert values["dbbackup_backup_rows", *key] == 3
    assert values["dbbackup_backup_duration_seconds", *key] > 0
    assert promtool("check", "metrics", stdin=ended.out.encode()) == (0, "")


def test_evidence_that_cannot_be_read_does_not_silence_the_backups(tmp_path: Path) -> None:
    store = tmp_path / "backups"
    store.mkdir()
    lay_down(store, manifest_of("shop", days_old=1))
    stored = append(DirectoryStore(store), _rehearsal(1))
    evidence = (store / stored.key).parent
    evidence.symlink_to(evidence.rename(tmp_path / "elsewhere"))  # a folder that leads out of the store is not read
    textfile = tmp_path / "dbbackup_catalog.prom"
    ended = _metrics("--directory", store, "--textfile", textfile)
    assert ended.status == 1
    assert "Nothing is told about rehearsals" in ended.err
    text = textfile.read_text()
    assert "dbbackup_catalog_backups{" in text
    assert "dbbackup_catalog_evidence_problems" not in text


def test_json_holds_the_same_samples(tmp_path: Path) -> None:
    lay_down(tmp_path, manifest_of("shop", days_old=1))
    samples = _metrics("--directory", tmp_path, "--json").document
    assert {
        "name": "dbbackup_backup_size_bytes",
        "labels": {"server": SERVER, "database": "shop", "tier": "daily", "source": str(tmp_path)},
        "value": 4.0,
    } in samples


def test_a_textfile_is_replaced_and_readable(tmp_path: Path) -> None:
    backups, textfile = tmp_path / "backups", tmp_path / "dbbackup_catalog.prom"
    backups.mkdir()
    lay_down(backups, manifest_of("shop", days_old=1))
    textfile.write_text("old")
    textfile.chmod(0o600)
    ended = _metrics("--directory", backups, "--textfile", textfile)
    assert ended.status == 0, ended.err
    assert f"are in {textfile}" in ended.out
    assert ("dbbackup_catalog_backups", SERVER, "shop", "daily", str(backups)) in _values(textfile.read_text())
    assert textfile.stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backups", "dbbackup_catalog.prom"]


@pytest.mark.parametrize(
    ("textfile", "reason"),
    [
        ("metrics.txt", "does not end in .prom"),
        (".prom", "does not end in .prom"),
        ("none/metrics.prom", "There is no folder"),
        ("folder.prom", "is a folder"),
    ],
)
def test_a_textfile_that_nobody_would_read_is_refused(textfile: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "folder.prom").mkdir()
    ended = _metrics("--directory", tmp_path, "--textfile", tmp_path / textfile)
    assert ended.status == 2
    assert reason in ended.err
    assert "Nothing was read or written." in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["folder.prom"]


def test_a_place_that_is_not_there_is_refused_and_the_textfile_stays(tmp_path: Path, bucket: Bucket) -> None:
    textfile = tmp_path / "dbbackup_catalog.prom"
    textfile.write_text("old")
    where = ("--textfile", textfile)
    missing = _metrics("--directory", tmp_path / "none", *where)
    assert missing.status == 2
    assert f"There is no directory {tmp_path / 'none'}" in missing.err
    assert dbbackup("metrics", *where, folder=tmp_path).status == 2
    nowhere = _metrics("--bucket", "no-such-bucket-of-ours", *where, bucket=bucket)
    assert nowhere.status == 1
    assert "There is no bucket" in nowhere.err
    both = _metrics("--directory", tmp_path, "--bucket", "other", *where)
    assert both.status == 2
    assert "Both a directory and a bucket are named" in both.err
    assert textfile.read_text() == "old"


@pytest.fixture
def instance(bucket: Bucket) -> Iterator[str]:
    """An RDS instance that moto keeps."""
    name = f"ftry-{bucket.name}"[:40].strip("-")
    environment = bucket.aws.environment()
    rds = boto3.client(
        "rds",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    rds.create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t4g.micro", Engine="postgres", AllocatedStorage=20
    )
    yield name
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


def _ask(instance: str, bucket: Bucket, *arguments: str | Path) -> Ended:
    environment = {**bucket.aws.environment(), "AWS_DEFAULT_REGION": "us-east-1", "S3_BACKUP_BUCKET": "another"}
    return dbbackup("metrics", "--instance", instance, *arguments, environment=environment)


def test_the_recovery_point_of_an_instance_is_told_alone(instance: str, bucket: Bucket, tmp_path: Path) -> None:
    ended = _ask(instance, bucket)
    assert ended.status == 0, ended.err
    [(key, moment)] = _values(ended.out).items()
    assert key == ("dbbackup_instance_latest_restorable_timestamp_seconds", instance)
    assert abs(datetime.now(UTC).timestamp() - moment) < 3600
    textfile = tmp_path / "dbbackup_instance.prom"
    ended = _ask(instance, bucket, "--textfile", textfile)
    assert f"1 samples of the instance {instance} are in {textfile}." in ended.out
    assert key in _values(textfile.read_text())


def test_an_instance_that_is_not_there_leaves_the_old_file(bucket: Bucket, tmp_path: Path) -> None:
    textfile = tmp_path / "dbbackup_instance.prom"
    textfile.write_text("old")
    ended = _ask("no-such-instance", bucket, "--textfile", textfile)
    assert ended.status == 1
    assert "There is no instance 'no-such-instance'" in ended.err
    assert textfile.read_text() == "old"


@pytest.mark.parametrize("option", ["--directory", "--bucket"])
def test_an_instance_and_a_store_are_two_commands(option: str, bucket: Bucket) -> None:
    ended = _ask("ftry-prod", bucket, option, "here")
    assert ended.status == 2
    assert "Both an instance and a store are named" in ended.err


def test_without_a_region_it_says_so() -> None:
    ended = dbbackup("metrics", "--instance", "ftry-prod", environment={"AWS_CONFIG_FILE": "/dev/null"})
    assert ended.status == 1
    assert "specify a region" in ended.err


class _Without:
    """RDS with an instance whose automated backups are off."""

    def find(self, identifier: str) -> dict[str, Any]:
        return {"DBInstanceIdentifier": identifier, "BackupRetentionPeriod": 0}


def test_an_instance_without_a_moment_is_no_observation() -> None:
    with pytest.raises(NotFoundError, match="automated backups are off"):
        instance_samples(cast(Instances, _Without()), "ftry-prod")


def test_an_unreadable_manifest_in_a_bucket_is_told(bucket: Bucket) -> None:
    key = manifest_of("shop").backup_id.object_key
    bucket.put(manifest_key(key), b"{}")
    ended = _metrics("--bucket", bucket.name, bucket=bucket)
    assert _values(ended.out)["dbbackup_catalog_unreadable_manifests", f"s3://{bucket.name}"] == 1
