"""Constructs for a PostgreSQL that can be got back; each is usable alone, in any CDK app."""

from constructs_lib.alarm_topic import AlarmTopic
from constructs_lib.alert_rehearsal_alarms import AlertRehearsalAlarms
from constructs_lib.backup_alarms import BackupAlarms
from constructs_lib.backup_bucket import BackupBucket
from constructs_lib.backup_function import BackupFunction
from constructs_lib.backup_image import backup_image
from constructs_lib.backup_lifecycle import DEFAULT_TIERS, TierRule
from constructs_lib.backup_lock import BackupLock
from constructs_lib.backup_schedules import BackupSchedules
from constructs_lib.dead_letter_queue import DeadLetterQueue
from constructs_lib.github_actions_access import GithubActionsAccess, GithubRepository
from constructs_lib.instance_alarms import InstanceAlarms
from constructs_lib.log_group import EncryptedLogGroup, LogKey
from constructs_lib.logical_restore import LogicalRestore
from constructs_lib.notices_in_log import NoticesInLog
from constructs_lib.notifier_alarms import NotifierAlarms
from constructs_lib.point_in_time_recovery import PointInTimeRecovery
from constructs_lib.postgres_endpoint import PostgresEndpoint
from constructs_lib.postgres_instance import PostgresInstance
from constructs_lib.rds_events import RdsEvents
from constructs_lib.recoverability import Recoverability
from constructs_lib.recovery_dashboard import RecoveryDashboard
from constructs_lib.recovery_network import RecoveryNetwork
from constructs_lib.rehearsal import Rehearsal
from constructs_lib.rehearsal_alarms import RehearsalAlarms
from constructs_lib.restore_alarms import RestoreAlarms
from constructs_lib.slack_notifier import SlackNotifier
from constructs_lib.watch import Watch
from constructs_lib.watch_alarms import WatchAlarms

__all__ = [
    "DEFAULT_TIERS",
    "AlarmTopic",
    "AlertRehearsalAlarms",
    "BackupAlarms",
    "BackupBucket",
    "BackupFunction",
    "BackupLock",
    "BackupSchedules",
    "DeadLetterQueue",
    "EncryptedLogGroup",
    "GithubActionsAccess",
    "GithubRepository",
    "InstanceAlarms",
    "LogKey",
    "LogicalRestore",
    "NoticesInLog",
    "NotifierAlarms",
    "PointInTimeRecovery",
    "PostgresEndpoint",
    "PostgresInstance",
    "RdsEvents",
    "Recoverability",
    "RecoveryDashboard",
    "RecoveryNetwork",
    "Rehearsal",
    "RehearsalAlarms",
    "RestoreAlarms",
    "SlackNotifier",
    "TierRule",
    "Watch",
    "WatchAlarms",
    "backup_image",
]
