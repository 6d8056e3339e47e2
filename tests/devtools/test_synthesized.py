"""Reading the backup system back from templates."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dbbackup.contract import EnvKey
from devtools.deployed_function import DeployedFunction
from devtools.synthesized import Schedule, last_firing

NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)  # a Sunday


@pytest.mark.parametrize(
    ("expression", "fired"),
    [
        ("cron(0 2 * * ? *)", datetime(2026, 11, 22, 2, 0, tzinfo=UTC)),
        ("cron(30 23 * * ? *)", datetime(2026, 11, 21, 23, 30, tzinfo=UTC)),
        ("cron(0 3 ? * SUN *)", datetime(2026, 11, 22, 3, 0, tzinfo=UTC)),
        ("cron(0 12 ? * SUN *)", datetime(2026, 11, 15, 12, 0, tzinfo=UTC)),
        ("cron(0 4 1 * ? *)", datetime(2026, 11, 1, 4, 0, tzinfo=UTC)),
    ],
)
def test_a_schedule_fired_last_at(expression: str, fired: datetime) -> None:
    assert last_firing(expression, NOW) == fired


@pytest.mark.parametrize("expression", ["rate(1 day)", "cron(0 2 * 5 ? *)", "cron(*/5 * * * ? *)", ""])
def test_a_schedule_of_another_form_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="not a schedule we know"):
        last_firing(expression, NOW)


def test_the_placeholder_of_the_scheduled_time_is_filled_in() -> None:
    schedule = Schedule(
        "daily", "cron(0 2 * * ? *)", '{"tier":"daily","scheduled_time":"<aws.scheduler.scheduled-time>"}'
    )

    assert schedule.event(NOW) == {"tier": "daily", "scheduled_time": "2026-11-22T11:00:00Z"}
    assert schedule.tier == "daily"


def _function(environment: dict[str, object]) -> DeployedFunction:
    return DeployedFunction("a.b", environment, 900)


def test_a_reference_without_a_local_value_is_refused() -> None:
    function = _function({"BACKUP_BUCKET": {"Ref": "Bucket"}, "DB_PORT": "5432"})

    with pytest.raises(ValueError, match="no local value for: \\['BACKUP_BUCKET'\\]"):
        function.local_environment({})


def test_a_value_for_a_variable_that_the_template_does_not_set_is_refused() -> None:
    with pytest.raises(ValueError, match="not in the template: \\['DB_HOST'\\]"):
        _function({"DB_PORT": "5432"}).local_environment({EnvKey.DB_HOST.value: "here"})


def test_local_values_stand_in_for_references_and_the_rest_stays() -> None:
    function = _function({"DB_HOST": {"Fn::GetAtt": ["Instance", "Endpoint"]}, "DB_PORT": "5432"})

    assert function.local_environment({EnvKey.DB_HOST.value: "here"}) == {"DB_HOST": "here", "DB_PORT": "5432"}
