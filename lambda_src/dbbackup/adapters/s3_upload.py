"""A multipart upload that becomes an object only when its producer is known to have ended well.

The SDK's transfer manager completes an upload when its input ends, keeps one part size and can hold ten parts
in memory; a dump's end says nothing until its process has exited, its length is not known, and its memory is
bounded here. See docs/decisions/0003-own-multipart-writer.md.
"""

from __future__ import annotations

import logging
import threading
import uuid
import zlib
from base64 import b64encode
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from botocore.exceptions import BotoCoreError, ClientError

from dbbackup.adapters.aws_errors import translated
from dbbackup.adapters.s3_checksums import checksummed
from dbbackup.contract import KIND_DUMP, TAG_KIND
from dbbackup.core.deadline import NO_DEADLINE, Deadline
from dbbackup.core.errors import InterruptedRunError, StorageError
from dbbackup.core.multipart import MAX_PARTS, first_part_bytes, part_bytes
from dbbackup.core.ports import StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_LOG = logging.getLogger(__name__)
PARTS_IN_FLIGHT = 2
LAST_SECONDS = 15.0
"""How long an abort may take once the deadline has passed, or somebody waits for us to stop."""
RUN_METADATA = "dbbackup-run"
_UNTOUCHED = "The upload was aborted: nothing is stored under the final name, and earlier backups are as they were."
_UNVERIFIED = "The archive is stored but not verified; it has no manifest, so nothing takes it for a backup."


