"""What RDS itself has to tell about the instance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_rds as rds
from aws_cdk import aws_sns as sns
from constructs import Construct

CATEGORIES: Final = ("backup", "deletion", "failover", "failure", "low storage", "recovery")
"""Categories of an instance's events that go to the topic. How much each event asks of people, and that the nightly
backup is told in Slack only where all successes are, is in ``dbbackup.core.rds_event``.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
"""


class RdsEvents(Construct):
    """Events of one instance, to a topic whose policy and key let ``events.rds.amazonaws.com`` in."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        subscription_name: str,
        instance: str,
        topic: sns.ITopic,
        categories: Sequence[str] = CATEGORIES,
    ) -> None:
        super().__init__(scope, construct_id)
        rds.CfnEventSubscription(
            self,
            "Subscription",
            subscription_name=subscription_name,
            sns_topic_arn=topic.topic_arn,
            source_type="db-instance",
            source_ids=[instance],
            event_categories=list(categories),
            enabled=True,
        )
