"""Tells Slack how a local run ended, where ``SLACK_WEBHOOK_URL`` is set; a Slack that fails is one warning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dbbackup.cli.output import warn
from dbbackup.contract_notification import SUCCESSES_VARIABLE, WEBHOOK_VARIABLE, Outcome, Successes
from dbbackup.core.errors import DbBackupError
from dbbackup.core.notification import Notification

LONGEST_SECONDS: Final = 8
"""How long a run may wait for Slack at its end, with all repeats."""


def tell_slack(notification: Notification, environment: Mapping[str, str]) -> None:
    """Send a message, or say on standard error why it was not sent.

    A webhook that is none is no reason to lose a backup: it is refused here, loudly, when the work is done, while
    ``dbbackup doctor`` refuses it as it is asked whether everything is in order.
    """
    webhook = environment.get(WEBHOOK_VARIABLE)
    if webhook is None or not webhook.strip() or not _wanted(notification, environment):
        return
    from dbbackup import assembly_notify  # most runs tell nobody, and need not wait for the client to be imported

    try:
        assembly_notify.local_messenger(webhook, LONGEST_SECONDS).send(assembly_notify.local_message(notification))
    except DbBackupError as error:
        warn(f"Slack was not told. {error}")
    except Exception as error:  # noqa: BLE001 - a defect in telling must not turn a backup into a failed run
        warn(f"Slack was not told: {type(error).__name__}, which nobody expected.")


def _wanted(notification: Notification, environment: Mapping[str, str]) -> bool:
    """Whether it is told. A word that means nothing is said, and then everything is told."""
    chosen = environment.get(SUCCESSES_VARIABLE, "").strip() or Successes.ALL
    if chosen not in (Successes.ALL, Successes.NONE):
        warn(
            f"{SUCCESSES_VARIABLE} is {chosen!r}, which is neither {Successes.ALL} nor {Successes.NONE}: all are told."
        )
    return notification.outcome is Outcome.FAILED or chosen != Successes.NONE
