"""The notification stack: the topic that carries alarms and results to people, and what tells Slack."""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_lib import AlarmTopic, SlackNotifier
from dbbackup.contract_notification import Successes
from stacks.architecture import ARCHITECTURES
from stacks.base import RecoveryStack
from stacks.hearing import warn_where_nobody_hears
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
            instance=settings.database.instance.identifier,
        )
        self.slack = self._slack(settings, network)
        self.notifier: lambda_.IFunction | None = self.slack.function if self.slack is not None else None
        """Function that tells Slack; None where nobody reads Slack."""
        warn_where_nobody_hears(self, settings)

    def _slack(self, settings: Settings, network: NetworkStack) -> SlackNotifier | None:
        chosen = settings.notification
        if chosen.slack is None:
            return None
        return SlackNotifier(
            self,
            "Slack",
            name_prefix=settings.prefix,
            environment=settings.environment,
            topic=self.alarms.topic,
            key=self.alarms.key,
            log_key=network.log_key,
            secret_arn=chosen.slack.secret_arn,
            secret_key_arn=chosen.slack.secret_key_arn,
            successes=Successes(chosen.slack.successes),
            contacts=[contact.model_dump() for contact in chosen.contacts],
            runbook_base_url=settings.runbook_base_url,
            client_major=settings.backup.client_major,
            architecture=ARCHITECTURES[settings.backup.architecture],
            log_retention_days=settings.backup.log_retention_days,
            log_level=settings.backup.log_level,
        )
