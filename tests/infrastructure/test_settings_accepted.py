"""What settings mean when they are accepted, and that the defaults are the safe ones."""

from __future__ import annotations

import pydantic
import pytest

from dbbackup.contract import Tier
from stacks.settings.database import NewInstance
from stacks.settings.instance_size import memory_gib, most_connections
from stacks.settings.names import bucket_name_rule, database_rule, instance_identifier_rule
from stacks.settings.storage import StorageSettings
from stacks.settings.windows import daily_window, overlap, weekly_window
from tests.infrastructure.synthesis import settings_of


def test_settings_never_change_once_read() -> None:
    settings = settings_of("prod")
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        settings.name = "other"  # type: ignore[misc]


def test_what_is_not_said_is_safe() -> None:
    instance = NewInstance(identifier="ftry-new")
    assert instance.multi_az
    assert instance.deletion_protection
    assert instance.on_removal == "snapshot"
    assert instance.backup_retention_days == 30
    storage = StorageSettings()
    assert storage.lock.mode == "GOVERNANCE"
    assert [storage.locked_days(tier) for tier in Tier] == [tier.kept_days for tier in storage.tiers.all()]
    assert storage.noncurrent_days == 30
    assert settings_of("prod", termination_protection=None).termination_protection


def test_what_is_not_said_about_tiers_is_the_design() -> None:
    tiers = StorageSettings().tiers
    assert [(tier.kept_days, tier.storage_class) for tier in tiers.all()] == [
        (30, "STANDARD"),
        (90, "GLACIER"),
        (365, "DEEP_ARCHIVE"),
        (7, "STANDARD"),
        (30, "STANDARD"),
    ]


@pytest.mark.parametrize(
    ("instance_class", "gib", "connections"),
    [
        ("db.t4g.micro", 1, 112),
        ("db.t4g.medium", 4, 450),
        ("db.t3.2xlarge", 32, 3604),
        ("db.m7g.large", 8, 901),
        ("db.r6g.large", 16, 1802),
        ("db.m6gd.16xlarge", 256, 5000),
        ("db.x2g.large", None, 5000),
        ("db.m3.medium", None, 5000),
    ],
)
def test_what_a_class_can_have_at_most(instance_class: str, gib: int | None, connections: int) -> None:
    assert memory_gib(instance_class) == gib
    assert most_connections(instance_class, None) == connections


def test_max_connections_may_be_a_parameter() -> None:
    assert most_connections("db.t4g.micro", "300") == 300
    assert most_connections("db.t4g.micro", "LEAST({DBInstanceClassMemory/9531392},400)") is None
    settings_of(
        "prod",
        database__new_instance__parameters={"max_connections": "600"},
        monitoring__instance={"most_connections": 480},
    )


@pytest.mark.parametrize(
    ("daily", "weekly", "expected"),
    [
        ("02:00-03:00", "sun:05:00-sun:06:00", False),
        ("02:00-03:00", "sun:03:00-sun:04:00", False),  # they touch
        ("02:00-03:00", "sun:01:00-sun:02:00", False),  # they touch
        ("02:00-03:00", "sun:02:59-sun:03:59", True),
        ("02:00-03:00", "sun:00:00-sun:06:00", True),  # one inside the other
        ("02:00-03:00", "sun:02:15-sun:02:45", True),
        ("23:30-00:30", "wed:00:00-wed:00:45", True),  # over midnight
        ("23:30-00:30", "wed:00:30-wed:01:30", False),
        ("23:30-00:30", "sun:23:45-mon:00:15", True),  # over the end of the week
        ("00:00-00:30", "sun:23:15-mon:00:15", True),
        ("00:30-01:00", "sun:23:15-mon:00:15", False),
        ("12:00-13:00", "sun:23:15-mon:00:15", False),
    ],
)
def test_windows_overlap(daily: str, weekly: str, expected: bool) -> None:
    assert overlap(daily, weekly) is expected


def test_windows_over_midnight_have_their_length() -> None:
    assert daily_window("23:30-00:15") == (23 * 60 + 30, 45)
    assert weekly_window("sun:23:30-mon:00:15") == (6 * 1440 + 23 * 60 + 30, 45)


@pytest.mark.parametrize("name", ["a", "ftry-prod", "f" * 63, "a1-b2"])
def test_identifiers_that_rds_takes(name: str) -> None:
    assert instance_identifier_rule(name) is None


@pytest.mark.parametrize("name", ["abc", "ftry-backups", "1-2", "b" * 63])
def test_buckets_that_s3_takes(name: str) -> None:
    assert bucket_name_rule(name) is None


@pytest.mark.parametrize("name", ["ftry", "Mixed Case", 'with "quotes"', "a/b", "d" * 63])
def test_databases_that_postgresql_takes(name: str) -> None:
    assert database_rule(name) is None


@pytest.mark.parametrize("environment", ["prod", "staging", "dev"])
def test_environments_differ_where_they_may(environment: str) -> None:
    settings = settings_of(environment)
    assert settings.environment == environment
    assert settings.database.instance.identifier == f"ftry-{environment}"
    assert settings.database.instance.engine_major == 18
