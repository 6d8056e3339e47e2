"""The weekly rehearsal of the path of alerts: when it fails on purpose, and whether anybody heard of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dbbackup.contract import Metric
from dbbackup.contract_watch import (
    PROBE_MINUTES,
    RehearsedAlert,
    WatchEnvKey,
    WatchMetric,
    rehearsed_dimensions,
    watch_dimensions,
)
from dbbackup.core.alert_rehearsal import GRACE, LOOK_BACK, AlertRehearsal, RehearsalRecord, Window
from tests.support.rds_world import PROD
from tests.watch.conftest import Probe, rehearse_at

SYNTHETIC = rehearsed_dimensions("test")
# 2026-01-05 is a Monday.
NIGHT = AlertRehearsal(weekday=6, hour=23, minutes=120)
MORNING = AlertRehearsal(weekday=0, hour=0, minutes=60)


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("rehearsal", "moment", "running"),
    [
        (NIGHT, "2026-01-04T22:59:59", False),
        (NIGHT, "2026-01-04T23:00:00", True),
        (NIGHT, "2026-01-05T00:59:59", True),
        (NIGHT, "2026-01-05T01:00:00", False),
        (NIGHT, "2026-01-03T23:30:00", False),
        (MORNING, "2026-01-04T23:59:59", False),
        (MORNING, "2026-01-05T00:00:00", True),
        (MORNING, "2026-01-05T01:00:00", False),
        (AlertRehearsal(weekday=2, hour=23, minutes=1440), "2026-01-08T22:59:00", True),
    ],
)
def test_it_runs_in_its_window_also_across_midnight_and_the_end_of_the_week(
    rehearsal: AlertRehearsal, moment: str, running: bool
) -> None:
    assert rehearsal.running(at(moment)) is running


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    assert MORNING.running(datetime.fromisoformat("2026-01-05T05:30:00+05:00"))
    assert not MORNING.running(datetime.fromisoformat("2026-01-05T00:30:00+05:00"))


NOW = at("2026-01-07T12:00:00")
PERIOD = timedelta(minutes=PROBE_MINUTES)


def said(*spans: tuple[timedelta, int], silent: tuple[timedelta, ...] = ()) -> RehearsalRecord:
    """What the probe has said: well, but for so many minutes of failure from so long ago on, or nothing at all."""
    failing = {NOW - each * PERIOD: False for each in range(int(LOOK_BACK / PERIOD))}
    for ago, minutes in spans:
        for each in range(minutes // PROBE_MINUTES):
            failing[NOW - ago + each * PERIOD] = True
    for ago in silent:
        failing.pop(NOW - ago)
    return RehearsalRecord(failing={moment: value for moment, value in failing.items() if moment <= NOW}, delivered={})


def days(number: float) -> timedelta:
    """So many days."""
    return timedelta(days=number)


@pytest.mark.parametrize(
    ("record", "start", "minutes"),
    [
        (said((days(2), 60)), days(2), 60),
        (said((days(7.75), 60), (days(0.75), 120)), days(0.75), 120),
        (said((days(7), 60), (timedelta(minutes=40), 60)), days(7), 60),
        (said((days(7), 60), (timedelta(minutes=85), 60)), days(7), 60),
        (said((days(7), 60), (timedelta(minutes=90), 60)), timedelta(minutes=90), 60),
        (said((days(7), 60), (days(1), 20)), days(7), 60),
        (said((days(1), 60), silent=(days(1) - 3 * PERIOD, days(1) - 4 * PERIOD)), days(1), 60),
        (said((days(8), 24 * 60)), days(8), 24 * 60),
    ],
    ids=[
        *("the-last", "the-later-of-two", "while-one-runs", "in-its-grace", "after-its-grace", "one-was-cut-short"),
        *("with-looks-missed", "a-day-long"),
    ],
)
def test_the_last_rehearsal_that_there_was_and_that_is_over_is_judged(
    record: RehearsalRecord, start: timedelta, minutes: int
) -> None:
    assert record.judged(NOW) == Window(NOW - start, NOW - start + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    "record",
    [
        said(),
        RehearsalRecord(failing={}, delivered={}),
        said((days(8.5), 60)),
        said((timedelta(minutes=40), 60)),
        said((days(1), 25)),
    ],
    ids=["never", "probe-silent", "too-long-ago", "the-first-still-runs", "only-cut-short"],
)
def test_without_a_rehearsal_of_late_there_is_none_to_judge(record: RehearsalRecord) -> None:
    assert record.judged(NOW) is None


def test_two_failures_with_a_silent_probe_between_them_are_two_rehearsals() -> None:
    record = said((days(7), 60), (days(0.125), 60))
    failing = {moment: value for moment, value in record.failing.items() if value}
    silent = RehearsalRecord(failing=failing, delivered={})
    assert silent.judged(NOW) == Window(NOW - days(0.125), NOW - days(0.125) + timedelta(minutes=60))


def hours_ago(hours: int) -> datetime:
    """The begin of an earlier hour."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)


