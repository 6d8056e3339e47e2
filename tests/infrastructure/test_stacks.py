"""What holds for all stacks of all environments."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.infrastructure.synthesis import Synthesized

PARTS = {
    "network",
    "storage",
    "notification",
    "database",
    "backup",
    "restore",
    "restore-dump",
    "rehearsal",
    "monitoring",
}


@pytest.fixture(params=["prod", "staging", "dev"])
def synthesized(request: pytest.FixtureRequest) -> Synthesized:
    found: Synthesized = request.getfixturevalue(request.param)
    return found


def test_every_environment_has_the_same_stacks(synthesized: Synthesized) -> None:
    assert synthesized.parts == PARTS


def test_every_environment_has_the_same_resources_but_for_slack(prod: Synthesized, synthesized: Synthesized) -> None:
    """Nobody reads Slack of dev, so there it is not told, and nothing rehearses the way to it."""
    heard = {"AWS::Logs::SubscriptionFilter", "AWS::Lambda::Permission"}
    slack = {"backup": heard, "restore-dump": heard, "monitoring": {"AWS::CloudWatch::Alarm"}}
    for part in PARTS:
        here, there = _kinds(synthesized, part), _kinds(prod, part)
        assert not here - there
        if synthesized.prefix != "ftry-dev":
            assert here == there
        elif part != "notification":
            assert set(there - here) <= slack.get(part, set())


def test_every_stack_says_what_it_is(synthesized: Synthesized) -> None:
    descriptions = {synthesized[part].body["Description"] for part in PARTS}
    assert len(descriptions) == len(PARTS)
    assert all(30 < len(description) <= 1024 for description in descriptions)


def test_every_stack_is_tagged(synthesized: Synthesized) -> None:
    environment = synthesized.prefix.removeprefix("ftry-")
    for name, properties in synthesized.stacks.items():
        assert properties["tags"] == {
            "System": "ftry",
            "Environment": environment,
            "ManagedBy": "postgres-recovery",
        }, name


def test_resources_are_tagged_too(prod: Synthesized) -> None:
    tags = {tag["Key"]: tag["Value"] for tag in prod["database"].only("AWS::RDS::DBInstance")["Tags"]}
    assert tags["Environment"] == "prod"


def test_stacks_with_data_are_protected_in_prod(prod: Synthesized) -> None:
    protected = {name for name, properties in prod.stacks.items() if properties.get("terminationProtection")}
    assert protected == {"ftry-prod-database", "ftry-prod-storage"}


def test_protection_is_given_up_by_name(dev: Synthesized) -> None:
    assert not [name for name, properties in dev.stacks.items() if properties.get("terminationProtection")]


def test_nothing_is_asked_of_aws(synthesized: Synthesized) -> None:
    assert not synthesized.manifest.get("missing")


def test_no_account_is_named(synthesized: Synthesized) -> None:
    assert {
        artifact["environment"]
        for artifact in synthesized.manifest["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    } == {"aws://unknown-account/us-east-1"}


@pytest.mark.parametrize(
    ("part", "logical_id", "kind"),
    [
        ("database", "PostgresInstanceEC667DB9", "AWS::RDS::DBInstance"),
        ("database", "PostgresKey24D76AA8", "AWS::KMS::Key"),
        ("storage", "BackupsBucket2936A3AA", "AWS::S3::Bucket"),
        ("storage", "BackupsAccessLogs4CD0EFAD", "AWS::S3::Bucket"),
        ("storage", "BackupsKeyC696F888", "AWS::KMS::Key"),
        ("network", "LogKeyE83D0C1B", "AWS::KMS::Key"),
        ("notification", "AlarmsKey3C2381B3", "AWS::KMS::Key"),
    ],
)
def test_what_holds_data_keeps_its_logical_id(prod: Synthesized, part: str, logical_id: str, kind: str) -> None:
    """To rename one of these is to replace it, and what is in it is gone: change the code, never this table."""
    assert prod[part].body["Resources"][logical_id]["Type"] == kind


def test_there_is_nothing_else_that_holds_data(prod: Synthesized) -> None:
    counted = {
        kind: sum(len(prod[part].all(kind)) for part in PARTS)
        for kind in ("AWS::RDS::DBInstance", "AWS::S3::Bucket", "AWS::KMS::Key")
    }
    assert counted == {"AWS::RDS::DBInstance": 1, "AWS::S3::Bucket": 2, "AWS::KMS::Key": 4}


def _kinds(synthesized: Synthesized, part: str) -> Counter[str]:
    return Counter(found["Type"] for found in synthesized[part].body["Resources"].values())
