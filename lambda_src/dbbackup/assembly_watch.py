"""Puts the adapters of the probe together."""

from __future__ import annotations

from dbbackup.adapters import deliveries, rds, s3_store
from dbbackup.adapters.bucket_settings import S3BucketSettings
from dbbackup.adapters.deliveries import CloudWatchDeliveries
from dbbackup.core.pitr_ports import Instances
from dbbackup.operations.watch import World


def instances() -> Instances:
    """The instances of this account and region.

    Raises:
        DbBackupError: there are no settings to call RDS with.
    """
    with rds.calling("Connecting", "RDS"):
        return rds.RdsInstances(rds.make_client(hurried=True))


def world(*, bucket: str, environment: str) -> World:
    """What the probe looks at.

    The clients of RDS and CloudWatch give up so soon that, even if neither answers, there is time left to look at S3,
    which comes last.
    """
    s3 = s3_store.make_client(hurried=True)
    return World(
        instances=rds.RdsInstances(rds.make_client(hurried=True)),
        store=s3_store.S3Store(s3, bucket),
        bucket=S3BucketSettings(s3, bucket),
        deliveries=CloudWatchDeliveries(deliveries.make_client(), environment),
    )
