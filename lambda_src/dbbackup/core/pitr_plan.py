"""What a restored instance must be told to be like its source.

RDS restores with the default security group, subnet group and parameter group, without a standby, unless it is told
otherwise. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from dbbackup.contract_pitr import (
    OUR_TAGS,
    ROLE_RESTORED,
    TAG_EXECUTION,
    TAG_RESTORE_TIME,
    TAG_RESTORED_AS,
    TAG_ROLE,
)
from dbbackup.core.pitr_errors import NotRestorableError
from dbbackup.core.pitr_request import LATEST
from dbbackup.core.units import format_time

GP3_THRESHOLD_GIB: Final = 400
"""Below this size RDS for PostgreSQL sets the performance of gp3 by itself and refuses to be told.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html
"""
# Parameter of the restore: field of the source's description. Only what RDS states is passed on.
_SAME_NAME: Final = (
    "MultiAZ",
    "PubliclyAccessible",
    "AutoMinorVersionUpgrade",
    "StorageType",
    "MaxAllocatedStorage",
    "CopyTagsToSnapshot",
    "NetworkType",
    "CACertificateIdentifier",
    "DedicatedLogVolume",
)


_NEEDED: Final = frozenset(
    {
        *("SourceDBInstanceIdentifier", "TargetDBInstanceIdentifier", "RestoreTime", "UseLatestRestorableTime"),
        *("DBInstanceClass", "DBSubnetGroupName", "VpcSecurityGroupIds", "DBParameterGroupName", "Port"),
        *("PubliclyAccessible", "DeletionProtection"),
    }
)


def tags_of(instance: Mapping[str, Any]) -> dict[str, str]:
    """Tags of a described instance."""
    return {tag["Key"]: tag.get("Value", "") for tag in instance.get("TagList") or ()}


def port_of(instance: Mapping[str, Any]) -> int | None:
    """The port that the instance listens on, once it has an endpoint."""
    port = (instance.get("Endpoint") or {}).get("Port") or instance.get("DbInstancePort")
    return int(port) if port else None


def check_restorable(source: Mapping[str, Any]) -> None:
    """Refuse what would be restored into something else than it is.

    Raises:
        NotRestorableError: another engine, a member of a cluster, or a master password that RDS itself manages.
    """
    name = source["DBInstanceIdentifier"]
    if source.get("Engine") != "postgres":
        why, action = f"its engine is {source.get('Engine')}", "Use a tool for that engine."
    elif source.get("DBClusterIdentifier"):
        why, action = "it is a member of a cluster", "Restore the cluster: restore-db-cluster-to-point-in-time."
    elif source.get("MasterUserSecret"):
        why = "RDS manages its master password, in a secret that belongs to that one instance"
        action = (
            "Restore by hand with --manage-master-user-password, and point whatever reads the secret to the new one; "
            "or change to a secret of your own."
        )
    else:
        return
    raise NotRestorableError(
        f"{name} is not restored by this system: {why}.", untouched="Nothing was restored.", action=action
    )


def restore_parameters(
    source: Mapping[str, Any],
    *,
    target: str,
    moment: datetime | None,
    instance_class: str | None,
    execution: str,
) -> dict[str, Any]:
    """Parameters of RestoreDBInstanceToPointInTime.

    The restored instance is not protected from deletion before it was verified: until then a failed run must be able
    to remove it.

    Args:
        source: the description of the instance to restore from.
        target: identifier of the restored instance.
        moment: what to restore to; None for the latest restorable time.
        instance_class: a class other than the source's.
        execution: name of the execution, which marks the instance as ours.
    """
    parameters: dict[str, Any] = {
        "SourceDBInstanceIdentifier": source["DBInstanceIdentifier"],
        "TargetDBInstanceIdentifier": target,
        "DBInstanceClass": instance_class or source["DBInstanceClass"],
        "DeletionProtection": False,
        "EnableIAMDatabaseAuthentication": bool(source.get("IAMDatabaseAuthenticationEnabled")),
        "Tags": _tags(source, target, moment, execution),
        **({"UseLatestRestorableTime": True} if moment is None else {"RestoreTime": moment}),
        **{name: source[name] for name in _SAME_NAME if source.get(name) is not None},
        **_performance(source),
    }
    optional = {
        "DBSubnetGroupName": (source.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
        "VpcSecurityGroupIds": security_groups(source),
        # RDS takes the default groups by itself, and an option group of a former engine version may be gone.
        "DBParameterGroupName": _own(parameter_group(source)),
        "OptionGroupName": _own(option_group(source)),
        "EnableCloudwatchLogsExports": sorted(source.get("EnabledCloudwatchLogsExports") or ()),
        "Port": port_of(source),
    }
    return {**parameters, **{name: value for name, value in optional.items() if value}}


def needed_only(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What a restore cannot do without: whose data, of when, where, and who may reach it. The rest can be set later."""
    ours = [tag for tag in parameters["Tags"] if tag["Key"].startswith(OUR_TAGS)]
    return {name: value for name, value in parameters.items() if name in _NEEDED} | {"Tags": ours}


def _own(group: str | None) -> str | None:
    return None if group is None or group.startswith("default") else group


def security_groups(instance: Mapping[str, Any]) -> list[str]:
    """Security groups, those that are on their way out left out."""
    groups = instance.get("VpcSecurityGroups") or ()
    return sorted(group["VpcSecurityGroupId"] for group in groups if group.get("Status") != "removing")


def parameter_group(instance: Mapping[str, Any]) -> str | None:
    """Name of the parameter group."""
    return next((group["DBParameterGroupName"] for group in instance.get("DBParameterGroups") or ()), None)


def option_group(instance: Mapping[str, Any]) -> str | None:
    """Name of the option group."""
    return next((group["OptionGroupName"] for group in instance.get("OptionGroupMemberships") or ()), None)


def _performance(source: Mapping[str, Any]) -> dict[str, int]:
    kind, size = source.get("StorageType"), int(source.get("AllocatedStorage") or 0)
    wanted = {
        "gp3": ("Iops", "StorageThroughput") if size >= GP3_THRESHOLD_GIB else (),
        "io1": ("Iops",),
        "io2": ("Iops",),
    }.get(str(kind), ())
    return {name: int(source[name]) for name in wanted if source.get(name)}


def _tags(source: Mapping[str, Any], target: str, moment: datetime | None, execution: str) -> list[dict[str, str]]:
    kept = {key: value for key, value in tags_of(source).items() if not key.startswith(("aws:", OUR_TAGS))}
    marks = {
        TAG_ROLE: ROLE_RESTORED,
        TAG_EXECUTION: execution,
        TAG_RESTORED_AS: target,
        TAG_RESTORE_TIME: LATEST if moment is None else format_time(moment),
    }
    return [{"Key": key, "Value": value} for key, value in {**kept, **marks}.items()]
