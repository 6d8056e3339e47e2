"""The monitoring stack: the alarms and the topic that carries them to people."""

from __future__ import annotations

from constructs import Construct

from constructs_lib import AlarmTopic, BackupAlarms
from stacks.backup import BackupStack
from stacks.base import RecoveryStack
from stacks.settings import Settings


class MonitoringStack(RecoveryStack):
    """Everything that tells somebody."""

    def __init__(self, scope: Construct, *, settings: Settings, backup: BackupStack) -> None:
        super().__init__(
            scope,
            "monitoring",
            settings=settings,
            description="Alarms on missing, failed and oversized database backups, and the topic that carries them",
        )
        chosen = settings.monitoring
        self.alarms = topic = AlarmTopic(
            self,
            "Alarms",
            topic_name=f"{settings.prefix}-backup-alarms",
            display_name=f"Database backups of {settings.prefix}",
            emails=chosen.emails,
        )
        BackupAlarms(
            self,
            "BackupAlarms",
            name_prefix=settings.prefix,
            function=backup.function,
            dead_letter_queue=backup.dead_letters,
            action=topic.action(),
            runbook_base_url=chosen.runbook_base_url,
            missing_backup_hours=chosen.missing_backup_hours,
            max_backup_bytes=chosen.max_backup_bytes,
        )
