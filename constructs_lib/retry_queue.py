"""Where events wait that a function could not deal with, until it is given them again."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

REPEATS_FOR_SECONDS: Final = 24 * 3600


class RetryQueue(sqs.Queue):
    """An encrypted queue, over TLS only, that gives an event back again and again for a day, and then gives it up.

    Encrypted by SQS itself for the same reason as :class:`constructs_lib.dead_letter_queue.DeadLetterQueue`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        queue_name: str,
        function_timeout_seconds: int,
        given_up: sqs.IQueue,
    ) -> None:
        """Make the queue; what it gives up after a day goes to the queue ``given_up``."""
        # Six times the time-out of the function: Lambda needs it to try again where the function is busy.
        # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        self.repeated_after_seconds: int = 6 * function_timeout_seconds
        """How long an event is hidden once it was given to the function, in seconds."""
        super().__init__(
            scope,
            construct_id,
            queue_name=queue_name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(self.repeated_after_seconds),
            # Longer than events are repeated, and shorter than they are kept afterwards: their age goes on counting.
            retention_period=Duration.days(7),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=given_up, max_receive_count=-(-REPEATS_FOR_SECONDS // self.repeated_after_seconds)
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )

    def source(self, *, most_at_once: int) -> event_sources.SqsEventSource:
        """What gives the events to a function, one at a time and not more than that many at once.

        One at a time, so that an event that fails is an error of the function, which the metric and its alarm count:
        answers about parts of a batch would count nothing. And a bound of its own, at least 2 by Lambda's rule, as a
        function that is too busy would use up the receives of the events.
        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
        """
        return event_sources.SqsEventSource(self, batch_size=1, max_concurrency=most_at_once)
