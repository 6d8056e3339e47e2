"""The alarms on the instance itself: a full disk or a starved server ends backups, too."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib.alarm_maker import LESS, SILENCE_CHANGES_NOTHING, SILENCE_IS_FINE, AlarmMaker

NAMESPACE: Final = "AWS/RDS"
"""https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html"""
INSTANCE: Final = "DBInstanceIdentifier"


class InstanceAlarms(Construct):
    """Free storage low, processor, connections, memory."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        instance: str,
        action: cloudwatch.IAlarmAction,
        runbook_base_url: str,
        least_storage_bytes: int = 5 * 2**30,
        most_cpu_percent: int = 90,
        most_connections: int = 200,
        least_memory_bytes: int = 128 * 2**20,
    ) -> None:
        super().__init__(scope, construct_id)
        self._instance = instance
        maker = AlarmMaker(self, name_prefix=name_prefix, action=action, runbook_base_url=runbook_base_url)
        maker.add(
            "StorageLow",
            name="storage-low",
            meaning=f"{instance} has less than {least_storage_bytes} bytes of free storage: when none is left, it "
            "stops.",
            # The least of all samples: an average hides the query that fills the disk for a minute.
            metric=self._metric("FreeStorageSpace", "Minimum"),
            threshold=least_storage_bytes,
            comparison=LESS,
            # An instance that has stopped on a full disk may be silent; that must not look like recovery.
            missing=SILENCE_CHANGES_NOTHING,
        )
        maker.add(
            "CpuHigh",
            name="cpu-high",
            meaning=f"The processor of {instance} has been over {most_cpu_percent} percent for a quarter of an hour.",
            metric=self._metric("CPUUtilization", "Average"),
            threshold=most_cpu_percent,
            periods=3,
            missing=SILENCE_IS_FINE,  # an instance that is not there is heard by the alarm on the recovery point
        )
        maker.add(
            "ConnectionsHigh",
            name="connections-high",
            meaning=f"{instance} has more than {most_connections} connections: when no more are accepted, neither is "
            "a backup's.",
            metric=self._metric("DatabaseConnections", "Maximum"),
            threshold=most_connections,
            periods=3,
            missing=SILENCE_IS_FINE,
        )
        maker.add(
            "MemoryLow",
            name="memory-low",
            meaning=f"{instance} has had less than {least_memory_bytes} bytes of free memory for a quarter of an hour.",
            metric=self._metric("FreeableMemory", "Minimum"),
            threshold=least_memory_bytes,
            comparison=LESS,
            periods=3,
            missing=SILENCE_IS_FINE,
        )
        self.alarms = tuple(maker.alarms)

    def _metric(self, name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={INSTANCE: self._instance},
            statistic=statistic,
            period=Duration.minutes(5),
        )
