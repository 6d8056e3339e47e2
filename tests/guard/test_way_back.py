"""The way back, as commands that can be run as they are."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

import pytest

from dbbackup.core.receipt import Receipt
from dbbackup.core.way_back import instance_of, system_of, ways_back
from tests.support.backups import manifest_of

MOMENT = datetime(2026, 1, 11, 14, 30, 5, 900_000, tzinfo=UTC)


def receipt_of(host: str | None, instance: str | None = None) -> Receipt:
    """A receipt of a backup of that host."""
    manifest = manifest_of("my shop")
    source = manifest.source.model_copy(update={"host": host, "instance": instance})
    manifest = manifest.model_copy(update={"source": source})
    return Receipt.of(manifest, "s3://b/pre migration.dump", commit=None, requested_by=None, at=MOMENT)


def test_of_a_server_of_ours_there_is_the_dump_alone() -> None:
    (way,) = ways_back(receipt_of("db.example.org"), system="ftry-prod")
    assert shlex.split(way.command) == ["dbbackup", "restore", "s3://b/pre migration.dump", "--to", "my shop"]


def test_of_an_instance_of_a_known_system_it_is_the_command_for_a_moment() -> None:
    _, way = ways_back(receipt_of(None, "ftry-prod"), system="ftry-prod")
    assert way.command == "dbbackup pitr restore 2026-01-11T14:30:05Z --source ftry-prod --system ftry-prod"


def test_of_another_instance_it_is_the_command_of_aws() -> None:
    _, way = ways_back(receipt_of("shop.abc123.eu-west-1.rds.amazonaws.com"), system=None)
    assert way.command == (
        "aws rds restore-db-instance-to-point-in-time --source-db-instance-identifier shop"
        " --target-db-instance-identifier shop-before-20260111-143005 --restore-time 2026-01-11T14:30:05Z"
    )


@pytest.mark.parametrize(
    ("host", "instance"),
    [
        ("shop.abc123.eu-west-1.rds.amazonaws.com", "shop"),
        ("shop.abc123.cn-north-1.rds.amazonaws.com.cn", "shop"),
        ("shop.cluster-abc123.eu-west-1.rds.amazonaws.com", None),
        ("shop.rds.amazonaws.com.example.org", None),
        ("127.0.0.1", None),
        (None, None),
    ],
)
def test_an_instance_by_its_host_name(host: str | None, instance: str | None) -> None:
    assert instance_of(receipt_of(host)) == instance


@pytest.mark.parametrize(
    ("function", "system"),
    [
        ("ftry-prod-backup", "ftry-prod"),
        ("ftry-prod-backup:live", "ftry-prod"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:ftry-prod-backup:3", "ftry-prod"),
        ("something", None),
    ],
)
def test_the_system_by_its_function(function: str, system: str | None) -> None:
    assert system_of(function) == system
