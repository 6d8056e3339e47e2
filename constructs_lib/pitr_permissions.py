"""What point-in-time recovery needs of AWS, statement by statement: production's name, and names that begin with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from constructs_lib.postgres_endpoint import PostgresEndpoint
from dbbackup.contract_pitr import ROLE_PRODUCTION, ROLE_REPLACED, ROLE_RESTORED, TAG_KEEP, TAG_ROLE, TAG_VERIFIED

_OF_OTHERS: Final = ("aws:cloudformation:stack-id", TAG_KEEP)
"""Tags of instances that no restore has made: CloudFormation's, which nobody else can set, and that of their owner."""
_MOMENT: Final = "YYYYMMDD-HHMMSS"
_LONGEST: Final = 63
"""Longest identifier of an instance."""

# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html


def _allow(
    role: iam.Role,
    sid: str,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: dict[str, object] | None = None,
) -> None:
    role.add_to_policy(
        iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(resources), conditions=conditions)
    )


def _rds(role: iam.Role, *names: str) -> list[str]:
    return [Stack.of(role).format_arn(service="rds", resource=name) for name in names]


def instance_arns(role: iam.Role, source: str) -> list[str]:
    """Production, and everything that is named after it."""
    return _rds(role, f"db:{source}", f"db:{source}-*")


def grant_see(role: iam.Role, *, source: str) -> None:
    """See production and what is named after it."""
    _allow(role, "SeeInstances", ["rds:DescribeDBInstances"], instance_arns(role, source))


def grant_see_window(role: iam.Role, *, source: str) -> None:
    """See from when to when production can be restored."""
    # Automated backups have generated names, so theirs cannot be told from others'.
    _allow(
        role,
        "SeeAutomatedBackups",
        ["rds:DescribeDBInstanceAutomatedBackups"],
        [*instance_arns(role, source), *_rds(role, "auto-backup:*")],
    )


def grant_start(role: iam.Role, *, machine_arn: str, executions_arn: str) -> None:
    """Start executions of one machine and look at them."""
    _allow(role, "StartExecutions", ["states:StartExecution", "states:ListExecutions"], [machine_arn])
    _allow(role, "SeeExecutions", ["states:DescribeExecution"], [executions_arn])


def _of_nobody_else() -> dict[str, str]:
    return {f"aws:ResourceTag/{key}": "true" for key in _OF_OTHERS}


def _put_aside(source: str) -> list[str]:
    """Names of instances that a promotion has put aside; of a long identifier's, the shorter ones, too."""
    names = [f"db:{source}-old-*"]
    if not Token.is_unresolved(source) and len(f"{source}-old-{_MOMENT}") > _LONGEST:
        names.append(f"db:{source}-o*")
    return names


def grant_restore(role: iam.Role, *, database: PostgresEndpoint, infix: str = "-", mark: str = ROLE_RESTORED) -> None:
    """Restore beside production, and change or delete what was restored: production itself is out of reach.

    Args:
        role: who may.
        database: production.
        infix: between production's identifier and the rest of a restored instance's.
        mark: the role, by its tag, of what may be changed and deleted.
    """
    source = database.instance_identifier
    grant_see(role, source=source)
    _allow(
        role,
        "Restore",
        ["rds:RestoreDBInstanceToPointInTime"],
        # The groups are those of the source at that time, whose names only RDS knows.
        [
            *_rds(role, f"db:{source}", f"db:{source}{infix}*"),
            *_rds(role, "subgrp:*", "pg:*", "og:*", "auto-backup:*"),
        ],
    )
    restored = _rds(role, f"db:{source}{infix}*")
    of_mark = {f"aws:ResourceTag/{TAG_ROLE}": mark}
    # RDS asks for the right to tag when a request to restore names tags, and has no word for "at creation". An instance
    # that is being made has no tags yet; one that is there has ours, CloudFormation's, or its owner's.
    unmarked = {"Null": {f"aws:ResourceTag/{key}": "true" for key in (TAG_ROLE, *_OF_OTHERS)}}
    _allow(
        role,
        "MarkWhatIsMade",
        ["rds:AddTagsToResource"],
        restored,
        {**unmarked, "StringEquals": {f"aws:RequestTag/{TAG_ROLE}": mark}},
    )
    _allow(
        role,
        "MarkAsVerified",
        ["rds:AddTagsToResource"],
        restored,
        {"StringEquals": of_mark, "ForAllValues:StringEquals": {"aws:TagKeys": [TAG_VERIFIED]}},
    )
    _allow(
        role,
        "ChangeAndRemoveWhatWasRestored",
        ["rds:ModifyDBInstance", "rds:DeleteDBInstance"],
        restored,
        {"StringEquals": of_mark, "Null": _of_nobody_else()},
    )
    role.add_to_policy(
        iam.PolicyStatement(
            sid="LeaveWhatWasPutAside",
            effect=iam.Effect.DENY,
            actions=["rds:AddTagsToResource", "rds:ModifyDBInstance", "rds:DeleteDBInstance"],
            resources=_rds(role, *_put_aside(source)),
        )
    )
    # RDS looks at the network with the rights of its caller, and describing has no finer resource than *.
    _allow(
        role,
        "SeeNetwork",
        [
            "ec2:DescribeAccountAttributes",
            "ec2:DescribeAvailabilityZones",
            "ec2:DescribeInternetGateways",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcAttribute",
            "ec2:DescribeVpcs",
        ],
        ["*"],
    )
    if database.monitoring_role is not None:
        _allow(
            role,
            "HandOnMonitoringRole",
            ["iam:PassRole"],
            [database.monitoring_role.role_arn],
            {"StringEquals": {"iam:PassedToService": "monitoring.rds.amazonaws.com"}},
        )
    if database.storage_key is not None:
        _use_storage_key(role, database.storage_key)


