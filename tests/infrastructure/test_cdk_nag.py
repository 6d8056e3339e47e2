"""The AwsSolutions rules of cdk-nag: every finding is either mended or accepted here, with its reason."""

from __future__ import annotations

import re
from typing import Final

import pytest
from cdk_nag import AwsSolutionsChecks

from tests.infrastructure.synthesis import Synthesized

pytestmark = pytest.mark.xdist_group("linters")

# rule and what it found (a pattern), path of the construct without the environment's prefix, why it is right
ACCEPTED: Final = (
    (
        r"AwsSolutions-IAM4\[Policy::.*/service-role/AmazonRDSEnhancedMonitoringRole\]",
        "database/Postgres/Instance/MonitoringRole/Resource",
        "RDS documents this managed policy as the one for enhanced monitoring; it writes to one log group",
    ),
    (
        r"AwsSolutions-RDS11",
        "database/Postgres/Instance/Resource",
        "Another port hides nothing from somebody who is already inside a private network; it is a setting",
    ),
    (
        r"AwsSolutions-SQS3",
        "backup/DeadLetters/Resource",
        "It is the dead-letter queue, and an alarm is raised by its first message",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::\*\]",
        "backup/Backup/Role/DefaultPolicy/Resource",
        "Network interfaces and traces have no finer resource; another test lists the actions that may have it",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::.*/(?:(daily|weekly|monthly|pre-migration|manual)/\*|"
        r"pre-migration/\*\.receipt\.json)\]",
        "backup/Backup/Role/DefaultPolicy/Resource",
        "The name of a backup holds its time, so the objects of a tier are named by its prefix",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::\*\]",
        r"restore-dump/Dump/(Restore|Machine)/Role/DefaultPolicy/Resource",
        "Network interfaces, traces and the delivery of logs have no finer resource; another test lists them",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::.*/(?:(daily|weekly|monthly|pre-migration|manual)/\*|"
        r"pre-migration/\*\.receipt\.json)\]",
        "restore-dump/Dump/Restore/Role/DefaultPolicy/Resource",
        "The name of a backup holds its time, so the objects of a tier are named by its prefix",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::\*\]",
        r"restore/PointInTime/(Step|Verify|Restore|Promote|Swap)/Role/DefaultPolicy/Resource",
        "Traces, network interfaces and descriptions of networks have no finer resource; another test lists them",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::\*\]",
        r"restore/PointInTime/(RestoreMachine|PromotionMachine)/Role/DefaultPolicy/Resource",
        "Traces and the delivery of logs have no finer resource; another test lists the actions that may have it",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::arn:.*:rds:.*:(db:ftry-(prod|staging|dev)-|subgrp:|pg:|og:|auto-backup:)\*\]",
        r"restore/PointInTime/(Step|Restore|Promote|Swap)/Role/DefaultPolicy/Resource",
        "Restored instances are named after production and the time; groups and backups have names only RDS knows",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::arn:.*:states:.*:execution:ftry-(prod|staging|dev)-pitr(-promote)?:\*\]",
        r"restore/PointInTime/(Restore|Promote|Swap)/Role/DefaultPolicy/Resource",
        "Executions are named after what was asked for, and found by that name when it is asked for again",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::\*\]",
        r"rehearsal/Rehearsal/(Step|Check|Record|Watch|Machine)/Role/DefaultPolicy/Resource",
        "Traces, network interfaces, descriptions of networks and the delivery of logs have no finer resource; another "
        "test lists the actions that may have it",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::arn:.*:rds:.*:"
        r"(db:ftry-(prod|staging|dev)-(rehearsal-)?|subgrp:|pg:|og:|auto-backup:)\*\]",
        "rehearsal/Rehearsal/Step/Role/DefaultPolicy/Resource",
        "Temporary instances are named after production and the time; groups and backups have names only RDS knows",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::arn:.*:rds:.*:db:\*\]",
        "rehearsal/Rehearsal/Watch/Role/DefaultPolicy/Resource",
        "A list of instances cannot be asked for by name, and it is only read",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::arn:.*:states:.*:execution:ftry-(prod|staging|dev)-rehearsal:\*\]",
        "rehearsal/Rehearsal/Step/Role/DefaultPolicy/Resource",
        "Another rehearsal that is running has a name that only its execution knows",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::.*/(daily|weekly|monthly|pre-migration|manual|evidence)/\*\]",
        "rehearsal/Rehearsal/(Check|Record|Watch)/Role/DefaultPolicy/Resource",
        "Backups and evidence have their time in their names, so they are named by their prefix",
    ),
    (
        r"AwsSolutions-SMG4",
        "notification/Slack/Webhook",
        "Only a person can make a new webhook in Slack and put it there; nothing could rotate it",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::\*\]",
        "notification/Slack/Notify/Role/DefaultPolicy/Resource",
        "Traces, metrics and the history of composite alarms have no finer resource; another test lists the actions "
        "that may have it",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::\*\]",
        "monitoring/Watch/Function/Role/DefaultPolicy/Resource",
        "Traces and metrics have no finer resource; another test lists the actions that may have it",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::.*/(daily|weekly|monthly|pre-migration|manual)/\*\.manifest\.json\]",
        "monitoring/Watch/Function/Role/DefaultPolicy/Resource",
        "The name of a manifest holds its time, so the manifests of a tier are named by its prefix and their ending",
    ),
)


def findings_of(synthesized: Synthesized) -> list[tuple[str, str]]:
    """Rule and construct of every finding."""
    report = AwsSolutionsChecks(synthesized.app).validate_scope(synthesized.app)
    found = [
        (violation.rule_name, resource.construct_path or "")
        for violation in report.violations
        for resource in violation.violating_resources
    ]
    return [(rule, path.removeprefix(f"{synthesized.prefix}-")) for rule, path in found]


@pytest.mark.parametrize("environment", ["prod", "staging", "dev"])
def test_every_finding_is_accepted_with_a_reason(environment: str, request: pytest.FixtureRequest) -> None:
    synthesized: Synthesized = request.getfixturevalue(environment)
    unexplained = [
        (rule, path)
        for rule, path in findings_of(synthesized)
        if not any(re.fullmatch(pattern, rule) and re.fullmatch(place, path) for pattern, place, _ in ACCEPTED)
    ]
    # What an environment gives up by name in cdk.json.
    given_up = {
        "prod": [],
        "staging": [("AwsSolutions-RDS3", "database/Postgres/Instance/Resource")],
        "dev": [
            ("AwsSolutions-RDS3", "database/Postgres/Instance/Resource"),
            ("AwsSolutions-RDS10", "database/Postgres/Instance/Resource"),
        ],
    }
    assert unexplained == given_up[environment]


def test_nothing_is_accepted_that_is_not_found_any_more(prod: Synthesized) -> None:
    found = findings_of(prod)
    assert len(found) > 4
    for pattern, place, reason in ACCEPTED:
        assert any(re.fullmatch(pattern, rule) and re.fullmatch(place, path) for rule, path in found), pattern
        assert len(reason) > 20
