"""The probe with an instance, a bucket as the storage stack declares it, and backups, all in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws
from moto.cloudwatch.models import cloudwatch_backends
from moto.s3.models import s3_backends

from dbbackup.contract import METRICS_NAMESPACE, SERVICE, EnvKey, Metric, Tier
from dbbackup.contract_watch import (
    ALERT_DELIVERED,
    PROBE_MINUTES,
    RehearsedAlert,
    WatchedSetting,
    WatchEnvKey,
    WatchMetric,
    delivered_dimensions,
    rehearsed_dimensions,
)
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import manifest_key
from dbbackup.handlers.watch import handler
from tests.support.backups import manifest_of
from tests.support.function import log_here
from tests.support.rds_world import (
    ACCOUNT,
    PROD,
    REGION,
    RdsWorld,
    Surroundings,
    forget_everything_else,
    make_production,
    make_surroundings,
    stand_between,
)

HERE = Path(__file__).resolve().parent
BUCKET = "backups"
DECLARED: dict[WatchedSetting, Any] = {
    WatchedSetting.BACKUP_RETENTION: 30,
    WatchedSetting.MULTI_AZ: True,
    WatchedSetting.DELETION_PROTECTION: True,
    WatchedSetting.PUBLIC_ACCESS: False,
    WatchedSetting.STORAGE_ENCRYPTION: True,
    WatchedSetting.BUCKET_VERSIONING: "Enabled",
    WatchedSetting.BUCKET_LOCK: {"mode": "GOVERNANCE", "days": 7},
    WatchedSetting.BUCKET_LIFECYCLE: {
        "daily/": {"kept_days": 30, "storage_class": None, "noncurrent_days": 7, "abort_days": 1},
        "weekly/": {
            "kept_days": 90,
            "storage_class": "GLACIER",
            "moved_after_days": 0,
            "noncurrent_days": 7,
            "abort_days": 1,
        },
    },
    WatchedSetting.BUCKET_PUBLIC_ACCESS: True,
}
ALL_BLOCKS = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def lifecycle_rules() -> list[dict[str, Any]]:
    """The rules of the storage stack, for two tiers."""
    dumps = {"And": {"Prefix": "weekly/", "Tags": [{"Key": "dbbackup:kind", "Value": "dump"}]}}
    return [
        {
            "ID": "housekeeping",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
        {"ID": "daily-expires", "Status": "Enabled", "Filter": {"Prefix": "daily/"}, "Expiration": {"Days": 30}},
        {"ID": "weekly-expires", "Status": "Enabled", "Filter": {"Prefix": "weekly/"}, "Expiration": {"Days": 90}},
        {
            "ID": "weekly-dumps-move",
            "Status": "Enabled",
            "Filter": dumps,
            "Transitions": [{"Days": 0, "StorageClass": "GLACIER"}],
        },
    ]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run everything here in one worker, so that the local AWS is filled once for each file."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("watch"))


@dataclass
class Probe:
    """The deployed probe and what it looks at."""

    world: RdsWorld
    s3: Any
    capsys: pytest.CaptureFixture[str]
    output: str = ""

    def look(self) -> dict[str, Any]:
        """One run; what it wrote is kept, also where it fails."""
        log_here()
        self.capsys.readouterr()
        try:
            return handler({"scheduled_time": "2026-01-01T07:00:00Z"}, cast("LambdaContext", None))
        finally:
            self.output = self.capsys.readouterr().out

    @property
    def logged(self) -> list[dict[str, Any]]:
        """The log lines of the last run."""
        lines = [json.loads(line) for line in self.output.splitlines()]
        return [line for line in lines if "_aws" not in line]

    def value(self, metric: str, dimensions: dict[str, str]) -> float | None:
        """What the last run said of a metric in exactly these dimensions; None where it said nothing."""
        found = []
        for document in (json.loads(line) for line in self.output.splitlines() if '"_aws"' in line):
            (directive,) = document["_aws"]["CloudWatchMetrics"]
            assert directive["Namespace"] == METRICS_NAMESPACE
            (names,) = directive["Dimensions"]
            if {name: document[name] for name in names} == dimensions and metric in document:
                found.append(float(document[metric][0]))
        assert len(found) <= 1, f"{metric} was emitted twice"
        return found[0] if found else None

    def drifted(self) -> dict[str, float]:
        """For every setting of which the last run said something, what it said."""
        documents = [json.loads(line) for line in self.output.splitlines() if '"_aws"' in line]
        found = {doc["Setting"]: doc[WatchMetric.DRIFT][0] for doc in documents if WatchMetric.DRIFT in doc}
        for document in documents:
            if WatchMetric.DRIFT in document:
                (directive,) = document["_aws"]["CloudWatchMetrics"]
                assert set(directive["Dimensions"][0]) == {"service", "Environment", "Instance", "Setting"}
                assert (document["service"], document["Environment"], document["Instance"]) == (SERVICE, "test", PROD)
        return found

    def store_backup(
        self,
        database: str = "shop",
        tier: Tier = Tier.DAILY,
        *,
        hours_old: float,
        written: datetime | None = None,
        **changes: Any,
    ) -> Manifest:
        """A backup that only its manifest claims to be one; its archive has four bytes.

        Its manifest was written a minute after the moment of its data, unless the caller says when.
        """
        manifest = manifest_of(database, tier, days_old=hours_old / 24).model_copy(update=changes)
        if "source" not in changes:
            manifest = manifest.model_copy(update={"source": manifest.source.model_copy(update={"instance": PROD})})
        key = manifest.backup_id.object_key
        archive = manifest.archive.model_copy(update={"key": key})
        manifest = manifest.model_copy(update={"archive": archive})
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=b"dump")
        self.s3.put_object(Bucket=BUCKET, Key=manifest_key(key), Body=manifest.to_bytes())
        stored = s3_backends[ACCOUNT]["aws"].buckets[BUCKET].keys[manifest_key(key)]
        stored.last_modified = (written or manifest.snapshot_at + timedelta(minutes=1)).replace(tzinfo=None)
        return manifest

    def rehearse(self, start: datetime, minutes: int) -> None:
        """Let the probe have said for so long that the synthetic backup fails, and that it is well around that."""
        moments = range(-10, minutes + 15, PROBE_MINUTES)
        dimensions = [{"Name": key, "Value": each} for key, each in rehearsed_dimensions("test").items()]
        data = [
            {
                "MetricName": Metric.BACKUP_FAILURE.value,
                "Dimensions": dimensions,
                "Timestamp": start + timedelta(minutes=each, seconds=20),
                "Value": float(0 <= each < minutes),
            }
            for each in moments
            if start + timedelta(minutes=each) < datetime.now(UTC)
        ]
        boto3.client("cloudwatch").put_metric_data(Namespace=METRICS_NAMESPACE, MetricData=cast("Any", data))

    def deliver(self, alert: RehearsedAlert, at: datetime, value: float = 1) -> None:
        """Let the notifier have said that it delivered a message."""
        dimensions = [{"Name": key, "Value": each} for key, each in delivered_dimensions("test", alert).items()]
        boto3.client("cloudwatch").put_metric_data(
            Namespace=METRICS_NAMESPACE,
            MetricData=[
                {"MetricName": ALERT_DELIVERED, "Dimensions": cast("Any", dimensions), "Timestamp": at, "Value": value}
            ],
        )


def rehearse_at(start: datetime, minutes: int) -> str:
    """The variable for a weekly rehearsal that begins in that hour."""
    return json.dumps({"weekday": start.weekday(), "hour": start.hour, "minutes": minutes})


@pytest.fixture(scope="module")
def around() -> Iterator[Surroundings]:
    """A local AWS in this process."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        yield make_surroundings()


