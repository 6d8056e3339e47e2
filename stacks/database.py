"""The database stack: a new instance, or the description of an existing one."""

from __future__ import annotations

from typing import Final

from aws_cdk import RemovalPolicy
from constructs import Construct

from constructs_lib import PostgresEndpoint, PostgresInstance
from stacks.base import RecoveryStack
from stacks.network import NetworkStack
from stacks.settings import Settings

REMOVAL: Final = {
    "snapshot": RemovalPolicy.SNAPSHOT,
    "retain": RemovalPolicy.RETAIN,
    "destroy": RemovalPolicy.DESTROY,
}


class DatabaseStack(RecoveryStack):
    """The instance with its key, its credentials and its logs."""

    def __init__(self, scope: Construct, *, settings: Settings, network: NetworkStack) -> None:
        super().__init__(
            scope,
            "database",
            settings=settings,
            description="PostgreSQL on RDS with point-in-time recovery, its encryption key, credentials and logs",
            stateful=True,
        )
        new = settings.database.new_instance
        if new is None:
            raise ValueError("an existing instance needs no database stack")
        instance = PostgresInstance(
            self,
            "Postgres",
            vpc=network.vpc,
            subnets=network.subnets,
            log_key=network.log_key,
            identifier=new.identifier,
            database_name=settings.database.created_database,
            engine_version=new.engine_version,
            instance_class=new.instance_class,
            port=new.port,
            master_user=new.master_user,
            multi_az=new.multi_az,
            allocated_storage_gib=new.allocated_storage_gib,
            storage_limit_gib=new.storage_limit_gib,
            backup_retention_days=new.backup_retention_days,
            backup_window=new.backup_window,
            maintenance_window=new.maintenance_window,
            auto_minor_version_upgrade=new.auto_minor_version_upgrade,
            deletion_protection=new.deletion_protection,
            removal_policy=REMOVAL[new.on_removal],
            parameters=new.parameters,
            rotation_days=new.rotation_days,
            monitoring_interval_seconds=new.monitoring_interval_seconds,
            log_retention_days=new.log_retention_days,
        )
        self.endpoint: PostgresEndpoint = instance.endpoint
