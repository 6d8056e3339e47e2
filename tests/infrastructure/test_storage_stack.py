"""What the auditor reads about the bucket of the backups."""

from __future__ import annotations

from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import pytest

from dbbackup.contract import KIND_DUMP, TAG_KIND, Tier
from dbbackup.contract_rehearsal import EVIDENCE_PREFIX
from dbbackup.core.naming import BackupId, manifest_key, receipt_key, roles_key
from tests.infrastructure.synthesis import Synthesized, Template, statements_of

BUCKET = "BackupsBucket2936A3AA"
ACCESS_LOGS = "BackupsAccessLogs4CD0EFAD"
PRIVATE = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}


@pytest.fixture(scope="module")
def storage(prod: Synthesized) -> Template:
    return prod["storage"]


@pytest.fixture(scope="module")
def bucket(storage: Template) -> dict[str, Any]:
    found: dict[str, Any] = storage.resources("AWS::S3::Bucket")[BUCKET]
    return found


@pytest.fixture(scope="module")
def rules(bucket: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    return found


def test_every_version_is_kept(bucket: dict[str, Any]) -> None:
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}


def test_backups_are_encrypted_with_our_rotated_key(storage: Template, bucket: dict[str, Any]) -> None:
    (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": {"Fn::GetAtt": ["BackupsKeyC696F888", "Arn"]},
    }
    key = storage.resource("AWS::KMS::Key")
    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["DeletionPolicy"] == key["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", [BUCKET, ACCESS_LOGS])
def test_buckets_are_private_owned_and_kept(storage: Template, name: str) -> None:
    found = storage.resources("AWS::S3::Bucket")[name]
    assert found["Properties"]["PublicAccessBlockConfiguration"] == PRIVATE
    assert found["Properties"]["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert found["DeletionPolicy"] == found["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", [BUCKET, ACCESS_LOGS])
@pytest.mark.parametrize(
    "condition", [{"Bool": {"aws:SecureTransport": "false"}}, {"NumericLessThan": {"s3:TlsVersion": 1.2}}]
)
def test_plain_and_old_connections_are_refused(storage: Template, name: str, condition: dict[str, Any]) -> None:
    statements = _policy_of(storage, name)
    (refusal,) = [found for found in statements if found.get("Condition") == condition]
    assert refusal["Effect"] == "Deny"
    assert refusal["Action"] == ["s3:*"]
    assert refusal["Principal"] == {"AWS": "*"}
    assert len(refusal["Resource"]) == 2, "the bucket and its objects"


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("s3:x-amz-server-side-encryption", "aws:kms"),
        (
            "s3:x-amz-server-side-encryption-aws-kms-key-id",
            {"Fn::GetAtt": ["BackupsKeyC696F888", "Arn"]},
        ),
    ],
)
def test_an_upload_may_name_no_other_encryption_but_need_not_name_any(
    storage: Template, header: str, wanted: Any
) -> None:
    (refusal,) = [
        found
        for found in _policy_of(storage, BUCKET)
        if header in str(found.get("Condition")) and header in found["Condition"]["Null"]
    ]
    assert refusal["Effect"] == "Deny"
    assert refusal["Action"] == ["s3:PutObject"]
    assert refusal["Condition"] == {"Null": {header: "false"}, "StringNotEquals": {header: wanted}}


def test_access_is_logged_to_another_bucket(storage: Template, bucket: dict[str, Any]) -> None:
    assert bucket["Properties"]["LoggingConfiguration"] == {
        "DestinationBucketName": {"Ref": ACCESS_LOGS},
        "LogFilePrefix": "backups/",
    }
    (writer,) = [found for found in _policy_of(storage, ACCESS_LOGS) if found["Effect"] == "Allow"]
    assert writer["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert writer["Condition"]["ArnLike"] == {"aws:SourceArn": {"Fn::GetAtt": [BUCKET, "Arn"]}}


def test_access_logs_are_encrypted_and_end(storage: Template) -> None:
    logs = storage.resources("AWS::S3::Bucket")[ACCESS_LOGS]["Properties"]
    (rule,) = logs["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (cycle,) = logs["LifecycleConfiguration"]["Rules"]
    assert cycle["ExpirationInDays"] == 365


def test_a_fresh_backup_can_t_be_deleted(bucket: dict[str, Any]) -> None:
    assert bucket["Properties"]["ObjectLockEnabled"] is True
    assert bucket["Properties"]["ObjectLockConfiguration"] == {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 7}},
    }


