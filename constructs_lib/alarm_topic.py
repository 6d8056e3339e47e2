"""The topic that alarms go to."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct


class AlarmTopic(Construct):
    """An encrypted topic, over TLS only, that the alarms of this account and the events of one instance may reach."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic_name: str,
        display_name: str,
        emails: Sequence[str] = (),
        instance: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        alarms = stack.format_arn(service="cloudwatch", resource="alarm:*")
        from_our_alarms = {
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnLike": {"aws:SourceArn": alarms},
        }
        key = kms.Key(
            self,
            "Key",
            description="Encrypts the notifications of alarms",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,  # nothing lasting is encrypted with it
        )
        # The key that SNS offers by default can't be used by CloudWatch: alarms would be raised and never arrive.
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsEncrypt",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],  # in a key policy this means the key itself
                conditions=from_our_alarms,
            )
        )
        self.key: kms.IKey = key
        topic = sns.Topic(
            self, "Topic", topic_name=topic_name, display_name=display_name, master_key=key, enforce_ssl=True
        )
        # The refusal of plain HTTP is a policy, and with one of its own a topic loses the default that let alarms in.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions=from_our_alarms,
            )
        )
        if instance is not None:
            self._let_in_events_of(instance, topic, key)
        for address in emails:
            topic.add_subscription(subscriptions.EmailSubscription(address))
        self.topic: sns.ITopic = topic

    def _let_in_events_of(self, instance: str, topic: sns.Topic, key: kms.Key) -> None:
        """Let RDS tell of one instance.

        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.GrantingPermissions.html
        """
        stack = Stack.of(self)
        rds = iam.ServicePrincipal("events.rds.amazonaws.com")
        ours = {"aws:SourceAccount": stack.account}
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="EventsPublish",
                principals=[rds],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={
                    "StringEquals": ours,
                    "ArnLike": {"aws:SourceArn": stack.format_arn(service="rds", resource=f"db:{instance}")},
                },
            )
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="EventsEncrypt",
                principals=[rds],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],  # in a key policy this means the key itself
                conditions={"StringEquals": ours},
            )
        )

    def action(self) -> actions.SnsAction:
        """What an alarm does to be heard here."""
        return actions.SnsAction(self.topic)
