"""A Slack that may misbehave, and the notifier that tells it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devtools.aws import LocalAws
from tests.support.misbehaving_slack import MisbehavingSlack, misbehaving_slack
from tests.support.notifier import Notifier, deploy_notifier


@pytest.fixture
def slack() -> Iterator[MisbehavingSlack]:
    """A server that takes messages, or answers as it is told."""
    with misbehaving_slack() as running:
        yield running


@pytest.fixture
def notifier(aws: LocalAws, slack: MisbehavingSlack, monkeypatch: pytest.MonkeyPatch) -> Notifier:
    """The function, with that Slack behind its webhook."""
    return deploy_notifier(aws, monkeypatch, slack.url)
