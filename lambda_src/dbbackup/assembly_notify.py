"""Puts together what tells people, for the entry points."""

from __future__ import annotations

from dbbackup.adapters.slack import SlackWebhook
from dbbackup.contract_notification import WEBHOOK_VARIABLE
from dbbackup.core.message import Message
from dbbackup.core.message_ports import Messenger
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
