"""What is accepted as a webhook."""

from __future__ import annotations

import pytest

from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.webhook import check_webhook


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T0/B0/abc",
        "  https://hooks.slack.com/services/T0/B0/abc\n",
        "https://mattermost.example.com:8443/hooks/abc",
        "http://127.0.0.1:8080/hook",
        "http://localhost/hook",
        "http://[::1]:80/hook",
    ],
)
def test_a_webhook_is_taken_without_what_surrounds_it(url: str) -> None:
    assert check_webhook(url, where="here") == url.strip()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("SECRET", "not a URL"),
        ("hooks.slack.com/services/SECRET", "not a URL"),
        ("#backups-SECRET", "not a URL"),
        ("ftp://hooks.slack.com/SECRET", "not a URL"),
        ("file:///etc/SECRET", "not a URL"),
        ("https:///SECRET", "not a URL"),
        ("https://[SECRET/x", "not a URL"),
        ("https://hooks.slack.com:port/SECRET", "not a URL"),
        ("http://hooks.slack.com/services/SECRET", "anybody on the way"),
        ("http://localhost.example.com/SECRET", "anybody on the way"),
        ("https://SECRET@hooks.slack.com/x", "user or password"),
        ("https://hooks.slack.com", "names the channel"),
        ("https://hooks.slack.com/", "names the channel"),
        ("https://hooks.slack.com/SECRET x", "blank"),
        ("https://hooks.slack.com/SECRET\r\nHost: x", "blank"),
        ("https://hooks.slack.com/SECRETé", "characters"),
    ],
)
def test_what_is_none_is_refused_with_the_reason_and_never_repeated(url: str, reason: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check_webhook(url, where="SLACK_WEBHOOK_URL")
    assert reason in caught.value.what
    assert "SLACK_WEBHOOK_URL" in caught.value.what
    assert "SECRET" not in str(caught.value)
    assert caught.value.exit_status == 2
    assert caught.value.__context__ is None or "SECRET" not in str(caught.value.__context__)
