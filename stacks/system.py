"""The whole system of one environment: which stacks there are and what each gets from the others."""

from __future__ import annotations

from constructs import Construct

from stacks.backup import BackupStack
from stacks.database import DatabaseStack
from stacks.github import GithubStack
from stacks.monitoring import MonitoringStack
from stacks.network import NetworkStack
from stacks.notification import NotificationStack
from stacks.rehearsal import RehearsalStack
from stacks.restore import RestoreStack
from stacks.restore_dump import RestoreDumpStack
from stacks.settings import Settings
from stacks.storage import StorageStack


def add_stacks(scope: Construct, settings: Settings) -> None:
    """Put the stacks of one environment under an app. An existing instance needs no database stack."""
    network = NetworkStack(scope, settings=settings)
    storage = StorageStack(scope, settings=settings)
    notification = NotificationStack(scope, settings=settings, network=network)
    endpoint = (
        DatabaseStack(scope, settings=settings, network=network).endpoint if settings.database.new_instance else None
    )
    notifier = notification.notifier
    backup = BackupStack(
        scope, settings=settings, network=network, storage=storage, database=endpoint, notifier=notifier
    )
    restore_dump = RestoreDumpStack(
        scope, settings=settings, network=network, storage=storage, database=backup.endpoint, notifier=notifier
    )
    restore = RestoreStack(
        scope, settings=settings, network=network, database=backup.endpoint, notification=notification
    )
    rehearsal = (
        RehearsalStack(
            scope,
            settings=settings,
            network=network,
            storage=storage,
            database=backup.endpoint,
            notification=notification,
        )
        if settings.rehearsal.enabled
        else None
    )
    MonitoringStack(
        scope,
        settings=settings,
        network=network,
        storage=storage,
        backup=backup,
        restore_dump=restore_dump,
        restore=restore,
        rehearsal=rehearsal,
        notification=notification,
    )
    if settings.github is not None:
        GithubStack(scope, settings=settings, github=settings.github, storage=storage, backup=backup)
