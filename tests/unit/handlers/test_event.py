from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dbbackup.contract import EventField, Tier
from dbbackup.core.errors import InvalidRequestError
from dbbackup.handlers.event import BackupEvent, parse_event


def test_the_schedules_event_is_understood() -> None:
    event = {"tier": "daily", "scheduled_time": "2025-01-11T02:00:00Z"}
    assert parse_event(event) == BackupEvent(tier=Tier.DAILY, scheduled_time=datetime(2025, 1, 11, 2, tzinfo=UTC))


def test_all_but_the_tier_may_be_left_out() -> None:
    assert parse_event({"tier": "manual"}) == BackupEvent(tier=Tier.MANUAL)


def test_the_fields_are_those_of_the_contract() -> None:
    assert set(BackupEvent.model_fields) == {field.value for field in EventField}


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