def undelivered(probe: Probe) -> float | None:
    return probe.value(WatchMetric.ALERTS_UNDELIVERED, watch_dimensions("test", PROD))


def test_most_of_the_time_the_synthetic_database_is_well(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WatchEnvKey.ALERT_REHEARSAL, rehearse_at(hours_ago(3), 60))
    answer = probe.look()
    assert probe.value(Metric.BACKUP_FAILURE, SYNTHETIC) == 0
    assert probe.value(WatchMetric.BACKUP_AGE, SYNTHETIC) == 0
    assert answer["rehearsing"] is False


def test_during_the_rehearsal_its_backup_fails_and_none_is_there(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WatchEnvKey.ALERT_REHEARSAL, rehearse_at(hours_ago(0), 120))
    answer = probe.look()
    assert probe.value(Metric.BACKUP_FAILURE, SYNTHETIC) == 1
    assert probe.value(WatchMetric.BACKUP_AGE, SYNTHETIC) is None
    assert answer["rehearsing"] is True


def test_without_a_rehearsal_nothing_of_it_is_said(probe: Probe) -> None:
    answer = probe.look()
    assert probe.value(Metric.BACKUP_FAILURE, SYNTHETIC) is None
    assert undelivered(probe) is None
    assert (answer["rehearsing"], answer["undelivered"]) == (None, None)
    assert probe.world.called("GetMetricData") == []


def test_alerts_that_arrived_are_not_missed(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    start = hours_ago(3)
    monkeypatch.setenv(WatchEnvKey.ALERT_REHEARSAL, rehearse_at(start, 60))
    probe.rehearse(start, 60)
    probe.deliver(RehearsedAlert.FAILED, start + timedelta(minutes=7))
    probe.deliver(RehearsedAlert.MISSING, start + timedelta(minutes=60) + GRACE - timedelta(minutes=5))
    assert probe.look()["undelivered"] == []
    assert undelivered(probe) == 0


@pytest.mark.parametrize("arrived", RehearsedAlert)
def test_an_alert_that_did_not_arrive_is_named(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, arrived: RehearsedAlert
) -> None:
    start = hours_ago(3)
    monkeypatch.setenv(WatchEnvKey.ALERT_REHEARSAL, rehearse_at(start, 60))
    probe.rehearse(start, 60)
    probe.deliver(arrived, start + timedelta(minutes=7))
    (missed,) = [alert for alert in RehearsedAlert if alert is not arrived]
    (said,) = probe.look()["undelivered"]
    assert said.startswith(missed.value)
    assert undelivered(probe) == 1
    assert [line["alert"] for line in probe.logged if line["message"] == "a rehearsed alert did not arrive"] == [said]


def test_messages_of_other_times_and_failed_deliveries_do_not_count(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = hours_ago(3)
    monkeypatch.setenv(WatchEnvKey.ALERT_REHEARSAL, rehearse_at(start, 60))
    probe.rehearse(start, 60)
    for alert in RehearsedAlert:
        probe.deliver(alert, start - timedelta(minutes=6))
        probe.deliver(alert, start + timedelta(minutes=60) + GRACE + timedelta(minutes=6))
        probe.deliver(alert, start + timedelta(minutes=7), value=0)
    probe.look()
    assert undelivered(probe) == 2


def test_while_one_runs_the_one_of_last_week_is_judged(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    start = hours_ago(0)
    monkeypatch.setenv(WatchEnvKey.ALERT_REHEARSAL, rehearse_at(start, 120))
    probe.rehearse(start - timedelta(days=7), 120)
    probe.rehearse(start, 120)
    probe.look()
    assert undelivered(probe) == 2
    for alert in RehearsedAlert:
        probe.deliver(alert, start - timedelta(days=7) + timedelta(minutes=20))
    probe.look()
    assert undelivered(probe) == 0


def test_another_time_in_the_settings_does_not_make_the_last_rehearsal_one_that_was_not_heard(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was heard on its old day; at the new time of the last week there was none."""
    old, new = hours_ago(50), hours_ago(26)
    probe.rehearse(old, 60)
    for alert in RehearsedAlert:
        probe.deliver(alert, old + timedelta(minutes=20))
    monkeypatch.setenv(WatchEnvKey.ALERT_REHEARSAL, rehearse_at(new, 60))
    assert probe.look()["undelivered"] == []
    assert undelivered(probe) == 0


def test_a_rehearsal_that_has_stopped_rings(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WatchEnvKey.ALERT_REHEARSAL, rehearse_at(hours_ago(3), 60))
    for alert in RehearsedAlert:
        probe.deliver(alert, hours_ago(3) + timedelta(minutes=20))
    assert probe.look()["undelivered"] == [
        "failed, as nothing was rehearsed for 8 days",
        "missing, as nothing was rehearsed for 8 days",
    ]
    assert undelivered(probe) == 2
