"""The restore-dump stack: the function and the state machine that restore a dump. Holds no data."""

from __future__ import annotations

from aws_cdk import CfnOutput
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_lib import LogicalRestore, NoticesInLog, PostgresEndpoint
from dbbackup.contract_notification import Kind
from stacks.architecture import ARCHITECTURES
from stacks.base import RecoveryStack
from stacks.network import NetworkStack
from stacks.settings import Settings
from stacks.storage import StorageStack


class RestoreDumpStack(RecoveryStack):
    """Restores of dumps into databases of the instance."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: Settings,
        network: NetworkStack,
        storage: StorageStack,
        database: PostgresEndpoint,
        notifier: lambda_.IFunction | None,
    ) -> None:
        super().__init__(
            scope,
            "restore-dump",
            settings=settings,
            description="Function and state machine that restore a dump, waiting for Glacier where they must",
        )
        chosen = settings.restore
        self.dumps = dumps = LogicalRestore(
            self,
            "Dump",
            name_prefix=settings.prefix,
            environment=settings.environment,
            database=database,
            database_names=settings.database.names,
            bucket=storage.backups.bucket,
            bucket_key=storage.backups.key,
            vpc=network.vpc,
            subnets=network.subnets,
            log_key=network.log_key,
            client_major=settings.backup.client_major,
            architecture=ARCHITECTURES[settings.backup.architecture],
            scratch_mib=chosen.scratch_mib,
            lock=storage.backups.lock,
            log_retention_days=chosen.log_retention_days,
            log_level=chosen.log_level,
        )
        if notifier is not None:
            NoticesInLog(self, "Notices", log_group=dumps.log_group, notifier=notifier, kind=Kind.RESTORE)
        CfnOutput(
            self,
            "DumpRestoreMachine",
            value=dumps.machine.machine.state_machine_arn,
            description="start it to restore a dump",
        )