def _use_storage_key(role: iam.Role, key: kms.IKey) -> None:
    """RDS gives itself the use of the key, on behalf of whoever restores.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html
    """
    service = f"rds.{Stack.of(role).region}.amazonaws.com"
    _allow(role, "SeeStorageKey", ["kms:DescribeKey"], [key.key_arn], {"StringEquals": {"kms:ViaService": service}})
    _allow(
        role,
        "LetRdsUseStorageKey",
        ["kms:CreateGrant"],
        [key.key_arn],
        {"StringEquals": {"kms:ViaService": service}, "Bool": {"kms:GrantIsForAWSResource": "true"}},
    )
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PerfInsights.access-control.cmk-policy.html
    _allow(
        role,
        "UseStorageKeyForInsights",
        ["kms:Decrypt", "kms:GenerateDataKey"],
        [key.key_arn],
        {"StringEquals": {"kms:ViaService": service, "kms:EncryptionContext:service": "pi"}},
    )


def grant_rename(role: iam.Role, *, source: str, machine_arn: str, executions_arn: str) -> None:
    """Rename production and what is named after it: the only right over production, in a function of its own."""
    instances = instance_arns(role, source)
    _allow(role, "SeeAndRename", ["rds:DescribeDBInstances", "rds:ModifyDBInstance"], instances)
    _allow(
        role,
        "MarkAsKept",
        ["rds:AddTagsToResource"],
        instances,
        {"StringEquals": {f"aws:RequestTag/{TAG_ROLE}": [ROLE_PRODUCTION, ROLE_REPLACED]}},
    )
    # After a rollback: what had been restored, and was production for a while, may be deleted again.
    _allow(
        role,
        "MarkAsRestoredAgain",
        ["rds:AddTagsToResource"],
        _rds(role, f"db:{source}-*"),
        {
            "StringEquals": {
                f"aws:RequestTag/{TAG_ROLE}": ROLE_RESTORED,
                f"aws:ResourceTag/{TAG_ROLE}": ROLE_PRODUCTION,
            },
            "Null": _of_nobody_else(),
        },
    )
    _allow(role, "SeeOtherRenamings", ["states:ListExecutions"], [machine_arn])
    _allow(role, "SeeExecutions", ["states:DescribeExecution"], [executions_arn])


def grant_tell(role: iam.Role, *, topic: sns.ITopic, key: kms.IKey) -> None:
    """Publish to an encrypted topic, by policies of the role: topic and key may be in another stack."""
    _allow(role, "TellPeople", ["sns:Publish"], [topic.topic_arn])
    _allow(
        role,
        "EncryptWhatIsTold",
        ["kms:Decrypt", "kms:GenerateDataKey"],
        [key.key_arn],
        {"StringEquals": {"kms:ViaService": f"sns.{Stack.of(role).region}.amazonaws.com"}},
    )