@pytest.fixture
def probe(around: Surroundings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Probe:
    """The probe of two databases; all settings are as declared, there is no backup, and nothing is rehearsed."""
    environment = {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        EnvKey.BUCKET.value: BUCKET,
        EnvKey.ENVIRONMENT.value: "test",
        EnvKey.DB_NAMES.value: json.dumps(["shop", "blog"]),
        WatchEnvKey.INSTANCE.value: PROD,
        WatchEnvKey.DECLARED.value: json.dumps(DECLARED),
        WatchEnvKey.ALERT_REHEARSAL.value: "",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    forget_everything_else()
    s3_backends[ACCOUNT]["aws"].buckets.clear()
    s3_backends.bucket_accounts.clear()
    cloudwatch_backends[ACCOUNT][REGION].metric_data.clear()
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    s3.put_object_lock_configuration(
        Bucket=BUCKET,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 7}},
        },
    )
    s3.put_bucket_lifecycle_configuration(
        Bucket=BUCKET, LifecycleConfiguration={"Rules": cast("Any", lifecycle_rules())}
    )
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=cast("Any", ALL_BLOCKS))
    world = stand_between(monkeypatch)
    make_production(port=5432, group=around.security_group, PubliclyAccessible=False)
    world.calls.clear()
    world.latest = datetime.now(UTC) - timedelta(minutes=5)
    return Probe(world, s3, capsys)
