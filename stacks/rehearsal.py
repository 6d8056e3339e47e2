"""The rehearsal stack: proves every month that the database can be got back, and says when it was not proved."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from aws_cdk import CfnOutput, FileSystem, IgnoreMode
from constructs import Construct

from constructs_lib import PostgresEndpoint, Rehearsal, RehearsalAlarms
from constructs_lib.backup_image import LEFT_OUT, SOURCE
from stacks.architecture import ARCHITECTURES
from stacks.base import RecoveryStack
from stacks.network import NetworkStack
from stacks.notification import NotificationStack
from stacks.settings import Settings
from stacks.storage import StorageStack

_ROOT: Final = Path(__file__).resolve().parent.parent
_MADE_OF: Final = (SOURCE, _ROOT / "constructs_lib", _ROOT / "stacks")


class RehearsalStack(RecoveryStack):
    """Everything that rehearses. Holds no data: evidence is in the bucket of the backups."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: Settings,
        network: NetworkStack,
        storage: StorageStack,
        database: PostgresEndpoint,
        notification: NotificationStack,
    ) -> None:
        super().__init__(
            scope,
            "rehearsal",
            settings=settings,
            description="Monthly rehearsal of both ways back, with locked evidence, and its alarms",
        )
        chosen = settings.rehearsal
        rehearsal = Rehearsal(
            self,
            "Rehearsal",
            name_prefix=settings.prefix,
            environment=settings.environment,
            database=database,
            database_names=settings.database.names,
            bucket=storage.backups.bucket,
            bucket_key=storage.backups.key,
            vpc=network.vpc,
            subnets=network.subnets,
            log_key=network.log_key,
            topic=notification.alarms.topic,
            topic_key=notification.alarms.key,
            template_version=template_version(settings),
            client_major=settings.backup.client_major,
            architecture=ARCHITECTURES[settings.backup.architecture],
            schedule=chosen.schedule,
            watch_schedule=chosen.watch_schedule,
            instance_class=chosen.instance_class,
            verify_tables=[table.model_dump() for table in settings.restore.verify_tables],
            checks=[check.model_dump() for check in chosen.checks],
            time_limit_minutes=chosen.time_limit_minutes,
            objective_minutes=settings.restore.objective_minutes,
            memory_mib=chosen.memory_mib,
            scratch_mib=chosen.scratch_mib,
            log_retention_days=chosen.log_retention_days,
            log_level=chosen.log_level,
        )
        self.alarms = RehearsalAlarms(
            self,
            "Alarms",
            name_prefix=settings.prefix,
            environment=settings.environment,
            instance=database.instance_identifier,
            machine=rehearsal.machine,
            action=notification.alarms.action(),
            runbook_base_url=settings.runbook_base_url,
            missing_days=chosen.missing_days,
            objective_minutes=settings.restore.objective_minutes,
        )
        CfnOutput(
            self, "Machine", value=rehearsal.machine.state_machine_arn, description="start an execution to rehearse now"
        )


def template_version(settings: Settings) -> str:
    """What the templates are made of: the image, the constructs, the stacks and the settings.

    A template cannot hold its own digest; the same sources and settings give the same templates.
    """
    parts = [
        FileSystem.fingerprint(str(folder), exclude=list(LEFT_OUT), ignore_mode=IgnoreMode.DOCKER)
        for folder in _MADE_OF
    ]
    return hashlib.sha256("\n".join([*parts, settings.model_dump_json()]).encode()).hexdigest()[:16]
