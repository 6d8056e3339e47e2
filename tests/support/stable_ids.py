"""Names of tests that are the same in every worker, and short enough to read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

LONGEST = 250
"""Characters of a test's own name with its parameters."""


def refuse_changing_names(names: Iterable[str], now: datetime | None = None) -> None:
    """Each worker of pytest-xdist collects for itself, and the run ends where one finds other names than another.

    A document among the parameters brings the moment it was made into the name, so that workers agree only when they
    get there within the same second: such a name is refused whether or not they did.

    Raises:
        pytest.UsageError: a name is too long, or holds today's date.
    """
    today = now or datetime.now(UTC)
    # The day before as well: midnight may pass between the import of a file and this.
    days = [f"{day:{form}}" for day in (today, today - timedelta(days=1)) for form in ("%Y-%m-%d", "%Y%m%d")]
    for name in names:
        if len(name) > LONGEST or any(day in name for day in days):
            raise pytest.UsageError(
                f"the test {name[:LONGEST]} is named after a long or passing value: give its parameters ids"
            )
