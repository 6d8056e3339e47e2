"""The role of the schedules of one group."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct


class ScheduleRole(iam.Role):
    """May be taken by EventBridge Scheduler, for the schedules of one group of this account and no others."""

    def __init__(self, scope: Construct, construct_id: str, *, group_name: str, purpose: str) -> None:
        stack = Stack.of(scope)
        super().__init__(
            scope,
            construct_id,
            description=f"Lets the schedules of {group_name} {purpose}",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                # Without these, a schedule of anybody else could borrow the role (the confused deputy).
                conditions={
                    "StringEquals": {
                        "aws:SourceAccount": stack.account,
                        "aws:SourceArn": stack.format_arn(
                            service="scheduler", resource="schedule-group", resource_name=group_name
                        ),
                    }
                },
            ),
        )

    def comes_before(self, schedule: scheduler.CfnSchedule, group: scheduler.CfnScheduleGroup) -> None:
        """EventBridge tries the role out when the schedule is created, so its policy comes first."""
        schedule.node.add_dependency(group, self.node.find_child("DefaultPolicy"))
