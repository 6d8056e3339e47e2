"""Where events end that could not be turned into a backup."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class DeadLetterQueue(sqs.Queue):
    """An encrypted queue, over TLS only, that keeps failed events for the longest time there is.

    With the encryption of SQS itself rather than a key of ours: the events hold no data, and a key whose policy
    forgets one of the two senders would lose them silently.
    """

    def __init__(self, scope: Construct, construct_id: str, *, queue_name: str | None = None) -> None:
        super().__init__(
            scope,
            construct_id,
            queue_name=queue_name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=RemovalPolicy.DESTROY,
        )
