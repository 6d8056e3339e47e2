"""What the infrastructure tells the probe, and what is refused of it."""

from __future__ import annotations

import json

import pytest

from dbbackup.core.errors import InvalidRequestError
from dbbackup.handlers.watch_environment import read_watch_environment

GOOD = {
    "BACKUP_BUCKET": "backups",
    "BACKUP_ENVIRONMENT": "prod",
    "DB_NAMES": '["shop"]',
    "WATCH_INSTANCE": "ftry-prod",
    "WATCH_DECLARED": json.dumps({"multi-az": True}),
    "WATCH_ALERT_REHEARSAL": json.dumps({"weekday": 1, "hour": 5, "minutes": 60}),
}


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("WATCH_INSTANCE", "", "WATCH_INSTANCE"),
        ("BACKUP_BUCKET", "", "BACKUP_BUCKET"),
        ("BACKUP_ENVIRONMENT", "", "BACKUP_ENVIRONMENT"),
        ("DB_NAMES", "", "DB_NAMES"),
        ("DB_NAMES", "shop", "JSON"),
        ("DB_NAMES", "[]", "at least 1"),
        ("WATCH_DECLARED", "{", "JSON"),
        ("WATCH_DECLARED", json.dumps({"colour": "blue"}), "colour"),
        ("WATCH_DECLARED", json.dumps({"backup-retention": "30"}), "backup-retention"),
        ("WATCH_DECLARED", json.dumps({"backup-retention": -1}), "greater than or equal to 0"),
        ("WATCH_DECLARED", json.dumps({"multi-az": 1}), "multi-az"),
        ("WATCH_DECLARED", json.dumps({"public-access": True}), "public-access"),
        ("WATCH_DECLARED", json.dumps({"bucket-lock": {"mode": "NONE", "days": 7}}), "mode"),
        ("WATCH_DECLARED", json.dumps({"bucket-lock": {"mode": "GOVERNANCE", "days": 0}}), "days"),
        ("WATCH_DECLARED", json.dumps({"bucket-lifecycle": {"daily/": {"kept_days": 3}}}), "storage_class"),
        ("WATCH_ALERT_REHEARSAL", json.dumps({"weekday": 7, "hour": 5, "minutes": 60}), "weekday"),
        ("WATCH_ALERT_REHEARSAL", json.dumps({"weekday": 1, "hour": 24, "minutes": 60}), "hour"),
        ("WATCH_ALERT_REHEARSAL", json.dumps({"weekday": 1, "hour": 5, "minutes": 5}), "minutes"),
        ("WATCH_ALERT_REHEARSAL", json.dumps({"weekday": 1, "hour": 5}), "minutes"),
    ],
)
def test_a_bad_environment_is_refused_with_the_reason(variable: str, value: str, reason: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"environment is not complete") as raised:
        read_watch_environment({**GOOD, variable: value})
    assert variable in raised.value.what
    assert reason in raised.value.what
    assert value not in raised.value.what or not value, "a value is never quoted"


def test_what_is_left_out_is_not_watched_and_not_rehearsed() -> None:
    settings = read_watch_environment({**GOOD, "WATCH_DECLARED": "", "WATCH_ALERT_REHEARSAL": ""})
    assert settings.declared.watched == {}
    assert settings.rehearsal is None