def test_nothing_is_written_over_by_anybody(storage: Template) -> None:
    """Every request that makes an object must say that there is none; what begins an upload or sends parts need not."""
    refusals = {found.get("Sid"): found for found in _policy_of(storage, BUCKET)}
    once, receipts = refusals["DenyOverwriting"], refusals["DenyOverwritingReceiptsUnseen"]
    for refusal in (once, receipts):
        assert refusal["Effect"] == "Deny"
        assert refusal["Action"] == ["s3:PutObject"]
        assert refusal["Principal"] == {"AWS": "*"}
        assert refusal["Condition"]["Bool"] == {"s3:ObjectCreationOperation": "true"}
    assert once["Condition"]["Null"] == {"s3:if-none-match": "true"}
    assert receipts["Condition"]["Null"] == {"s3:if-none-match": "true", "s3:if-match": "true"}
    paths = [resource["Fn::Join"][1][-1] for resource in once["Resource"]]
    backup = BackupId("shop", Tier.PRE_MIGRATION, datetime(2026, 1, 11, tzinfo=UTC)).object_key
    parts = [backup, manifest_key(backup), roles_key(backup), f"{EVIDENCE_PREFIX}x.json"]
    parts += [backup.replace("pre-migration/", f"{tier.value}/") for tier in Tier]
    for part in parts:
        assert any(fnmatchcase(f"/{part}", path) for path in paths), part
    assert not any(fnmatchcase(f"/{receipt_key(backup)}", path) for path in paths), "it says how a migration ended"
    (path,) = [resource["Fn::Join"][1][-1] for resource in receipts["Resource"]]
    assert fnmatchcase(f"/{receipt_key(backup)}", path)


def test_each_tier_is_kept_as_long_as_the_design_says(rules: list[dict[str, Any]]) -> None:
    expirations = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    assert expirations == {"daily/": 30, "weekly/": 90, "monthly/": 365, "pre-migration/": 7, "manual/": 30}


def test_manifests_and_roles_expire_with_their_dump(rules: list[dict[str, Any]]) -> None:
    assert not any("TagFilters" in rule for rule in rules if "ExpirationInDays" in rule)


def test_each_tier_moves_where_the_design_says(rules: list[dict[str, Any]]) -> None:
    moves = {rule["Prefix"]: rule["Transitions"] for rule in rules if "Transitions" in rule}
    assert moves == {
        "weekly/": [{"StorageClass": "GLACIER", "TransitionInDays": 0}],
        "monthly/": [{"StorageClass": "DEEP_ARCHIVE", "TransitionInDays": 0}],
    }


def test_manifests_and_roles_never_move_to_glacier(rules: list[dict[str, Any]]) -> None:
    moving = [rule for rule in rules if "Transitions" in rule]
    assert moving
    for rule in moving:
        assert rule["TagFilters"] == [{"Key": TAG_KIND, "Value": KIND_DUMP}]


def test_leftovers_are_removed(rules: list[dict[str, Any]]) -> None:
    (housekeeping,) = [rule for rule in rules if "AbortIncompleteMultipartUpload" in rule]
    assert housekeeping["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert housekeeping["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert housekeeping["ExpiredObjectDeleteMarker"] is True
    assert "Prefix" not in housekeeping, "leftovers are anywhere"


def test_every_rule_is_in_force(rules: list[dict[str, Any]]) -> None:
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    assert len({rule["Id"] for rule in rules}) == len(rules)


def _policy_of(storage: Template, bucket: str) -> list[dict[str, Any]]:
    (policy,) = [found for found in storage.all("AWS::S3::BucketPolicy") if found["Bucket"] == {"Ref": bucket}]
    return statements_of(policy["PolicyDocument"])
