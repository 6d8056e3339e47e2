"""Settings of who is told: what is accepted, and what is refused with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from stacks.settings import SettingsError
from tests.infrastructure.synthesis import settings_of

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
CONTACT = {"role": "On-Call", "contact": "oncall@example.com", "responsibility": "first"}


def test_without_slack_nobody_is_told_there() -> None:
    settings = settings_of("prod", notification=None)
    assert settings.notification.slack is None
    assert settings.notification.contacts == ()


def test_slack_alone_tells_the_first_success_after_a_failure() -> None:
    slack = settings_of("prod", notification__slack={}).notification.slack
    assert slack is not None
    assert slack.successes == "first-after-failure"


@pytest.mark.parametrize(
    ("change", "path", "rule"),
    [
        ({"slack": {"successes": "some"}}, "slack.successes", "'all', 'first-after-failure' or 'none'"),
        ({"slack": {"secret_arn": "slack"}}, "slack.secret_arn", "six characters"),
        ({"slack": {"secret_key_arn": KEY}}, "slack.secret_key_arn", "the key of a secret that is named here"),
        ({"slack": {"webhook": "x"}}, "slack.webhook", "only known settings"),
        ({"contacts": [{**CONTACT, "role": " "}]}, "contacts.0.role", "one line of 1 to 60 characters"),
        ({"contacts": [{**CONTACT, "contact": ""}]}, "contacts.0.contact", "one line of 1 to 120 characters"),
        ({"contacts": [{**CONTACT, "contact": "a\nb"}]}, "contacts.0.contact", "one line"),
        ({"contacts": [{**CONTACT, "responsibility": "x" * 121}]}, "contacts.0.responsibility", "1 to 120"),
        ({"contacts": [{"role": "On-Call"}]}, "contacts.0.contact", "no default"),
        ({"contacts": [CONTACT, CONTACT]}, "contacts.1", "each contact once"),
        ({"contacts": [{**CONTACT, "role": f"{n}"} for n in range(11)]}, "contacts", "up to 10"),
    ],
)
def test_nonsense_is_refused(change: dict[str, Any], path: str, rule: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of("prod", notification=change)
    assert f"notification.{path}\n" in str(caught.value)
    assert rule in str(caught.value)
    assert "fix:" in str(caught.value)


def test_a_webhook_in_the_settings_is_refused_and_not_repeated() -> None:
    webhook = "https://hooks.slack.com/services/T0/B0/SECRET"
    with pytest.raises(SettingsError) as caught:
        settings_of("prod", notification={"slack": {"secret_arn": webhook}})
    assert "a webhook is a secret" in str(caught.value)
    assert "SECRET" not in str(caught.value)
