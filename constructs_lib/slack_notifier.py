"""The function that tells Slack what a topic and the logs of backups and restores have to say."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.dead_letter_queue import DeadLetterQueue
from constructs_lib.recovery_function import RecoveryFunction
from constructs_lib.retry_queue import RetryQueue
from dbbackup.contract import EnvKey
from dbbackup.contract_notification import HANDLER_NOTIFY, NotifyEnvKey, Successes

TIMEOUT_SECONDS: Final = 180
"""Of one event: time for some messages, each with the waits that Slack asks for."""
REPEATED_AT_ONCE: Final = 2
"""Events that are repeated at the same time; Lambda takes no less."""


class SlackNotifier(Construct):
    """Outside the VPC, as Slack is on the internet; the webhook is in a secret that only this function reads.

    The secret is made without a value: whoever sets Slack up puts the webhook there, and it is in no template, no
    variable and no log. Until then every message fails and is repeated for a day; the alarm on the notifier tells of
    it, to whoever reads the topic's e-mail.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_prefix: str,
        environment: str,
        topic: sns.ITopic,
        key: kms.IKey,
        log_key: kms.IKey,
        secret_arn: str | None = None,
        secret_key_arn: str | None = None,
        successes: Successes = Successes.FIRST_AFTER_FAILURE,
        contacts: Sequence[Mapping[str, str]] = (),
        runbook_base_url: str = "docs/runbooks",
        client_major: int = 18,
        architecture: lambda_.Architecture = lambda_.Architecture.ARM_64,
        reserved_concurrency: int = REPEATED_AT_ONCE + 1,
        retry_attempts: int = 2,
        max_event_age_seconds: int = 3600,
        log_retention_days: int = 90,
        log_level: str = "INFO",
    ) -> None:
        """Make the function and subscribe it to the topic; ``key`` encrypts the secret that is made here."""
        super().__init__(scope, construct_id)
        name = f"{name_prefix}-notify"
        secret_key_arn = secret_key_arn if secret_arn else key.key_arn
        self.secret_arn: str = secret_arn or self._empty_secret(name_prefix, key)
        self.dead_letter_queue: sqs.IQueue = DeadLetterQueue(
            self, "DeadLetters", queue_name=f"{name_prefix}-notify-dead-letters"
        )
        """What Slack did not take for a day."""
        self.retry_queue = RetryQueue(
            self,
            "Retries",
            queue_name=f"{name_prefix}-notify-retries",
            function_timeout_seconds=TIMEOUT_SECONDS,
            given_up=self.dead_letter_queue,
        )
        notifier = RecoveryFunction(
            self,
            "Notify",
            function_name=name,
            description="Tells Slack of alarms and of backups, restores and rehearsals that have ended",
            handler=HANDLER_NOTIFY,
            variables={
                EnvKey.ENVIRONMENT.value: environment,
                NotifyEnvKey.SECRET_ARN.value: self.secret_arn,
                NotifyEnvKey.SUCCESSES.value: successes.value,
                NotifyEnvKey.RUNBOOK_BASE_URL.value: runbook_base_url.rstrip("/"),
                NotifyEnvKey.CONTACTS.value: json.dumps([dict(contact) for contact in contacts], ensure_ascii=False),
                NotifyEnvKey.QUEUE_URL.value: self.retry_queue.queue_url,
            },
            log_key=log_key,
            client_major=client_major,
            architecture=architecture,
            timeout_seconds=TIMEOUT_SECONDS,
            log_retention_days=log_retention_days,
            log_level=log_level,
            # Slack takes a message a second, so more at once would only be turned away; and what is repeated leaves
            # room for what is new.
            reserved_concurrency=reserved_concurrency,
            retry_attempts=retry_attempts,
            # Lambda itself repeats for minutes, the queue for a day.
            max_event_age_seconds=max_event_age_seconds,
            failure_queue=self.retry_queue,
        )
        self.function: lambda_.IFunction = notifier.function
        self.function.add_event_source(self.retry_queue.source(most_at_once=REPEATED_AT_ONCE))
        self._grant(notifier.role, secret_key_arn)
        topic.add_subscription(subscriptions.LambdaSubscription(notifier.function))

    def _empty_secret(self, name_prefix: str, key: kms.IKey) -> str:
        # The construct of the CDK generates a value where it is given none; a password is no webhook, and would only
        # hide that there is none.
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-secretsmanager-secret.html
        secret = secretsmanager.CfnSecret(
            self,
            "Webhook",
            name=f"{name_prefix}/slack-webhook",
            description="Slack webhook of the notifier: put its URL here",
            kms_key_id=key.key_arn,
        )
        return secret.ref

    def _grant(self, role: iam.IGrantable, secret_key_arn: str | None) -> None:
        stack, principal = Stack.of(self), role.grant_principal
        principal.add_to_principal_policy(
            iam.PolicyStatement(
                sid="ReadWebhook", actions=["secretsmanager:GetSecretValue"], resources=[self.secret_arn]
            )
        )
        if secret_key_arn:
            principal.add_to_principal_policy(
                iam.PolicyStatement(
                    sid="DecryptWebhook",
                    actions=["kms:Decrypt"],
                    resources=[secret_key_arn],
                    conditions={"StringEquals": {"kms:ViaService": f"secretsmanager.{stack.region}.amazonaws.com"}},
                )
            )
        principal.add_to_principal_policy(
            iam.PolicyStatement(
                sid="LookForFailures",
                # CloudWatch has nothing finer for reading metrics, neither resource nor namespace; and with a scope
                # below * the history of a composite alarm is refused, as that of "recoverability" would be.
                # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
                # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
                actions=["cloudwatch:DescribeAlarmHistory", "cloudwatch:GetMetricData"],
                resources=["*"],
            )
        )
