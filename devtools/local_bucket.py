"""Gives a local bucket the protections that the storage stack declares, read from its template."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def protect(s3: Any, name: str, folder: Path) -> None:
    """Life cycle, lock and the blocks of public access, as a synthesized app has them for the bucket of backups."""
    declared = _declared(folder)
    s3.put_bucket_lifecycle_configuration(
        Bucket=name,
        LifecycleConfiguration={"Rules": [_rule(each) for each in declared["LifecycleConfiguration"]["Rules"]]},
    )
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=declared["PublicAccessBlockConfiguration"])
    s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=declared["ObjectLockConfiguration"])


def _declared(folder: Path) -> Mapping[str, Any]:
    resources: list[Mapping[str, Any]] = [
        resource["Properties"]
        for path in folder.glob("*.template.json")
        for resource in json.loads(path.read_text())["Resources"].values()
        if resource["Type"] == "AWS::S3::Bucket" and "ObjectLockConfiguration" in resource["Properties"]
    ]
    (bucket,) = resources
    return bucket


def _rule(declared: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as the API takes it: CloudFormation has names of its own for the same."""
    prefix = declared.get("Prefix", "")
    tags = declared.get("TagFilters", [])
    rule: dict[str, Any] = {
        "ID": declared["Id"],
        "Status": declared["Status"],
        "Filter": {"And": {"Prefix": prefix, "Tags": tags}} if tags else {"Prefix": prefix},
    }
    if "ExpirationInDays" in declared:
        rule["Expiration"] = {"Days": declared["ExpirationInDays"]}
    if "Transitions" in declared:
        rule["Transitions"] = [
            {"Days": each["TransitionInDays"], "StorageClass": each["StorageClass"]} for each in declared["Transitions"]
        ]
    if "NoncurrentVersionExpiration" in declared:
        rule["NoncurrentVersionExpiration"] = declared["NoncurrentVersionExpiration"]
    if "AbortIncompleteMultipartUpload" in declared:
        rule["AbortIncompleteMultipartUpload"] = declared["AbortIncompleteMultipartUpload"]
    return rule
