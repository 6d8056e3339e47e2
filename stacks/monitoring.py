"""The monitoring stack: everything that looks at the other stacks. Deployed last, so that it can see all of them."""

from __future__ import annotations

from constructs import Construct

from constructs_lib import BackupAlarms
from stacks.backup import BackupStack
from stacks.base import RecoveryStack
from stacks.network import NetworkStack
from stacks.notification import NotificationStack
from stacks.rehearsal import RehearsalStack
from stacks.settings import Settings
from stacks.storage import StorageStack


class MonitoringStack(RecoveryStack):
    """Everything that notices."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: Settings,
        network: NetworkStack,
        storage: StorageStack,
        backup: BackupStack,
        rehearsal: RehearsalStack | None,
        notification: NotificationStack,
    ) -> None:
        super().__init__(
            scope,
            "monitoring",
            settings=settings,
            description="Alarms on missing, failed and oversized database backups, and on what endangers a recovery",
        )
        chosen = settings.monitoring
        BackupAlarms(
            self,
            "BackupAlarms",
            name_prefix=settings.prefix,
            function=backup.function,
            dead_letter_queue=backup.dead_letters,
            action=notification.alarms.action(),
            runbook_base_url=chosen.runbook_base_url,
            missing_backup_hours=chosen.missing_backup_hours,
            max_backup_bytes=chosen.max_backup_bytes,
        )
