"""How long a server asks to wait.

https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime


def seconds_to_wait(text: str, now: float) -> float | None:
    """Seconds that a Retry-After header means, at least 0; None where it means nothing.

    Args:
        text: a number of seconds, or a date.
        now: seconds since 1970.
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - now)
