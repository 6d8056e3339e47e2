"""Every error of S3 that a person can mend says how."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.parsers import ResponseParserError

from dbbackup.adapters.aws_errors import translated
from dbbackup.adapters.s3_store import make_client
from dbbackup.core.errors import StorageError, StorageFullError
from devtools.postgres import free_port
from tests.support.faults import Raw, intercept

ONCE = Config(retries={"mode": "standard", "max_attempts": 1})
DENIED = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: {} on resource: arn:aws:s3:::b/k because "


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def _answered(
    status: int, code: str, said: str = "injected", *, method: str = "get_object", more: str = "", **headers: str
) -> StorageError:
    """What becomes of an answer of S3, as the SDK reads it."""
    client = boto3.client("s3", config=ONCE)
    body = f"<Error><Code>{code}</Code><Message>{said}</Message>{more}</Error>".encode()

    def answer(request: Any, **_: Any) -> AWSResponse:
        raw: Any = Raw(b"" if request.method == "HEAD" else body)
        return AWSResponse(
            request.url, status, HTTPHeaders.from_dict({k.replace("_", "-"): v for k, v in headers.items()}), raw
        )

    for operation in ("HeadObject", "GetObject", "HeadBucket"):  # the last is how the SDK looks for a region
        intercept(client, operation, answer)
    with pytest.raises(StorageError) as failure, translated("Reading", "s3://b/k"):
        getattr(client, method)(Bucket="b", Key="k")
    return failure.value


@pytest.mark.parametrize(
    ("status", "code", "said", "remedy"),
    [
        (400, "ExpiredToken", "The provided token has expired.", "aws sso login"),
        (400, "TokenRefreshRequired", "", "aws sso login"),
        (400, "InvalidToken", "", "AWS_SESSION_TOKEN"),
        (403, "InvalidAccessKeyId", "", "AWS_SESSION_TOKEN"),
        (403, "SignatureDoesNotMatch", "The request signature we calculated", "AWS_SECRET_ACCESS_KEY"),
        (403, "AccountProblem", "", "account itself"),
        (403, "AccessDenied", "Access Denied", "AWS_PROFILE"),
        (403, "AccessDenied", DENIED.format("s3:PutObject") + "no identity-based policy", "Allow s3:PutObject"),
        (403, "AccessDenied", DENIED.format("kms:Decrypt") + "no identity-based policy", "kms:Decrypt on the bucket"),
        (403, "AccessDenied", DENIED.format("s3:GetObject") + "with an explicit deny in a VPC endpoint policy",
         "A VPC endpoint policy denies s3:GetObject"),
        (403, "AccessDenied", DENIED.format("s3:GetObject") + "with an explicit deny in a service control policy",
         "A service control policy denies"),
        (400, "KMS.DisabledException", "", "enable-key"),
        (400, "KMS.KMSInvalidStateException", "is pending deletion", "cancel-key-deletion"),
        (400, "KMS.NotFoundException", "", "not there"),
        (503, "SlowDown", "", "different minutes"),
        (500, "InternalError", "", "health"),
        (400, "EntityTooLarge", "", "client_max_body_size"),
        (413, "413", "", "client_max_body_size"),
        (404, "NoSuchUpload", "", "life cycle rule"),
        (400, "BadDigest", "", "proxy that changes them"),
        (405, "MethodNotAllowed", "", "delete marker"),
        (501, "NotImplemented", "A header you provided implies functionality", "AWS_REQUEST_CHECKSUM_CALCULATION"),
        (400, "InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD", "AWS_REQUEST_CHECKSUM_CALCULATION"),
        (400, "InvalidRequest", "trailer x-amz-checksum-crc32 is not supported", "AWS_REQUEST_CHECKSUM_CALCULATION"),
        (403, "SignatureDoesNotMatch", "headers x-amz-checksum-crc32 signed", "AWS_REQUEST_CHECKSUM_CALCULATION"),
        (400, "IllegalLocationConstraintException", "", "AWS_REGION"),
        (400, "SomethingNew", "", "dbbackup doctor"),
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_an_answer_comes_with_what_to_do(status: int, code: str, said: str, remedy: str) -> None:
    failure = _answered(status, code, said)
    assert code in failure.what
    assert remedy in failure.action
    assert failure.untouched


def test_a_bucket_elsewhere_names_its_region() -> None:
    wrong = _answered(400, "AuthorizationHeaderMalformed", "expecting 'eu-west-3'", more="<Region>eu-west-3</Region>")
    assert "set AWS_REGION=eu-west-3" in wrong.action
    moved = _answered(301, "PermanentRedirect", "must be addressed", x_amz_bucket_region="eu-north-1")
    assert "set AWS_REGION=eu-north-1" in moved.action


@pytest.mark.parametrize(("hours", "side"), [(3, "behind"), (-3, "ahead")])
@pytest.mark.parametrize(
    ("status", "code", "method"), [(403, "RequestTimeTooSkewed", "get_object"), (403, "AccessDenied", "head_object")]
)
def test_a_wrong_clock_is_named_also_where_s3_gives_no_reason(
    hours: int, side: str, status: int, code: str, method: str
) -> None:
    failure = _answered(status, code, method=method, date=format_datetime(datetime.now(UTC) + timedelta(hours=hours)))
    assert "Set this machine's clock" in failure.action
    assert f"3 h 0 min {side}" in failure.action or f"{side}." in failure.action


def test_an_answer_without_a_reason_says_what_it_is_most_often() -> None:
    assert "AWS_REGION" in _answered(400, "", method="head_object").action


def test_a_store_that_is_full_is_that() -> None:
    assert isinstance(_answered(507, "XMinioStorageFull"), StorageFullError)


def test_nothing_that_answers_is_told_from_a_proxy_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StorageError) as failure, translated("Reading", "s3://b/k"):
        boto3.client("s3", config=ONCE).get_object(Bucket="b", Key="k")
    assert "AWS_ENDPOINT_URL" in failure.value.action
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StorageError) as failure, translated("Reading", "s3://b/k"):
        boto3.client("s3", config=ONCE).get_object(Bucket="b", Key="k")
    assert "HTTPS_PROXY" in failure.value.action


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_store_that_is_silent_says_so(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent}")
    hurried = ONCE.merge(Config(read_timeout=0.2))
    with pytest.raises(StorageError) as failure, translated("Reading", "s3://b/k"):
        boto3.client("s3", config=hurried).get_object(Bucket="b", Key="k")
    assert "did not answer in time" in failure.value.action


def test_an_endpoint_that_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "not an address")
    with pytest.raises(StorageError) as failure:
        make_client()
    assert "AWS_ENDPOINT_URL" in failure.value.action


def test_an_answer_that_is_a_web_page_is_named() -> None:
    with pytest.raises(StorageError) as failure, translated("Listing", "s3://b"):
        raise ResponseParserError("Unable to parse response (mismatched tag), invalid XML received: <html>")
    assert "What answered is not S3" in failure.value.action
