"""In what a restored instance differs from its source, and what can be changed about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dbbackup.contract_pitr import OUR_TAGS
from dbbackup.core.pitr_plan import option_group, parameter_group, port_of, security_groups, tags_of


def _logs(instance: Mapping[str, Any]) -> list[str]:
    return sorted(instance.get("EnabledCloudwatchLogsExports") or ())


def _tags(instance: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for key, value in tags_of(instance).items() if not key.startswith(("aws:", OUR_TAGS))}


def _field(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda instance: instance.get(name)


_SETTINGS: Final[dict[str, Callable[[Mapping[str, Any]], Any]]] = {
    **{
        name: _field(name)
        for name in (
            *("Engine", "EngineVersion", "DBInstanceClass", "MultiAZ", "PubliclyAccessible", "NetworkType"),
            *("StorageType", "AllocatedStorage", "MaxAllocatedStorage", "Iops", "StorageThroughput"),
            *("StorageEncrypted", "KmsKeyId", "DedicatedLogVolume", "CACertificateIdentifier"),
            *("IAMDatabaseAuthenticationEnabled", "AutoMinorVersionUpgrade", "CopyTagsToSnapshot"),
            *("BackupRetentionPeriod", "PreferredBackupWindow", "PreferredMaintenanceWindow"),
            *("MonitoringInterval", "MonitoringRoleArn", "DatabaseInsightsMode", "DeletionProtection"),
            *("PerformanceInsightsEnabled", "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod"),
        )
    },
    "Port": port_of,
    "DBSubnetGroup": lambda instance: (instance.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
    "VpcSecurityGroups": security_groups,
    "DBParameterGroup": parameter_group,
    "DBParameterGroupStatus": lambda instance: sorted(
        group.get("ParameterApplyStatus", "") for group in instance.get("DBParameterGroups") or ()
    ),
    "OptionGroup": option_group,
    "EnabledCloudwatchLogsExports": _logs,
    "Tags": _tags,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting in which two instances differ."""

    setting: str
    source: Any
    restored: Any
    why: str | None = None
    """Why it could not be made alike, where that is known."""

    def __str__(self) -> str:
        return f"{self.setting}: {self.restored} for {self.source}" + (f" ({self.why})" if self.why else "")

    def as_dict(self) -> dict[str, Any]:
        """The difference for a report."""
        said = {"setting": self.setting, "source": self.source, "restored": self.restored}
        return {**said, "why": self.why} if self.why else said


def differences(source: Mapping[str, Any], restored: Mapping[str, Any]) -> list[Difference]:
    """Every setting in which the restored instance is not as its source, in alphabetical order.

    Not set and off are the same.
    """
    found = []
    for name, read in sorted(_SETTINGS.items()):
        ours, theirs = read(source), read(restored)
        if (ours or None) != (theirs or None):
            found.append(Difference(name, ours, theirs))
    return found


def settings_to_match(source: Mapping[str, Any], restored: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What ModifyDBInstance can still make alike, by the setting; empty where there is nothing to change.

    What only goes together is one setting. What is pending counts as changed. Not the protection from deletion, which
    is for verified instances only, nor the master password, which has a step of its own.
    """
    pending = restored.get("PendingModifiedValues") or {}
    changes: dict[str, dict[str, Any]] = {
        name: {name: source[name]}
        for name in (
            *("BackupRetentionPeriod", "PreferredBackupWindow", "PreferredMaintenanceWindow", "MultiAZ"),
            *("MaxAllocatedStorage", "CopyTagsToSnapshot", "AutoMinorVersionUpgrade", "CACertificateIdentifier"),
        )
        if source.get(name) is not None and (source.get(name) or None) != (restored.get(name) or None)
    }
    if source.get("IAMDatabaseAuthenticationEnabled") and not restored.get("IAMDatabaseAuthenticationEnabled"):
        changes["IAMDatabaseAuthenticationEnabled"] = {"EnableIAMDatabaseAuthentication": True}
    for setting, wanted in (
        ("MonitoringInterval", _monitoring(source, restored)),
        ("PerformanceInsightsEnabled", _insights(source, restored)),
        ("EnabledCloudwatchLogsExports", _log_exports(source, restored)),
    ):
        if wanted:
            changes[setting] = wanted
    return {setting: wanted for setting, wanted in changes.items() if setting not in pending}


def _monitoring(source: Mapping[str, Any], restored: Mapping[str, Any]) -> dict[str, Any]:
    interval = source.get("MonitoringInterval") or 0
    if not interval or (interval, source.get("MonitoringRoleArn")) == (
        restored.get("MonitoringInterval"),
        restored.get("MonitoringRoleArn"),
    ):
        return {}
    return {"MonitoringInterval": interval, "MonitoringRoleArn": source["MonitoringRoleArn"]}


def _insights(source: Mapping[str, Any], restored: Mapping[str, Any]) -> dict[str, Any]:
    mode = source.get("DatabaseInsightsMode")
    # The advanced mode goes with Performance Insights only, and with its longest retention.
    changed = {"DatabaseInsightsMode": mode} if mode and mode != restored.get("DatabaseInsightsMode") else {}
    if not source.get("PerformanceInsightsEnabled") or (restored.get("PerformanceInsightsEnabled") and not changed):
        return changed
    wanted = {
        "EnablePerformanceInsights": True,
        "PerformanceInsightsKMSKeyId": source.get("PerformanceInsightsKMSKeyId"),
        "PerformanceInsightsRetentionPeriod": source.get("PerformanceInsightsRetentionPeriod"),
        **changed,
    }
    return {name: value for name, value in wanted.items() if value}


def _log_exports(source: Mapping[str, Any], restored: Mapping[str, Any]) -> dict[str, Any]:
    missing = [log for log in _logs(source) if log not in _logs(restored)]
    return {"CloudwatchLogsExportConfiguration": {"EnableLogTypes": missing}} if missing else {}
