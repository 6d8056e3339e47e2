"""The probe: a function that looks every few minutes whether what would be needed is really there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from constructs_lib.recovery_function import RecoveryFunction
from constructs_lib.schedule_role import ScheduleRole
from constructs_lib.watch_permissions import grant_see_deliveries, grant_watch
from dbbackup.contract import SCHEDULED_TIME_PLACEHOLDER, EnvKey, EventField
from dbbackup.contract_watch import HANDLER_WATCH, PROBE_MINUTES, WatchedSetting, WatchEnvKey

RETRY_ATTEMPTS: Final = 1
"""The next look is minutes away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRehearsal:
    """When the path of the alerts is rehearsed, every week, in UTC."""

    weekday: int
    """0 to 6, from Monday."""
    hour: int
    """0 to 23."""
    minutes: int
    """How long the synthetic failures last; alarms on missing data need some 25 of them."""


class Watch(Construct):
    """The probe's function, its role, its log and its schedule. Outside the VPC, as it calls APIs of AWS only."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        environment: str,
        instance: str,
        database_names: Sequence[str],
        bucket: s3.IBucket,
        bucket_key: kms.IKey,
        declared: Mapping[WatchedSetting, object],
        log_key: kms.IKey,
        alert_rehearsal: AlertRehearsal | None = None,
        client_major: int = 18,
        architecture: lambda_.Architecture = lambda_.Architecture.ARM_64,
        log_retention_days: int = 90,
        log_level: str = "INFO",
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = RecoveryFunction(
            self,
            "Function",
            function_name=f"{name_prefix}-watch",
            description="Looks how old backups and the recovery point are, and whether settings are as declared",
            handler=HANDLER_WATCH,
            variables={
                EnvKey.BUCKET.value: bucket.bucket_name,
                EnvKey.ENVIRONMENT.value: environment,
                EnvKey.DB_NAMES.value: json.dumps(list(database_names), ensure_ascii=False),
                WatchEnvKey.INSTANCE.value: instance,
                WatchEnvKey.DECLARED.value: json.dumps(
                    {setting.value: value for setting, value in declared.items()}, sort_keys=True
                ),
                WatchEnvKey.ALERT_REHEARSAL.value: _rehearsal(alert_rehearsal),
            },
            log_key=log_key,
            client_major=client_major,
            architecture=architecture,
            timeout_seconds=60,
            log_retention_days=log_retention_days,
            log_level=log_level,
        )
        grant_watch(self.function.role, instance=instance, bucket=bucket, key=bucket_key)
        if alert_rehearsal is not None:
            grant_see_deliveries(self.function.role)
        self._schedule(f"{name_prefix}-watch")

    def _schedule(self, group_name: str) -> None:
        target = self.function.function.function_arn
        group = scheduler.CfnScheduleGroup(self, "Group", name=group_name)
        role = ScheduleRole(self, "ScheduleRole", group_name=group_name, purpose="start the probe")
        role.add_to_policy(iam.PolicyStatement(sid="StartProbe", actions=["lambda:InvokeFunction"], resources=[target]))
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            name="watch",
            group_name=group_name,
            description="look at backups, recovery point and settings",
            schedule_expression=f"rate({PROBE_MINUTES} minutes)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=target,
                role_arn=role.role_arn,
                input=Stack.of(self).to_json_string({EventField.SCHEDULED_TIME.value: SCHEDULED_TIME_PLACEHOLDER}),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    # A look that comes late tells nothing that the next one does not.
                    maximum_retry_attempts=RETRY_ATTEMPTS,
                    maximum_event_age_in_seconds=PROBE_MINUTES * 60,
                ),
            ),
        )
        role.comes_before(schedule, group)


def _rehearsal(chosen: AlertRehearsal | None) -> str:
    if chosen is None:
        return ""
    return json.dumps({"weekday": chosen.weekday, "hour": chosen.hour, "minutes": chosen.minutes})
