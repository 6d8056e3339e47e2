"""What the name of a bucket looks like, as far as a typing mistake can be told from it."""

from __future__ import annotations

import re
from typing import Final

from dbbackup.core.errors import InvalidRequestError

_SCHEME: Final = "s3://"
# What the SDK takes: old buckets have names that new ones may not have, and access points are named by their ARN.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_NAME: Final = re.compile(r"[A-Za-z0-9.\-_]{1,255}|arn:[^\s/]+[:/]\S+")


def check_bucket_name(text: str) -> str:
    """The name, if it can be one.

    Raises:
        InvalidRequestError: it is empty, an address of an object, or holds what no name has.
    """
    if _NAME.fullmatch(text):
        return text
    if not text:
        what = "The name of the bucket is empty."
        action = "Give --bucket a name: is the variable set that it comes from?"
    elif text.startswith(_SCHEME):
        name = text.removeprefix(_SCHEME).partition("/")[0]
        what = f"{text!r} is an address, and not the name of a bucket."
        action = f"Give the name, without s3://: {name or 'NAME'}."
    else:
        what = f"{text!r} cannot be the name of a bucket."
        action = "Check --bucket or S3_BACKUP_BUCKET: letters, digits, dots and hyphens, such as ftry-backups."
    raise InvalidRequestError(what, untouched="Nothing was done.", action=action)
