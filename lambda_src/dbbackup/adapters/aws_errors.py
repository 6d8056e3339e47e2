"""AWS's errors translated at the boundary: who must act, and how."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from dbbackup.core.errors import ArchivedError, NotFoundError, StorageError

_MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NotFound"})
_DENIED = frozenset({"AccessDenied", "403", "Forbidden", "AllAccessDisabled", "KMS.AccessDeniedException"})


def code_of(error: ClientError) -> str:
    """AWS's short word for an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_missing(error: ClientError) -> bool:
    """Whether the error says that there is no such object."""
    return code_of(error) in _MISSING


@contextmanager
def translated(doing: str, url: str, *, untouched: str = "Earlier backups are as they were.") -> Iterator[None]:
    """Turn the SDK's errors into ours.

    Raises:
        NotFoundError: there is no such bucket or object.
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
        if code == "InvalidObjectState":
            raise ArchivedError(
                f"{url} is in an archive storage class and cannot be read at once.",
                untouched=untouched,
                action="Ask it back first: aws s3api restore-object. It takes 3 to 5 hours from Glacier Flexible "
                "Retrieval and up to 12 hours from Deep Archive (standard retrieval).",
            ) from error
        action = (
            "Check that the role or user may do this, on the bucket and on its KMS key."
            if code in _DENIED
            else "Repeat it; if it fails again, look at the bucket and at the service's health."
        )
        raise StorageError(f"{doing} {url} failed: {code}: {said}", untouched=untouched, action=action) from error
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
    except BotoCoreError as error:
        raise StorageError(
            f"{doing} {url} failed: {error}",
            untouched=untouched,
            action="Check the network path to S3 (in a VPC: the gateway endpoint) and repeat.",
        ) from error
