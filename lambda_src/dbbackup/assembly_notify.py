"""Puts together what tells people, for the entry points."""

from __future__ import annotations

from dbbackup.adapters.slack import SlackWebhook
from dbbackup.contract_notification import WEBHOOK_VARIABLE
from dbbackup.core.deadline import Deadline
from dbbackup.core.message import Message
from dbbackup.core.message_ports import History, LaterQueue, Messenger
from dbbackup.core.notification import Notification
from dbbackup.core.work_message import Around, message_of


def local_messenger(webhook: str, seconds: float) -> Messenger:
    """The webhook of a local run, which may take that many seconds at most.

    Raises:
        InvalidRequestError: this is no webhook.
    """
    return SlackWebhook(webhook, where=WEBHOOK_VARIABLE, total_seconds=seconds, attempt_seconds=seconds / 2)


def local_message(notification: Notification) -> Message:
    """The message of a local run, whose log is the terminal."""
    return message_of(notification, Around())


def messenger(secret_arn: str, deadline: Deadline) -> Messenger:
    """The webhook that is in a secret now.

    Raises:
        CredentialsError: the secret cannot be read.
        InvalidRequestError: what is in it is no webhook.
    """
    from dbbackup.adapters import secrets, webhook_secret  # a local run needs no SDK for this

    url = webhook_secret.read_webhook(secrets.make_client(), secret_arn)
    return SlackWebhook(url, where=f"the secret {secret_arn}", deadline=deadline)


def later_queue(url: str, *, field: str) -> LaterQueue:
    """The queue that gives an event to the notifier again; ``field`` is where its messages hold it."""
    from dbbackup.adapters.later_queue import SqsLaterQueue, make_client

    return SqsLaterQueue(make_client(), url, field=field)


def history(environment: str) -> History:
    """What CloudWatch remembers of an environment."""
    from dbbackup.adapters import cloudwatch_history

    return cloudwatch_history.CloudWatchHistory(cloudwatch_history.make_client(), environment)
