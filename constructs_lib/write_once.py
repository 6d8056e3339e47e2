"""What is stored stays as it is: an object is created where there is none, and a receipt is written on.

S3 checks that itself where a request says so, and a policy can demand that every request does. The requests that begin
an upload in parts and send them create no object and take no such header; the one that completes it does.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
"""

from __future__ import annotations

from typing import Any, Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from constructs_lib.backup_lifecycle import tier_prefix
from dbbackup.contract import Tier
from dbbackup.contract_rehearsal import EVIDENCE_PREFIX

RECEIPT_SUFFIX: Final = ".receipt.json"
"""How the names of receipts end, beside the backups that they are of; a test compares it with the running code."""
_NEW: Final = "s3:if-none-match"
_SEEN: Final = "s3:if-match"
_CREATES: Final = "s3:ObjectCreationOperation"
RECEIPTS: Final = f"{tier_prefix(Tier.PRE_MIGRATION)}*{RECEIPT_SUFFIX}"
"""Objects that are written more than once: they say how far a migration has come."""
_ONCE: Final = (
    *(f"{tier_prefix(tier)}*" for tier in Tier if tier is not Tier.PRE_MIGRATION),
    *(f"{tier_prefix(Tier.PRE_MIGRATION)}*{suffix}" for suffix in (".dump", ".manifest.json", ".roles.sql")),
    f"{EVIDENCE_PREFIX}*",
)


def deny_overwriting(bucket: s3.Bucket) -> None:
    """Refuse everybody, the account's administrators too, an object over another of a backup or of evidence.

    A copy cannot say that it creates an object, so S3 refuses copies into these prefixes as well.
    """
    _deny(bucket, "DenyOverwriting", _ONCE, {_NEW: "true"})
    _deny(bucket, "DenyOverwritingReceiptsUnseen", (RECEIPTS,), {_NEW: "true", _SEEN: "true"})


def _deny(bucket: s3.Bucket, sid: str, keys: tuple[str, ...], absent: dict[str, str]) -> None:
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["s3:PutObject"],
            resources=[bucket.arn_for_objects(key) for key in keys],
            conditions={"Null": absent, "Bool": {_CREATES: "true"}},
        )
    )


def creating() -> dict[str, Any]:
    """The condition of a right to create objects where there are none."""
    return {"Null": {_NEW: "false"}}


def sending_parts() -> dict[str, Any]:
    """The condition of a right to begin uploads and to send their parts."""
    return {"Bool": {_CREATES: "false"}}


def replacing_seen() -> dict[str, Any]:
    """The condition of a right to replace an object that nobody else has written meanwhile."""
    return {"Null": {_SEEN: "false"}}
