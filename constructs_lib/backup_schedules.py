"""When backups are made: one schedule for each tier and database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.backup_function import BackupFunction
from constructs_lib.plain_name import plain_name
from constructs_lib.schedule_role import ScheduleRole
from dbbackup.contract import SCHEDULED_TIME_PLACEHOLDER, EventField, Tier

DEFAULT_SCHEDULES: Final[Mapping[Tier, str]] = {
    Tier.DAILY: "cron(0 2 * * ? *)",
    Tier.WEEKLY: "cron(0 3 ? * SUN *)",
    Tier.MONTHLY: "cron(0 4 1 * ? *)",
}
"""The schedule of the design, in UTC."""


class BackupSchedules(Construct):
    """EventBridge schedules that hand the function the tier, the database and the time that was planned.

    The planned time, not the time of arrival, names the backup: an event delivered twice makes one backup.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group_name: str,
        function: BackupFunction,
        dead_letter_queue: sqs.IQueue,
        schedules: Mapping[Tier, str] = DEFAULT_SCHEDULES,
        retry_attempts: int = 5,
        max_event_age: Duration | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        group = scheduler.CfnScheduleGroup(self, "Group", name=group_name)
        role = ScheduleRole(self, "Role", group_name=group_name, purpose="start backups and put failed events aside")
        function.grant_invoke(role)
        role.add_to_policy(
            iam.PolicyStatement(
                sid="PutFailedEventsAside", actions=["sqs:SendMessage"], resources=[dead_letter_queue.queue_arn]
            )
        )
        age = (max_event_age or Duration.hours(1)).to_seconds()
        for database in function.database_names:
            for tier, expression in schedules.items():
                name = f"{tier.value}-{plain_name(database)}"
                schedule = scheduler.CfnSchedule(
                    self,
                    name.capitalize(),
                    name=name,
                    group_name=group_name,
                    description=f"{tier.value} backup of {database}",
                    schedule_expression=expression,
                    schedule_expression_timezone="UTC",
                    flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                    state="ENABLED",
                    target=scheduler.CfnSchedule.TargetProperty(
                        arn=function.function.function_arn,
                        role_arn=role.role_arn,
                        input=stack.to_json_string(
                            {
                                EventField.TIER.value: tier.value,
                                EventField.SCHEDULED_TIME.value: SCHEDULED_TIME_PLACEHOLDER,
                                EventField.DATABASE.value: database,
                            }
                        ),
                        retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                            maximum_retry_attempts=retry_attempts, maximum_event_age_in_seconds=age
                        ),
                        dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                            arn=dead_letter_queue.queue_arn
                        ),
                    ),
                )
                role.comes_before(schedule, group)
