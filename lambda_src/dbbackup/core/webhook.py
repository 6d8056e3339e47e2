"""What a Slack webhook may be. Its URL is a secret: whoever has it can post, so no message here repeats it.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from dbbackup.core.errors import DbBackupError, InvalidRequestError

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class UndeliveredError(DbBackupError):
    """Slack did not take a message."""

    code = "undelivered"


def check_webhook(text: str, *, where: str) -> str:
    """A webhook that a message may be sent to.

    Args:
        text: as it was given.
        where: what to call the place it was given in.

    Raises:
        InvalidRequestError: it is not an https URL (http is for this machine itself); the text is not repeated.
    """
    url = text.strip()
    problem = _problem(url)
    if problem is None:
        return url
    raise InvalidRequestError(
        f"The webhook in {where} cannot be used: {problem}. It is not shown here, as it is a secret.",
        untouched="Nothing was sent.",
        action="Copy the webhook URL of the Slack app, which begins with https://hooks.slack.com/services/.",
    )


def _problem(url: str) -> str | None:
    if not url:
        return "it is empty"
    if re.search(r"[\s\x00-\x1f\x7f]", url):
        return "there is a blank, a line break or a control character in it"
    if not url.isascii():
        return "there are characters in it that a URL does not have"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "it is not a URL"
    if parts.scheme not in ("https", "http") or not host:
        return "it is not a URL that begins with https://"
    if parts.scheme == "http" and host not in _LOOPBACK:
        return "it begins with http://, so anybody on the way could read it and post in your name"
    if parts.username or parts.password:
        return "it has a user or password in it, which Slack does not use"
    if parts.path in ("", "/"):
        return "it ends with the host, and the part after it is what names the channel"
    return None
