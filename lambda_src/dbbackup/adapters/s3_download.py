"""Reading an object as a stream that survives a dropped connection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError
from urllib3.exceptions import HTTPError

from dbbackup.adapters.aws_errors import translated
from dbbackup.core.deadline import NO_DEADLINE, Deadline

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

CHUNK_BYTES = 1024 * 1024
MAX_RESUMES = 5
_BROKEN = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError, HTTPError, ConnectionError)


def stream_object(
    client: S3Client, bucket: str, key: str, version_id: str | None, deadline: Deadline = NO_DEADLINE
) -> Iterator[bytes]:
    """The bytes of one object, or of one version of it.

    The SDK repeats a request, but not the reading of a body that breaks off; this goes on behind the last byte,
    on the same version, a few times.

    Raises:
        StorageError: it cannot be read, or broke off too often.
        DeadlineExceededError: the time came near while nothing arrived.
    """
    url = f"s3://{bucket}/{key}"
    request: GetObjectRequestTypeDef = {"Bucket": bucket, "Key": key}
    if version_id is not None:
        request["VersionId"] = version_id
    done = 0
    resumes = 0
    with translated("Reading", url):
        while True:
            if done:
                request["Range"] = f"bytes={done}-"
            answer = client.get_object(**request)
            request["IfMatch"] = answer["ETag"]  # never go on in another object
            try:
                for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                    done += len(chunk)
                    yield chunk
            except _BROKEN:
                deadline.check("reading the archive back")
                resumes += 1
                if resumes > MAX_RESUMES:
                    raise
                time.sleep(0.2 * 2**resumes)
            else:
                return
