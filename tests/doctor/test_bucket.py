"""What the doctor finds in a bucket; each failure is made to happen, and nothing is left behind."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest

from dbbackup.adapters import bucket_inspection
from dbbackup.adapters.bucket_inspection import BucketInspection
from devtools.postgres import free_port
from tests.doctor.test_machine_and_server import checks
from tests.support.backups import manifest_of
from tests.support.buckets import Bucket
from tests.support.command import Ended
from tests.support.databases import Database
from tests.support.faults import ALWAYS, Refusing
from tests.support.restores import cli

BLOCKED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
RULE = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "daily/"}, "Expiration": {"Days": 30}}
LOCK = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 7}}}


@pytest.fixture
def key(bucket: Bucket) -> str:
    made: str = bucket.aws.client("kms").create_key()["KeyMetadata"]["KeyId"]
    return made


@pytest.fixture
def sound(bucket: Bucket, key: str) -> Bucket:
    """A bucket as the storage stack makes it."""
    s3: Any = bucket.s3
    s3.put_public_access_block(Bucket=bucket.name, PublicAccessBlockConfiguration=BLOCKED)
    s3.put_bucket_lifecycle_configuration(Bucket=bucket.name, LifecycleConfiguration={"Rules": [RULE]})
    s3.put_object_lock_configuration(Bucket=bucket.name, ObjectLockConfiguration=LOCK)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]}
    s3.put_bucket_encryption(Bucket=bucket.name, ServerSideEncryptionConfiguration=rules)
    return bucket


def doctor(database: Database, bucket: str, *words: str, **changes: str) -> Ended:
    return cli("doctor", "--bucket", bucket, "--json", *words, environment={**database.environment(), **changes})


def test_a_sound_bucket_has_nothing_to_fix_and_nothing_is_left_in_it(database: Database, sound: Bucket) -> None:
    ended = doctor(database, sound.name)
    assert ended.status == 0, ended.out
    assert {name for name, check in checks(ended).items() if check["status"] != "ok"} == {
        "compression",
        "newest backup",
    }
    assert sound.names() == []
    assert sound.unfinished_uploads() == []


@pytest.mark.parametrize(
    ("name", "status", "undo"),
    [
        ("versioning", "failed", None),
        ("Object Lock", "warning", "lock"),
        ("encryption", "warning", "delete_bucket_encryption"),
        ("public access", "failed", "delete_public_access_block"),
        ("life cycle", "warning", "delete_bucket_lifecycle"),
    ],
)
def test_a_protection_that_is_missing_is_named_with_the_command(
    database: Database, sound: Bucket, name: str, status: str, undo: str | None
) -> None:
    s3: Any = sound.s3
    if undo == "lock":
        s3.put_object_lock_configuration(Bucket=sound.name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    elif undo:
        getattr(s3, undo)(Bucket=sound.name)
    bucket = sound.name
    if undo is None:
        bucket = f"{sound.name}-plain"
        s3.create_bucket(Bucket=bucket)
    found = checks(doctor(database, bucket))[name]
    assert found["status"] == status
    assert found["action"]
    if "aws s3api" in found["action"]:
        assert bucket in found["action"]


def test_a_public_access_block_with_a_gap_is_none(database: Database, sound: Bucket) -> None:
    s3: Any = sound.s3
    gap = {**BLOCKED, "BlockPublicPolicy": False}
    s3.put_public_access_block(Bucket=sound.name, PublicAccessBlockConfiguration=gap)
    assert checks(doctor(database, sound.name))["public access"]["status"] == "failed"


def test_a_life_cycle_that_is_switched_off_is_none(database: Database, sound: Bucket) -> None:
    rules: Any = {"Rules": [{**RULE, "Status": "Disabled"}]}
    sound.s3.put_bucket_lifecycle_configuration(Bucket=sound.name, LifecycleConfiguration=rules)
    assert checks(doctor(database, sound.name))["life cycle"]["status"] == "warning"


def test_a_key_that_is_disabled_or_gone(database: Database, sound: Bucket, key: str) -> None:
    kms = sound.aws.client("kms")
    kms.disable_key(KeyId=key)
    found = checks(doctor(database, sound.name))
    assert found["KMS key"]["status"] == "failed"
    assert "Disabled" in found["KMS key"]["found"]
    assert found["writing"]["status"] == "skipped"
    kms.schedule_key_deletion(KeyId=key)
    assert "PendingDeletion" in checks(doctor(database, sound.name))["KMS key"]["found"]


def test_a_bucket_that_is_not_there(database: Database, bucket: Bucket) -> None:
    ended = doctor(database, f"{bucket.name}-elsewhere")
    found = checks(ended)
    assert ended.status == 1
    assert "There is no bucket" in found["bucket"]["found"]
    for later in ("listing", "writing", "versioning", "KMS key"):
        assert found[later]["status"] == "skipped"
    assert found["AWS's clock"]["status"] == "ok", "a refusal tells the time, too"
    assert found["tables"]["status"] == "ok"


def test_a_bucket_in_another_region_is_a_warning(database: Database, bucket: Bucket) -> None:
    name = f"{bucket.name}-far"
    bucket.aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    found = checks(doctor(database, name))["bucket"]
    assert found["status"] == "warning"
    assert "eu-west-1" in found["action"]


def test_without_credentials(database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers credentials
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    found = checks(doctor(database, bucket.name))["bucket"]
    assert found["status"] == "failed"
    assert "no AWS credentials" in found["found"]


@pytest.mark.parametrize(
    ("operation", "name", "status"),
    [
        ("ListObjectsV2", "listing", "failed"),
        ("CreateMultipartUpload", "writing", "failed"),
        ("AbortMultipartUpload", "writing", "warning"),
        ("GetBucketVersioning", "versioning", "warning"),
        ("GetObjectLockConfiguration", "Object Lock", "warning"),
        ("GetPublicAccessBlock", "public access", "warning"),
        ("HeadBucket", "bucket", "failed"),
    ],
)
def test_a_right_that_is_missing_is_told_of(
    database: Database,
    sound: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    name: str,
    status: str,
) -> None:
    fault = Refusing(operation, 403, "AccessDenied", times=ALWAYS)
    monkeypatch.setattr(bucket_inspection, "make_client", lambda **_: fault.client)
    found = checks(doctor(database, sound.name))[name]
    assert found["status"] == status
    assert found["action"]
    assert fault.calls >= 1


def test_a_clock_that_is_wrong_is_found_by_the_answers_of_aws(bucket: Bucket) -> None:
    slow = BucketInspection(bucket.name, now=lambda: datetime.now(UTC) - timedelta(minutes=10)).skew_seconds()
    assert slow is not None
    assert 590 < slow < 610
    right = BucketInspection(bucket.name).skew_seconds()
    assert right is not None
    assert -10 < right < 10


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server of HTTP on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Refuses(BaseHTTPRequestHandler):
    """Answers like S3 to what is signed at a wrong time: 403, without a word as to a HEAD, and with its own time."""

    ahead = timedelta()

    def do_HEAD(self) -> None:
        self.send_response_only(403)
        self.send_header("Date", format_datetime(datetime.now(UTC) + self.ahead, usegmt=True))
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("ahead", "statuses", "action"),
    [
        (timedelta(hours=1), ("failed", "skipped"), "timedatectl set-ntp true"),
        (timedelta(0), ("ok", "failed"), "may do this"),
    ],
    ids=["wrong clock", "right clock"],
)
def test_a_refusal_for_a_wrong_clock_is_not_taken_for_a_missing_right(
    database: Database, bucket: Bucket, ahead: timedelta, statuses: tuple[str, str], action: str
) -> None:
    with serving(type("_Refusing", (_Refuses,), {"ahead": ahead})) as endpoint:
        found = checks(doctor(database, bucket.name, AWS_ENDPOINT_URL=endpoint))
    assert (found["AWS's clock"]["status"], found["bucket"]["status"]) == statuses
    assert list(found).index("AWS's clock") < list(found).index("bucket")
    assert action in found["AWS's clock" if statuses[0] == "failed" else "bucket"]["action"]


def test_a_profile_that_is_not_there_is_a_finding(
    database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers the profile
    found = checks(doctor(database, bucket.name, AWS_PROFILE="no-such-profile"))["bucket"]
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert found["status"] == "failed"
    assert "no-such-profile" in found["found"]
    assert "AWS_PROFILE" in found["action"]


def test_where_nothing_answers_it_is_not_the_clock(database: Database, bucket: Bucket) -> None:
    found = checks(doctor(database, bucket.name, AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}"))
    assert (found["bucket"]["status"], found["AWS's clock"]["status"]) == ("failed", "skipped")


def test_a_backup_that_is_old_is_a_warning(database: Database, sound: Bucket) -> None:
    manifest = manifest_of(database.name, days_old=3)
    here = {"host": database.server.host, "port": database.server.port}
    manifest = manifest.model_copy(update={"source": manifest.source.model_copy(update=here)})
    body, name = manifest.to_bytes(), f"daily/{manifest.archive.key}".removesuffix(".dump") + ".manifest.json"
    sound.put(name, body, ContentMD5=b64encode(md5(body, usedforsecurity=False).digest()).decode())
    found = checks(doctor(database, sound.name))["newest backup"]
    assert found["status"] == "warning"
    assert "3 d old" in found["found"]


def test_the_bucket_may_come_from_the_environment(database: Database, sound: Bucket, tmp_path: Path) -> None:
    environment = {**database.environment(), "S3_BACKUP_BUCKET": sound.name}
    assert "versioning" in checks(cli("doctor", "--json", environment=environment))
    assert "directory" in checks(cli("doctor", "--json", "--directory", tmp_path, environment=environment))
