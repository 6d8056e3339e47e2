"""S3 refuses: once, and it is tried again; always, and nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from dbbackup.adapters import s3_store
from dbbackup.core.errors import NotFoundError, StorageError
from dbbackup.core.naming import MANIFEST_SUFFIX
from dbbackup.operations.catalog import read_catalog
from tests.support.backups import MOMENT, take
from tests.support.buckets import Bucket
from tests.support.command import dbbackup
from tests.support.databases import Database
from tests.support.faults import ALWAYS, Refusing, intercept, quick_retries, refusal
from tests.support.function import deploy, failures_counted

UPLOAD = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    with quick_retries():
        yield


@pytest.mark.parametrize("operation", [*UPLOAD, "PutObject", "HeadObject", "GetObject"])
@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError")])
def test_what_is_refused_once_is_tried_again(
    database: Database, bucket: Bucket, operation: str, status: int, code: str
) -> None:
    fault = Refusing(operation, status, code, times=1)
    outcome = take(database, bucket.store(fault.client))
    assert fault.calls >= 2
    assert outcome.manifest.archive.key in bucket.names()
    assert bucket.versions(outcome.manifest.archive.key) == 1
    assert bucket.unfinished_uploads() == []


@pytest.mark.parametrize("operation", UPLOAD)
@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (403, "AccessDenied")])
def test_what_is_always_refused_leaves_nothing(
    large_database: Database, bucket: Bucket, operation: str, status: int, code: str
) -> None:
    fault = Refusing(operation, status, code, times=ALWAYS)
    with pytest.raises(StorageError, match=code) as failure:
        take(large_database, bucket.store(fault.client))
    assert bucket.names() == []
    assert bucket.unfinished_uploads() == []
    assert "nothing is stored under the final name" in failure.value.untouched
    assert ("KMS key" in failure.value.action) == (code == "AccessDenied")


def test_the_function_counts_a_refusal(
    database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    function = deploy(bucket, database, monkeypatch)
    fault = Refusing("UploadPart", 403, "AccessDenied", times=ALWAYS)
    monkeypatch.setattr(s3_store, "make_client", lambda **_: fault.client)
    with pytest.raises(StorageError, match=r"Storing a part of s3://.* failed: AccessDenied"):
        function.invoke()
    assert failures_counted(capsys.readouterr().out) == 1


def test_a_later_part_that_is_refused_aborts_the_upload(large_database: Database, bucket: Bucket) -> None:
    fault = Refusing("UploadPart", 403, "AccessDenied", ALWAYS, only=lambda url: "partNumber=1&" not in url)
    with pytest.raises(StorageError, match="AccessDenied"):
        take(large_database, bucket.store(fault.client))
    assert bucket.names() == []
    assert bucket.unfinished_uploads() == []


def test_a_completion_that_was_carried_out_while_its_answer_was_lost_is_a_success(
    database: Database, bucket: Bucket
) -> None:
    client = s3_store.make_client()
    calls: list[str] = []

    def lose_the_answer(request: Any, **_: Any) -> AWSResponse | None:
        calls.append(request.url)
        if len(calls) > 1:
            return refusal(request, 404, "NoSuchUpload")
        upload, key = calls[0].rpartition("uploadId=")[2], calls[0].partition(f"/{bucket.name}/")[2].partition("?")[0]
        parts = bucket.s3.list_parts(Bucket=bucket.name, Key=key, UploadId=upload)["Parts"]
        bucket.s3.complete_multipart_upload(
            Bucket=bucket.name,
            Key=key,
            UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts]},
        )
        return refusal(request, 500, "InternalError")

    intercept(client, "CompleteMultipartUpload", lose_the_answer)
    outcome = take(database, bucket.store(client))
    assert len(calls) == 2
    assert bucket.versions(outcome.manifest.archive.key) == 1
    assert [entry.sound for entry in read_catalog(bucket.store()).entries] == [True]


def test_an_archive_that_cannot_be_looked_at_once_stored_is_not_said_to_be_thrown_away(
    database: Database, bucket: Bucket
) -> None:
    client = s3_store.make_client()
    completed: list[str] = []
    intercept(client, "CompleteMultipartUpload", lambda request, **_: completed.append(request.url))
    Refusing("HeadObject", 403, "AccessDenied", ALWAYS, client=client, only=lambda _: bool(completed))
    with pytest.raises(StorageError, match="Looking at the stored") as failure:
        take(database, bucket.store(client))
    assert len(bucket.names()) == 1
    assert "aborted" not in failure.value.untouched
    assert "it has no manifest" in failure.value.untouched
    assert read_catalog(bucket.store()).entries == ()


@pytest.mark.parametrize("what", ["roles.sql", "manifest.json"])
def test_a_document_that_cannot_be_stored_means_no_backup(database: Database, bucket: Bucket, what: str) -> None:
    fault = Refusing("PutObject", 403, "AccessDenied", ALWAYS, only=lambda url: url.endswith(what))
    with pytest.raises(StorageError, match=what) as failure:
        take(database, bucket.store(fault.client), scheduled_time=MOMENT)
    assert read_catalog(bucket.store()).entries == ()
    assert not [key for key in bucket.names() if key.endswith(MANIFEST_SUFFIX)]
    assert "has no manifest, so nothing takes it for a backup" in failure.value.untouched
    assert take(database, bucket.store(), scheduled_time=MOMENT).created, "the next run makes it whole"


def test_a_bucket_that_is_not_there_is_named(database: Database, bucket: Bucket) -> None:
    with pytest.raises(NotFoundError, match="There is no bucket for s3://elsewhere-and-gone/"):
        take(database, s3_store.S3Store(s3_store.make_client(), "elsewhere-and-gone"))


def test_without_credentials_the_message_says_how_to_get_some(database: Database, bucket: Bucket) -> None:
    nowhere = {"AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_CONFIG_FILE": "/nonexistent"}
    own = {name: value for name, value in bucket.aws.environment().items() if "KEY" not in name}
    ended = dbbackup("backup", "--bucket", bucket.name, environment={**database.environment(), **own, **nowhere})
    assert ended.status == 1
    assert "there are no AWS credentials" in ended.err
    assert "aws sso login" in ended.err
    assert bucket.names() == []


def test_an_endpoint_that_nobody_answers_is_reported(
    database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match="Could not connect to the endpoint") as failure:
        take(database, bucket.store())
    assert "gateway endpoint" in failure.value.action


def _refuse_checksums(request: Any, **_: Any) -> AWSResponse | None:
    """A store of before 2025 that takes no header it does not know."""
    if any(name.lower().startswith(("x-amz-checksum", "x-amz-sdk-", "x-amz-trailer")) for name in request.headers):
        return refusal(request, 501, "NotImplemented")
    return None


def test_a_store_without_checksums_is_named_and_works_with_the_setting_that_is_named(
    large_database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def client() -> Any:
        made = s3_store.make_client()
        for operation in (*UPLOAD, "PutObject", "GetObject", "HeadObject"):
            intercept(made, operation, _refuse_checksums)
        return made

    with pytest.raises(StorageError, match="NotImplemented") as failure:
        take(large_database, bucket.store(client()))
    for variable in ("AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"):
        assert f"{variable}=when_required" in failure.value.action
        monkeypatch.setenv(variable, "when_required")
    outcome = take(large_database, bucket.store(client()))
    assert len(read_catalog(bucket.store()).entries) == 1
    assert outcome.manifest.archive.size_bytes > 20_000_000
