"""Names of notifications that the infrastructure and the running code must agree on.

Standard library only, like :mod:`dbbackup.contract`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

HANDLER_NOTIFY: Final = "dbbackup.handlers.notify.handler"
"""Container command of the Slack notifier."""


class NotifyEnvKey(StrEnum):
    """Environment variables of the notifier, besides ``ENVIRONMENT`` of :class:`dbbackup.contract.EnvKey`."""

    SECRET_ARN = "NOTIFY_SECRET_ARN"  # noqa: S105 - the name of a variable, not a secret
    """ARN of the secret with the webhook: the URL itself, or a JSON object ``{"url": ...}``."""
    SUCCESSES = "NOTIFY_SUCCESSES"
    """One of :class:`Successes`."""
    RUNBOOK_BASE_URL = "NOTIFY_RUNBOOK_BASE_URL"
    """Where the runbooks are read, without a slash at the end."""
    CONTACTS = "NOTIFY_CONTACTS"
    """JSON array of ``{"role", "contact", "responsibility"}``: whom to call; shown with failures and alarms."""
    QUEUE_URL = "NOTIFY_QUEUE_URL"
    """URL of the queue with what could not be told yet; it invokes the notifier again."""


class Successes(StrEnum):
    """Which verified backups are told."""

    ALL = "all"
    FIRST_AFTER_FAILURE = "first-after-failure"
    NONE = "none"


WEBHOOK_VARIABLE: Final = "SLACK_WEBHOOK_URL"
"""Environment variable of the command: where local runs tell how they ended."""
SUCCESSES_VARIABLE: Final = "SLACK_SUCCESSES"
"""Environment variable of the command: whether that is told of successes, ``all`` (the default) or ``none``. Of the
words of :class:`Successes` these two: a machine keeps no record of failures that went before."""

LOG_FIELD: Final = "notification"
"""Field of a log line with a notification. A function in the VPC has no way to SNS, and every run writes its log:
a subscription filter hands the lines that have the field to the notifier. Also the field of a message of the topic."""
LOG_FILTER: Final = f'{{ $.{LOG_FIELD}.kind = "*" }}'
"""Filter pattern of the subscription.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""


KILLED_FILTER: Final = (
    '?"Task timed out after" ?"Runtime exited" ?"Status: timeout" ?"Error Type: Runtime." ?"platform.report"'
)
"""Filter pattern of a second subscription, which hands over what Lambda itself says of a run that it has ended, in its
text format; and all reports in its JSON format, among which the notifier looks for those."""


class Kind(StrEnum):
    """What has ended."""

    BACKUP = "backup"
    RESTORE = "restore"
    RECOVERY = "point-in-time-recovery"
    PROMOTION = "promotion"
    REHEARSAL = "rehearsal"


class Outcome(StrEnum):
    """How it ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


def killed_filter_name(kind: Kind) -> str:
    """Name of the second subscription, by which the notifier knows it and what the function does."""
    return f"killed-{kind.value}"
