"""How alarms reach people: an encrypted topic that only they may publish to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infrastructure.synthesis import Synthesized, Template, statements_of


@pytest.fixture(scope="module")
def notification(prod: Synthesized) -> Template:
    return prod["notification"]


SENDERS = {
    "cloudwatch.amazonaws.com": ":alarm:*",
    "events.rds.amazonaws.com": ":db:ftry-prod",
}


def test_the_topic_is_encrypted_with_a_key_that_its_senders_may_use(notification: Template) -> None:
    assert notification.only("AWS::SNS::Topic")["KmsMasterKeyId"] == {"Fn::GetAtt": ["AlarmsKey3C2381B3", "Arn"]}
    key = notification.resources("AWS::KMS::Key")["AlarmsKey3C2381B3"]["Properties"]
    assert key["EnableKeyRotation"] is True
    services = [found for found in statements_of(key["KeyPolicy"]) if "Service" in found["Principal"]]
    assert {found["Principal"]["Service"] for found in services} == set(SENDERS)
    for found in services:
        assert set(found["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
        assert found["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_alarms_and_events_may_publish_and_nobody_may_in_the_clear(notification: Template) -> None:
    policy = statements_of(_topic_policy(notification))
    allowed = {found["Principal"]["Service"]: found for found in policy if found["Effect"] == "Allow"}
    assert set(allowed) == set(SENDERS)
    for service, found in allowed.items():
        assert found["Action"] == ["sns:Publish"]
        assert found["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        source = found["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1]
        assert str(source[-1]).endswith(SENDERS[service])
    (denied,) = [found for found in policy if found["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def _topic_policy(notification: Template) -> dict[str, Any]:
    found: dict[str, Any] = notification.only("AWS::SNS::TopicPolicy")["PolicyDocument"]
    return found
