"""What happens by itself after a failed run, in words: whether somebody must act now depends on it.

Lambda repeats what it was given to do later, as schedules do, and never what somebody waits for. It tells a run neither
which of the two it is nor which attempt.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

from typing import Final

REPEATED: Final = (
    "A run by schedule is repeated by itself within minutes, twice unless the settings say otherwise: act when none of "
    "them ends well. A run that somebody waits for is not repeated."
)
BY_HAND: Final = "It was asked for by hand and not by a schedule, so nothing repeats it."
