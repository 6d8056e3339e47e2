"""When a rehearsal begins, and when somebody looks whether there was one."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from constructs_lib.schedule_role import ScheduleRole
from dbbackup.contract import SCHEDULED_TIME_PLACEHOLDER, EventField

# The monthly dump is taken at 04:00 on the 1st. Two hours later it is verified and still readable (it goes to Deep
# Archive at the next midnight), and a dump and a restore do not compete for the same instance's disk.
DEFAULT_SCHEDULE: Final = "cron(0 6 1 * ? *)"
# After the hour of the monthly rehearsal, so that what it has just left is not yet a day old.
DEFAULT_WATCH: Final = "cron(0 7 * * ? *)"


class RehearsalSchedule(Construct):
    """EventBridge schedules in UTC: the machine every month, the watch every day."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group_name: str,
        machine: sfn.IStateMachine,
        watch: lambda_.IFunction,
        rehearsal: str = DEFAULT_SCHEDULE,
        watching: str = DEFAULT_WATCH,
        retry_attempts: int = 5,
        max_event_age: Duration | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        group = scheduler.CfnScheduleGroup(self, "Group", name=group_name)
        role = ScheduleRole(self, "Role", group_name=group_name, purpose="start rehearsals and the watch over them")
        role.add_to_policy(
            iam.PolicyStatement(
                sid="StartRehearsals", actions=["states:StartExecution"], resources=[machine.state_machine_arn]
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(sid="CallWatch", actions=["lambda:InvokeFunction"], resources=[watch.function_arn])
        )
        age = (max_event_age or Duration.hours(1)).to_seconds()
        payload = stack.to_json_string({EventField.SCHEDULED_TIME.value: SCHEDULED_TIME_PLACEHOLDER})
        for name, expression, arn, what in (
            ("rehearsal", rehearsal, machine.state_machine_arn, "rehearsal of both ways back"),
            ("watch", watching, watch.function_arn, "look at the newest evidence and at leftovers"),
        ):
            schedule = scheduler.CfnSchedule(
                self,
                name.capitalize(),
                name=name,
                group_name=group_name,
                description=what,
                schedule_expression=expression,
                schedule_expression_timezone="UTC",
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                state="ENABLED",
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=arn,
                    role_arn=role.role_arn,
                    input=payload,
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                        maximum_retry_attempts=retry_attempts, maximum_event_age_in_seconds=age
                    ),
                ),
            )
            role.comes_before(schedule, group)
