"""The restore stack: functions and state machines that get a database back. Holds no data."""

from __future__ import annotations

from aws_cdk import CfnOutput
from constructs import Construct

from constructs_lib import PointInTimeRecovery, PostgresEndpoint
from stacks.architecture import ARCHITECTURES
from stacks.base import RecoveryStack
from stacks.network import NetworkStack
from stacks.notification import NotificationStack
from stacks.settings import Settings


class RestoreStack(RecoveryStack):
    """Everything that restores."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: Settings,
        network: NetworkStack,
        database: PostgresEndpoint,
        notification: NotificationStack,
    ) -> None:
        super().__init__(
            scope,
            "restore",
            settings=settings,
            description="Functions and state machines that restore the database to a point in time and promote it",
        )
        chosen = settings.restore
        self.recovery = recovery = PointInTimeRecovery(
            self,
            "PointInTime",
            name_prefix=settings.prefix,
            environment=settings.environment,
            database=database,
            database_names=settings.database.names,
            vpc=network.vpc,
            subnets=network.subnets,
            log_key=network.log_key,
            topic=notification.alarms.topic,
            topic_key=notification.alarms.key,
            client_major=settings.backup.client_major,
            architecture=ARCHITECTURES[settings.backup.architecture],
            verify_tables=[table.model_dump() for table in chosen.verify_tables],
            time_limit_minutes=chosen.time_limit_minutes,
            rename_limit_minutes=chosen.rename_limit_minutes,
            objective_minutes=chosen.objective_minutes,
            keep_failed_instance=chosen.keep_failed_instance,
            log_retention_days=chosen.log_retention_days,
            log_level=chosen.log_level,
        )
        CfnOutput(self, "RestoreFunction", value=recovery.restore.function_name, description="call it to restore")
        CfnOutput(self, "PromoteFunction", value=recovery.promote.function_name, description="call it to promote")
