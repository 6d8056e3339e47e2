"""The notification stack: the topic that carries alarms and results to people. Holds no data."""

from __future__ import annotations

from constructs import Construct

from constructs_lib import AlarmTopic
from stacks.base import RecoveryStack
from stacks.network import NetworkStack
from stacks.settings import Settings


class NotificationStack(RecoveryStack):
    """The ways to people. Deployed early: what ends, ends with telling somebody."""

    def __init__(self, scope: Construct, *, settings: Settings, network: NetworkStack) -> None:
        super().__init__(
            scope,
            "notification",
            settings=settings,
            description="Encrypted topic that carries alarms and results of backups and restores to people",
        )
        self.alarms = AlarmTopic(
            self,
            "Alarms",
            # Not the name that the topic had in the monitoring stack: both are there while a system is brought up to
            # date, as that stack is the last to be deployed.
            topic_name=f"{settings.prefix}-notifications",
            display_name=f"Database backups of {settings.prefix}",
            emails=settings.monitoring.emails,
        )
