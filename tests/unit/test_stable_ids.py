from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.stable_ids import refuse_changing_names

NOW = datetime(2025, 1, 11, 0, 0, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    "name",
    ['test_read[{"at": "2025-01-11T00:00:02Z"}]', "test_read[ftry_backup_20250110_235959.dump]", "x" * 251],
    ids=["the moment", "a moment ago", "a document"],
)
def test_names_that_differ_from_worker_to_worker_are_refused(name: str) -> None:
    with pytest.raises(pytest.UsageError, match="give its parameters ids"):
        refuse_changing_names(["test_fine", name], NOW)


def test_names_of_fixed_times_are_not() -> None:
    refuse_changing_names(["test_read[2025-02-11T00:00:00Z]", "test_read[20240111]"], NOW)
