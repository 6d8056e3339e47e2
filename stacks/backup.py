"""The backup stack: the function, its schedules and the queue for what failed. Holds no data."""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_lib import BackupFunction, BackupSchedules, DeadLetterQueue, NoticesInLog, PostgresEndpoint
from dbbackup.contract import Tier
from dbbackup.contract_notification import Kind
from stacks.architecture import ARCHITECTURES
from stacks.base import RecoveryStack
from stacks.network import NetworkStack
from stacks.settings import Settings
from stacks.settings.database import ExistingInstance
from stacks.storage import StorageStack


class BackupStack(RecoveryStack):
    """Everything that makes backups."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: Settings,
        network: NetworkStack,
        storage: StorageStack,
        database: PostgresEndpoint | None,
        notifier: lambda_.IFunction | None,
    ) -> None:
        super().__init__(
            scope,
            "backup",
            settings=settings,
            description="Function and schedules that make verified database backups, and the queue of failed events",
        )
        chosen = settings.backup
        self.dead_letters = DeadLetterQueue(self, "DeadLetters", queue_name=f"{settings.prefix}-backup-dead-letters")
        self.endpoint = database or self._existing(settings)
        self.function = BackupFunction(
            self,
            "Backup",
            function_name=f"{settings.prefix}-backup",
            environment=settings.environment,
            vpc=network.vpc,
            subnets=network.subnets,
            log_key=network.log_key,
            database=self.endpoint,
            database_names=settings.database.names,
            bucket=storage.backups.bucket,
            bucket_key=storage.backups.key,
            dead_letter_queue=self.dead_letters,
            client_major=chosen.client_major,
            architecture=ARCHITECTURES[chosen.architecture],
            memory_mib=chosen.memory_mib,
            timeout_seconds=chosen.timeout_seconds,
            deadline_margin_seconds=chosen.deadline_margin_seconds,
            reserved_concurrency=chosen.reserved_concurrency,
            max_event_age_seconds=chosen.max_event_age_seconds,
            retry_attempts=chosen.retry_attempts,
            compression=chosen.compression,
            compression_level=chosen.compression_level,
            kept_days={tier: kept.kept_days for tier, kept in zip(Tier, settings.storage.tiers.all(), strict=True)},
            lock=storage.backups.lock,
            log_level=chosen.log_level,
            log_retention_days=chosen.log_retention_days,
        )
        if notifier is not None:
            NoticesInLog(self, "Notices", log_group=self.function.log_group, notifier=notifier, kind=Kind.BACKUP)
        BackupSchedules(
            self,
            "Schedules",
            group_name=f"{settings.prefix}-backup",
            function=self.function,
            dead_letter_queue=self.dead_letters,
            schedules={
                Tier.DAILY: chosen.schedules.daily,
                Tier.WEEKLY: chosen.schedules.weekly,
                Tier.MONTHLY: chosen.schedules.monthly,
            },
        )

    def _existing(self, settings: Settings) -> PostgresEndpoint:
        """The instance that somebody else owns, as this stack sees it."""
        instance = settings.database.existing_instance
        if not isinstance(instance, ExistingInstance):
            raise TypeError("a new instance is described by its stack")
        return PostgresEndpoint.from_attributes(
            self,
            "ExistingDatabase",
            instance_identifier=instance.identifier,
            host=instance.host,
            port=instance.port,
            security_group_id=instance.security_group_id,
            secret_arn=instance.secret_arn,
            secret_key_arn=instance.secret_key_arn,
            add_ingress_rule=instance.add_ingress_rule,
            storage_key_arn=instance.storage_key_arn,
            monitoring_role_arn=instance.monitoring_role_arn,
        )
