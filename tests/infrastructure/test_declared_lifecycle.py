"""What the storage stack deploys is, to the probe's eyes, what was declared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dbbackup.contract_watch import WatchEnvKey
from dbbackup.core.bucket_drift import lifecycle_drift
from dbbackup.core.declared import Declared
from tests.infrastructure.synthesis import Synthesized


def as_the_api_says(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule of a template as GetBucketLifecycleConfiguration answers it once it is deployed."""
    tags = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in rule.get("TagFilters", [])]
    prefix = rule.get("Prefix", "")
    said: dict[str, Any] = {
        "ID": rule["Id"],
        "Status": rule["Status"],
        "Filter": {"And": {"Prefix": prefix, "Tags": tags}} if tags else {"Prefix": prefix},
    }
    if "ExpirationInDays" in rule:
        said["Expiration"] = {"Days": rule["ExpirationInDays"]}
    elif rule.get("ExpiredObjectDeleteMarker"):
        said["Expiration"] = {"ExpiredObjectDeleteMarker": True}
    if "Transitions" in rule:
        said["Transitions"] = [
            {"Days": move["TransitionInDays"], "StorageClass": move["StorageClass"]} for move in rule["Transitions"]
        ]
    for kept in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if kept in rule:
            said[kept] = rule[kept]
    return said


@pytest.mark.parametrize("environment", ["prod", "staging", "dev"])
def test_the_rules_as_deployed_are_no_drift(environment: str, request: pytest.FixtureRequest) -> None:
    stacks: Synthesized = request.getfixturevalue(environment)
    (bucket,) = [found for found in stacks["storage"].all("AWS::S3::Bucket") if "ObjectLockConfiguration" in found]
    rules = [as_the_api_says(rule) for rule in bucket["LifecycleConfiguration"]["Rules"]]
    variables = stacks["monitoring"].only("AWS::Lambda::Function")["Environment"]["Variables"]
    declared = Declared.model_validate(json.loads(variables[WatchEnvKey.DECLARED.value]))
    assert declared.bucket_lifecycle
    assert lifecycle_drift(declared.bucket_lifecycle, rules) is None
    for missing in rules:
        drift = lifecycle_drift(declared.bucket_lifecycle, [rule for rule in rules if rule is not missing])
        tiers = missing["Filter"].get("Prefix") or missing["Filter"].get("And", {}).get("Prefix", "")
        watched = tiers in declared.bucket_lifecycle or missing["ID"] == "housekeeping"
        assert (drift is not None) == watched, missing["ID"]
