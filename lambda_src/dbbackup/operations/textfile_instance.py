"""What RDS says of an instance, as samples for Prometheus."""

from __future__ import annotations

from dbbackup.core.errors import NotFoundError
from dbbackup.core.exposition import Sample
from dbbackup.core.exposition_names import RESTORABLE
from dbbackup.core.pitr_errors import InstanceMissingError
from dbbackup.core.pitr_ports import Instances


def instance_samples(instances: Instances, identifier: str) -> tuple[Sample, ...]:
    """The real recovery point of an instance: what is younger would be lost with it.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html

    Raises:
        InstanceMissingError: there is none of this identifier.
        NotFoundError: RDS names no moment, as it does where automated backups are off.
        DbBackupError: RDS does not answer.
    """
    instance = instances.find(identifier)
    if instance is None:
        raise InstanceMissingError(
            f"There is no instance {identifier!r} in this account and region.",
            untouched="Nothing was written.",
            action="Check the identifier, the region and the credentials.",
        )
    latest = instance.get("LatestRestorableTime")
    if latest is None:
        raise NotFoundError(
            f"RDS names no moment that {identifier!r} could be restored to.",
            untouched="Nothing was written.",
            action="Look at its BackupRetentionPeriod: 0 means that automated backups are off. A new instance has its "
            "first moment after its first backup.",
        )
    return (Sample(RESTORABLE, (str(instance["DBInstanceIdentifier"]),), latest.timestamp()),)
