"""What an event of RDS asks of whoever reads it, by its number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from dbbackup.contract import Tier
from dbbackup.contract_notification import Successes
from dbbackup.core.incoming import Arrival
from dbbackup.core.message import Contact, Message
from dbbackup.core.rds_event import RdsEvent, parse_rds_event, rds_message
from dbbackup.core.work_message import Around
from dbbackup.operations.notify import Policy, notify
from tests.support.misbehaving_slack import readable

AROUND = Around(contacts=(Contact("On-Call", "oncall@example.com", ""),))
PAGE = "http://docs.amazonwebservices.com/AmazonRDS/latest/UserGuide/USER_Events.html"


def event(number: str, text: str) -> RdsEvent:
    """An event as RDS publishes it."""
    found = parse_rds_event(
        {"Event Source": "db-instance", "Source ID": "ftry", "Event Message": text, "Event ID": f"{PAGE}#{number}"}
    )
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("number", "text", "sign"),
    [
        ("RDS-EVENT-0003", "DB instance deleted", "🚨"),
        ("RDS-EVENT-0020", "Recovery of the DB instance has started. Recovery time will vary.", "🚨"),
        ("RDS-EVENT-0021", "Recovery of the DB instance is complete", "🟢"),
        ("RDS-EVENT-0013", "Multi-AZ instance failover started", "🚨"),
        ("RDS-EVENT-0049", "Multi-AZ instance failover completed", "🟢"),
        ("RDS-EVENT-0015", "Multi-AZ failover to standby complete - DNS propagation may take a few minutes.", "🟢"),
        ("RDS-EVENT-0065", "Recovered from partial failover.", "🟢"),
        ("RDS-EVENT-0034", "Abandoning user requested failover since a failover recently occurred.", "ℹ️"),
        ("RDS-EVENT-0052", "Multi-AZ instance recovery started", "⚠️"),
        ("RDS-EVENT-0031", "DB instance put into failed state. RDS recommends a point-in-time-restore.", "🚨"),
        ("RDS-EVENT-0036", "Database instance in incompatible-network. Subnets.", "🚨"),
        ("RDS-EVENT-0220", "DB instance is in the cooling-off period for a previous scale storage operation.", "ℹ️"),
        ("RDS-EVENT-0089", "The free storage capacity for DB instance: ftry is low", "🚨"),
        ("RDS-EVENT-0420", "Amazon RDS can now successfully access the KMS encryption key", "🟢"),
        ("RDS-EVENT-9999", "Storage is inaccessible", "🚨"),
        ("RDS-EVENT-9999", "Something has happened", "ℹ️"),
        ("", "DB instance deleted", "🚨"),
    ],
    ids=[
        *("deleted", "recovery", "recovered", "failover", "failed-over", "to-standby", "partial", "abandoned"),
        *("standby-recovery", "failed", "network", "grows-later", "storage", "key-back", "new-serious", "new"),
        "no-number",
    ],
)
def test_an_event_is_as_serious_as_its_number_says_and_calls_nobody_without_need(
    number: str, text: str, sign: str
) -> None:
    message = rds_message(event(number, text), AROUND)
    assert message.text.startswith(f"{sign} RDS: ftry")
    assert ("Whom to call" in readable(message.body())) == (sign == "🚨")


class _Nobody:
    """A channel and a memory that nothing is expected of."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send(self, message: Message) -> None:
        self.sent.append(message)

    def failed_between(self, database: str, tier: Tier, *_: Any, **__: Any) -> bool:
        raise AssertionError

    def alarm_began(self, name: str, ended: datetime) -> datetime | None:
        raise AssertionError


@pytest.mark.parametrize("number", ["RDS-EVENT-0001", "RDS-EVENT-0002"], ids=["begun", "finished"])
@pytest.mark.parametrize("successes", Successes)
def test_the_nightly_backup_of_rds_is_told_only_where_all_successes_are(number: str, successes: Successes) -> None:
    channel = _Nobody()
    nightly = event(number, "Finished DB instance backup")
    told = notify(
        [Arrival(nightly)],
        Policy(successes, AROUND),
        messenger=channel,
        history=channel,
        delivered=lambda _: None,
    )
    expected = int(successes is Successes.ALL)
    assert (told.sent, told.left_out, len(channel.sent)) == (expected, 1 - expected, expected)