class MultipartUpload:
    """One archive on its way to S3. Leaving the context before :meth:`commit` aborts it."""

    def __init__(
        self,
        client: S3Client,
        bucket: str,
        key: str,
        *,
        expected_bytes: int,
        deadline: Deadline = NO_DEADLINE,
        lock: Mapping[str, Any] | None = None,
    ) -> None:
        self._client = client
        self._deadline = deadline
        self._bucket = bucket
        self._key = key
        self._url = f"s3://{bucket}/{key}"
        self._first = first_part_bytes(expected_bytes)
        self._run = uuid.uuid4().hex
        self._free: list[bytearray] = []
        self._filled = 0
        self._number = 1
        self._size = 0
        self._checksum = 0
        self._sending: deque[tuple[Future[CompletedPartTypeDef], bytearray]] = deque()
        self._parts: list[CompletedPartTypeDef] = []
        self._open = True
        self._buffer = self._take_buffer()
        self._pool = ThreadPoolExecutor(PARTS_IN_FLIGHT, thread_name_prefix="upload")
        with translated("Starting the upload of", self._url, untouched=_UNTOUCHED):
            self._upload_id = client.create_multipart_upload(
                Bucket=bucket,
                Key=key,
                ContentType="application/vnd.postgresql.dump",
                **checksummed(client, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT"),
                Metadata={RUN_METADATA: self._run},
                Tagging=f"{TAG_KIND}={KIND_DUMP}",
                **(lock or {}),
            )["UploadId"]

    def write(self, chunk: bytes) -> None:
        """Take the next bytes; blocks while enough parts are on their way.

        Raises:
            StorageError: a part could not be stored, after the SDK's retries.
        """
        self._checksum = zlib.crc32(chunk, self._checksum)
        self._size += len(chunk)
        view = memoryview(chunk)
        while view:
            taken = view[: len(self._buffer) - self._filled]
            self._buffer[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            view = view[len(taken) :]
            if self._filled == len(self._buffer):
                self._send()
                self._buffer = self._take_buffer()

    def _take_buffer(self) -> bytearray:
        """An empty part; used ones come back, so memory is what is in flight plus the one being filled."""
        if self._number > MAX_PARTS:
            raise StorageError(
                f"The archive outgrew the {MAX_PARTS} parts of an S3 object after {self._size} bytes.",
                untouched=_UNTOUCHED,
                action="The estimate from the database's size was far too low; please report this.",
            )
        size = part_bytes(self._number, self._first)
        while len(self._sending) >= PARTS_IN_FLIGHT:
            self._collect()
        while self._free:
            if len(buffer := self._free.pop()) == size:
                return buffer
        return bytearray(size)

    def _send(self) -> None:
        if self._filled < len(self._buffer):  # the last part
            del self._buffer[self._filled :]
        self._sending.append((self._pool.submit(self._upload_part, self._number, self._buffer), self._buffer))
        self._filled = 0
        self._number += 1

    def _upload_part(self, number: int, body: bytearray) -> CompletedPartTypeDef:
        answer = self._client.upload_part(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=self._upload_id,
            PartNumber=number,
            Body=cast("bytes", body),  # the SDK takes a bytearray as it is; its type stubs do not know
            **checksummed(self._client, ChecksumAlgorithm="CRC32"),
        )
        part: CompletedPartTypeDef = {"PartNumber": number, "ETag": answer["ETag"]}
        if "ChecksumCRC32" in answer:
            part["ChecksumCRC32"] = answer["ChecksumCRC32"]
        return part

    def _collect(self) -> None:
        with translated("Storing a part of", self._url, untouched=_UNTOUCHED):
            future, buffer = self._sending[0]
            try:
                part = future.result(timeout=self._deadline.remaining())
            except TimeoutError:
                self._deadline.check("storing a part that S3 does not answer for")
                raise
            self._sending.popleft()
            self._parts.append(part)
            self._free.append(buffer)

    def commit(self) -> StoredObject:
        """Complete the upload: S3 compares the checksum of the whole stream, then the object appears.

        Raises:
            NameTakenError: another object appeared under the key meanwhile, which stays.
            StorageError: S3 did not complete it, so there is no object.
        """
        if self._filled or self._number == 1:
            self._send()
        while self._sending:
            self._collect()
        checksum = b64encode(self._checksum.to_bytes(4, "big")).decode()
        with translated("Completing the upload of", self._url, untouched=_UNTOUCHED):
            self._complete(checksum)
            self._open = False
        with translated("Looking at the stored", self._url, untouched=_UNVERIFIED):
            head = self._client.head_object(Bucket=self._bucket, Key=self._key)
        if head["ContentLength"] != self._size or head["Metadata"].get(RUN_METADATA) != self._run:
            raise StorageError(
                f"{self._url} is not what this run has stored: {head['ContentLength']} bytes instead of {self._size}.",
                untouched="Earlier versions of the object are kept by the bucket.",
                action="Look for another writer of this bucket, then repeat the backup.",
            )
        return StoredObject(
            key=self._key,
            size_bytes=self._size,
            modified=head["LastModified"],
            storage_class=head.get("StorageClass", "STANDARD"),
            version_id=head.get("VersionId"),
        )

    def _complete(self, checksum: str) -> None:
        try:
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._upload_id,
                MultipartUpload={"Parts": self._parts},
                **checksummed(
                    self._client, ChecksumCRC32=checksum, ChecksumType="FULL_OBJECT", MpuObjectSize=self._size
                ),
                IfNoneMatch="*",
            )
        except (ClientError, BotoCoreError):
            # It may have been carried out though its answer was lost; a repeat then finds no upload any more.
            if not self._is_ours():
                raise

    def _is_ours(self) -> bool:
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=self._key)
        except (ClientError, BotoCoreError):
            return False
        return head["Metadata"].get(RUN_METADATA) == self._run

    def _abort(self) -> None:
        try:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=self._upload_id)
        except (ClientError, BotoCoreError) as error:
            # The failure that led here matters more; parts without an object cost a day's storage at most.
            _LOG.warning(
                "The upload of %s could not be aborted (%s). Its parts are invisible, and the bucket's life cycle "
                "removes them after a day.",
                self._url,
                error,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for future, _ in self._sending:
            future.cancel()
        if not self._open:
            self._pool.shutdown(wait=True)
            return
        # With no time left, or told to stop, a store that does not answer must not keep us from saying so.
        hurried = self._deadline.passed or isinstance(error, InterruptedRunError)
        winding_up = threading.Thread(target=self._wind_up, daemon=True)
        winding_up.start()
        winding_up.join(LAST_SECONDS if hurried else None)

    def _wind_up(self) -> None:
        self._pool.shutdown(wait=True)  # a part that arrives after the abort would stay behind
        self._abort()
