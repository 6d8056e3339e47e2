"""A local AWS in a process of its own, so that its memory and its time are not ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from devtools.postgres import free_port

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REGION = "us-east-1"


@dataclass(frozen=True)
class LocalAws:
    """A running local AWS."""

    endpoint: str

    def environment(self) -> dict[str, str]:
        """The SDK's own variables that lead there."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        """A client of one service."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def make_bucket(self, name: str) -> S3Client:
        """A versioned bucket with Object Lock, as the storage stack declares it."""
        s3: S3Client = self.client("s3")
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return s3


@contextmanager
def start_aws() -> Iterator[LocalAws]:
    """Start it on a free port and stop it with the context."""
    port = free_port()
    environment = {**os.environ, "MOTO_CALL_RESET_API": "false"}
    process = subprocess.Popen(
        (sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)),
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        aws = LocalAws(f"http://127.0.0.1:{port}")
        _wait(aws, process)
        yield aws
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(aws: LocalAws, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 60
    while True:
        try:
            aws.client("s3").list_buckets()
        except (BotoCoreError, ClientError):
            if process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError("the local AWS did not start") from None
            time.sleep(0.2)
        else:
            return
