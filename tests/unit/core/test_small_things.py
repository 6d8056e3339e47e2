"""Deadline, watchdog, units, listing, errors: a few lines of code each."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone

import pytest

from dbbackup.core import errors
from dbbackup.core.deadline import Deadline
from dbbackup.core.units import format_bytes, format_seconds, format_time
from dbbackup.core.watchdog import at_deadline


def test_no_deadline_never_passes() -> None:
    deadline = Deadline()
    deadline.check("working")
    assert deadline.remaining() is None
    assert not deadline.passed


@pytest.mark.parametrize("seconds", [0, -30])
def test_a_deadline_that_is_there_at_once_stops_the_work_and_says_at_what(seconds: float) -> None:
    deadline = Deadline.after(seconds)
    assert deadline.remaining() == 0
    with pytest.raises(errors.DeadlineExceededError, match="while counting rows"):
        deadline.check("counting rows")


def test_a_distant_deadline_lets_the_work_go_on() -> None:
    deadline = Deadline.after(1000)
    deadline.check("working")
    assert 900 < (deadline.remaining() or 0) <= 1000


def test_the_watchdog_stops_what_still_runs_at_the_deadline() -> None:
    stopped = threading.Event()
    with at_deadline(Deadline.after(0.01), stopped.set):
        assert stopped.wait(10)


def test_the_watchdog_leaves_alone_what_ended_in_time() -> None:
    stopped = threading.Event()
    before = threading.active_count()
    with at_deadline(Deadline.after(0.05), stopped.set):
        pass
    assert not stopped.wait(0.1)
    with at_deadline(Deadline(), stopped.set):
        assert threading.active_count() <= before + 1


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (12.3 * 1024**2, "12.3 MiB"),
        (5 * 1024**4, "5.0 TiB"),
        (9000 * 1024**4, "9000.0 TiB"),
    ],
)
def test_sizes_have_binary_units(count: float, text: str) -> None:
    assert format_bytes(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.44, "2.4 s"), (60, "1 min 0 s"), (200, "3 min 20 s"), (18120, "5 h 2 min"), (12 * 86400, "12 d")],
)
def test_durations_read_naturally(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_times_are_printed_in_utc() -> None:
    moment = datetime(2025, 1, 11, 4, 30, 0, 999, tzinfo=timezone(timedelta(hours=2)))
    assert format_time(moment) == "2025-01-11T02:30:00Z"


def _all_errors(base: type[errors.DbBackupError]) -> list[type[errors.DbBackupError]]:
    return [base, *(deeper for child in base.__subclasses__() for deeper in _all_errors(child))]


@pytest.mark.parametrize("kind", _all_errors(errors.DbBackupError))
def test_every_failure_is_a_document_with_what_untouched_and_action(kind: type[errors.DbBackupError]) -> None:
    failure = kind("It broke.", untouched="All is well.", action="Mend it.")
    assert failure.as_dict() == {
        "error": kind.code,
        "what": "It broke.",
        "untouched": "All is well.",
        "action": "Mend it.",
    }
    assert str(failure) == "It broke. All is well. Mend it."
    assert kind.exit_status != 0


def test_failures_can_be_told_apart_by_their_code() -> None:
    codes = [kind.code for kind in _all_errors(errors.DbBackupError)]
    assert len(set(codes)) == len(codes)
