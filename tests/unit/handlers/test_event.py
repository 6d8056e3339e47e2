from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dbbackup.contract import EventField, Tier
from dbbackup.core.errors import InvalidRequestError
from dbbackup.handlers.event import BackupEvent, check_scheduled_time, parse_event


def test_the_schedules_event_is_understood() -> None:
    event = {"tier": "daily", "scheduled_time": "2025-01-11T02:00:00Z"}
    assert parse_event(event) == BackupEvent(tier=Tier.DAILY, scheduled_time=datetime(2025, 1, 11, 2, tzinfo=UTC))


def test_all_but_the_tier_may_be_left_out() -> None:
    assert parse_event({"tier": "manual"}) == BackupEvent(tier=Tier.MANUAL)


def test_the_fields_are_those_of_the_contract() -> None:
    assert set(BackupEvent.model_fields) == {field.value for field in EventField}


NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)
KEPT = {Tier.DAILY: 30, Tier.WEEKLY: 90}


def _due(moment: datetime | None, tier: Tier = Tier.DAILY) -> BackupEvent:
    return BackupEvent(tier=tier, scheduled_time=moment)


@pytest.mark.parametrize(
    "event",
    [
        _due(None),
        _due(NOW + timedelta(minutes=4)),
        _due(NOW - timedelta(days=29)),
        _due(NOW - timedelta(days=89), Tier.WEEKLY),
        _due(NOW - timedelta(days=900), Tier.MANUAL),
    ],
    ids=["none", "clocks-differ", "late", "late-weekly", "not-named"],
)
def test_a_moment_that_a_backup_may_have_been_due_at_is_taken(event: BackupEvent) -> None:
    check_scheduled_time(event, kept_days=KEPT, now=NOW)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (_due(NOW + timedelta(minutes=6)), "2026-01-31T03:06:00Z lies in the future"),
        (_due(NOW - timedelta(days=31)), "lies 31 days back, and daily backups are kept 30 days"),
        (_due(datetime(2025, 1, 12, 3, tzinfo=UTC), Tier.WEEKLY), "and weekly backups are kept 90 days"),
    ],
    ids=["future", "past", "sample-of-the-runbook"],
)
def test_a_moment_under_which_nobody_would_look_for_a_backup_is_refused(event: BackupEvent, said: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        check_scheduled_time(event, kept_days=KEPT, now=NOW)
    assert said in refused.value.what
    assert "leave scheduled_time out" in refused.value.action


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({}, ["tier: Field required"]),
        ({"tier": "hourly"}, ["tier: Input should be 'daily', 'weekly'"]),
        ({"tier": "daily", "scheduled_time": "soon"}, ["scheduled_time: "]),
        ({"tier": "daily", "scheduled_time": "2025-01-11T02:00:00"}, ["scheduled_time: ", "timezone"]),
        ({"tier": "daily", "database": 3}, ["database: Input should be a valid string"]),
        ({"tier": "daily", "databse": "x"}, ["databse: Extra inputs"]),
        ({"tier": "x", "scheduled_time": "y", "more": 1}, ["tier: ", "scheduled_time: ", "more: "]),
        (None, ["the event: "]),
        ([], ["the event: "]),
        ("daily", ["the event: "]),
    ],
)
def test_an_event_that_cannot_be_carried_out_is_refused_naming_each_field(event: Any, named: list[str]) -> None:
    with pytest.raises(InvalidRequestError, match="The event cannot be carried out") as refused:
        parse_event(event)
    assert all(part in refused.value.what for part in named)
    assert '"tier": "daily"' in refused.value.action
