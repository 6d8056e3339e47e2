"""How alarms reach people: an encrypted topic that only they may publish to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infrastructure.synthesis import Synthesized, Template, statements_of


@pytest.fixture(scope="module")
def notification(prod: Synthesized) -> Template:
    return prod["notification"]


def test_the_topic_is_encrypted_with_a_key_that_alarms_may_use(notification: Template) -> None:
    assert notification.only("AWS::SNS::Topic")["KmsMasterKeyId"] == {"Fn::GetAtt": ["AlarmsKey3C2381B3", "Arn"]}
    key = notification.only("AWS::KMS::Key")
    assert key["EnableKeyRotation"] is True
    (alarms,) = [found for found in statements_of(key["KeyPolicy"]) if "Service" in found["Principal"]]
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert set(alarms["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert alarms["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_alarms_may_publish_and_nobody_may_in_the_clear(notification: Template) -> None:
    policy = {found["Effect"]: found for found in statements_of(_topic_policy(notification))}
    assert set(policy) == {"Allow", "Deny"}
    assert policy["Allow"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert policy["Allow"]["Action"] == ["sns:Publish"]
    assert policy["Allow"]["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert policy["Deny"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def _topic_policy(notification: Template) -> dict[str, Any]:
    found: dict[str, Any] = notification.only("AWS::SNS::TopicPolicy")["PolicyDocument"]
    return found
