"""S3 takes a request and never answers: the run still ends at its deadline, and says so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from dbbackup.adapters import s3_store, s3_upload
from dbbackup.core.deadline import Deadline
from dbbackup.core.errors import DeadlineExceededError
from tests.support.backups import take
from tests.support.buckets import Bucket
from tests.support.databases import Database
from tests.support.faults import intercept


@pytest.fixture
def silence() -> Iterator[threading.Event]:
    """Requests wait for this event, which comes when the test is over."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("operation", ["UploadPart", "AbortMultipartUpload"])
def test_a_store_that_does_not_answer_does_not_keep_a_run_beyond_its_deadline(
    large_database: Database,
    bucket: Bucket,
    silence: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
) -> None:
    monkeypatch.setattr(s3_upload, "LAST_SECONDS", 0.5)
    client = s3_store.make_client(hurried=True)

    def unanswered(**_: Any) -> None:
        silence.wait(60)

    for name in {"UploadPart", operation}:  # a part that stalls, and then perhaps the abort as well
        intercept(client, name, unanswered)
    deadline = Deadline.after(3)

    with pytest.raises(DeadlineExceededError, match="storing a part that S3 does not answer for"):
        take(large_database, s3_store.S3Store(client, bucket.name, deadline), deadline=deadline)

    assert not silence.is_set()
    assert bucket.names() == []


def test_a_read_that_stalls_is_not_resumed_after_the_deadline(
    database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = take(database, bucket.store()).manifest.archive.key
    passed = Deadline(at=0.0)
    client = s3_store.make_client(hurried=True)

    def broken(*_: Any, **__: Any) -> Iterator[bytes]:
        raise ConnectionError("the line is dead")
        yield b""

    monkeypatch.setattr("botocore.response.StreamingBody.iter_chunks", broken)
    with (
        pytest.raises(DeadlineExceededError, match="reading the archive back"),
        s3_store.S3Store(client, bucket.name, passed).read(key) as chunks,
    ):
        list(chunks)
