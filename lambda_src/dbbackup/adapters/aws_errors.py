"""AWS's errors translated at the boundary: who must act, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    FlexibleChecksumError,
    InvalidProxiesConfigError,
    MetadataRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from dbbackup.core.errors import ArchivedError, NameTakenError, NotFoundError, StorageError, StorageFullError
from dbbackup.core.s3_remedies import FULL, s3_remedy

_MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NotFound"})


_TAKEN = frozenset({"PreconditionFailed", "412"})
_AT_ONCE = frozenset({"ConditionalRequestConflict", "409"})


def code_of(error: ClientError) -> str:
    """AWS's short word for an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_missing(error: ClientError) -> bool:
    """Whether the error says that there is no such object."""
    return code_of(error) in _MISSING


def is_taken(error: ClientError) -> bool:
    """Whether the error says that something else lies under the name, or is being written there at this moment.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    return code_of(error) in _TAKEN | _AT_ONCE


@contextmanager
def translated(doing: str, url: str, *, untouched: str = "Earlier backups are as they were.") -> Iterator[None]:
    """Turn the SDK's errors into ours.

    Raises:
        NotFoundError: there is no such bucket or object.
        NameTakenError: there is an object already, which stays as it is.
        ArchivedError: the object must be asked back from Glacier first.
        StorageError: anything else.
    """
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        said = error.response.get("Error", {}).get("Message", "")
        if code == "NoSuchBucket":
            raise NotFoundError(
                f"There is no bucket for {url}.", untouched=untouched, action="Check --bucket or S3_BACKUP_BUCKET."
            ) from error
        if code in _MISSING:
            raise NotFoundError(
                f"There is no {url}.", untouched=untouched, action="`dbbackup list` shows what there is."
            ) from error
        if is_taken(error):
            raise NameTakenError(
                f"There is another object at {url} already, or one is being written there.",
                untouched=f"It stays as it is, and nothing was written over. {untouched}",
                action="Repeat: another name is taken then.",
            ) from error
        if code == "InvalidObjectState":
            raise ArchivedError(
                f"{url} is in an archive storage class and cannot be read at once.",
                untouched=untouched,
                action="Ask it back first: aws s3api restore-object. It takes 3 to 5 hours from Glacier Flexible "
                "Retrieval and up to 12 hours from Deep Archive (standard retrieval).",
            ) from error
        kind = StorageFullError if code in FULL else StorageError
        raise kind(
            f"{doing} {url} failed: {code}: {said}",
            untouched=untouched,
            action="Make room in the store, or raise the bucket's quota."
            if code in FULL
            else s3_remedy(code, said, region=_region(error), skew_seconds=_skew(error)),
        ) from error
    except NoCredentialsError as error:
        raise StorageError(
            f"{doing} {url} failed: there are no AWS credentials.",
            untouched=untouched,
            action="Log in (aws sso login, AWS_PROFILE) or run where a role is attached.",
        ) from error
    except (ConfigNotFound, ConfigParseError, NoRegionError, PartialCredentialsError, ProfileNotFound) as error:
        raise StorageError(
            f"{doing} {url} failed: {error}.",
            untouched=untouched,
            action="Check AWS_PROFILE, AWS_REGION and the files in ~/.aws.",
        ) from error
    except ResponseParserError as error:
        raise StorageError(
            f"{doing} {url} failed: the answer was not understood.",
            untouched=untouched,
            action="What answered is not S3: a proxy's own page, or an AWS_ENDPOINT_URL that leads to a web page (the "
            "console of a store, perhaps).",
        ) from error
    except BotoCoreError as error:
        raise StorageError(f"{doing} {url} failed: {error}", untouched=untouched, action=_of_the_way(error)) from error


def _region(error: ClientError) -> str | None:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    named: Mapping[str, Any] = error.response.get("Error", {})
    region = named.get("Region") or headers.get("x-amz-bucket-region")
    return str(region) if region else None


def _skew(error: ClientError) -> float:
    """How far the other clock is ahead of ours, by the time of its answer; 0 where it does not say."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    with suppress(ValueError, TypeError):
        return (parsedate_to_datetime(headers.get("date", "")) - datetime.now(UTC)).total_seconds()
    return 0.0


def _of_the_way(error: BotoCoreError) -> str:
    """What to do where no answer came, or none of S3."""
    for kinds, remedy in _WAY:
        if isinstance(error, kinds):
            return remedy
    return "Check the network path to S3 (in a VPC: the gateway endpoint) and repeat."


_WAY: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    (
        (ProxyConnectionError, InvalidProxiesConfigError),
        "Check HTTPS_PROXY; NO_PROXY names what is reached without it.",
    ),
    (
        (SSLError,),
        "The store's certificate is not trusted. A proxy that reads along, or a store of your own, has an authority of "
        "its own: name its file in AWS_CA_BUNDLE. Check the clock, too.",
    ),
    (
        (TokenRetrievalError, SSOError),
        "Log in again: aws sso login.",
    ),
    (
        (CredentialRetrievalError, MetadataRetrievalError),
        "What gives the credentials (a program of the profile, the machine's or container's role) failed: run aws sts "
        "get-caller-identity until it answers.",
    ),
    (
        (EndpointConnectionError,),
        "Nothing answers under this address. Check DNS and the way there (in a VPC: the gateway endpoint), AWS_REGION, "
        "since a region that does not exist has no address, and AWS_ENDPOINT_URL, if it is set.",
    ),
    (
        (ConnectTimeoutError, ReadTimeoutError, ConnectionClosedError),
        "The store did not answer in time. Check the way there (in a VPC: the gateway endpoint; elsewhere: firewalls, "
        "HTTPS_PROXY), then repeat.",
    ),
    (
        (FlexibleChecksumError,),
        "The bytes were changed on the way: look for a proxy that changes them. Then repeat.",
    ),
)
