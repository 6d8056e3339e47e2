"""The notifier from its event to Slack."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dbbackup.contract import METRICS_NAMESPACE, Metric, Tier, metric_dimensions
from dbbackup.contract_notification import Kind, NotifyEnvKey, Outcome
from dbbackup.contract_watch import ALERT_DELIVERED, RehearsedAlert, delivered_dimensions
from dbbackup.core.errors import CredentialsError, InvalidRequestError
from dbbackup.core.notification import Failure, Notification
from dbbackup.core.webhook import UndeliveredError
from devtools.aws import LocalAws
from tests.support.misbehaving_slack import OK, MisbehavingSlack, status
from tests.support.notifier import Notifier, alarm, by_log, by_topic, deploy_notifier, log_event

NOW = datetime.now(UTC).replace(microsecond=0)
SUCCESS = Notification(
    kind=Kind.BACKUP,
    outcome=Outcome.SUCCEEDED,
    at=NOW,
    environment="test",
    database="ftry",
    tier=Tier.DAILY,
    location="s3://ftry-backups/daily/ftry_backup_20260111_020000.dump",
    size_bytes=12_897_485,
    previous_size_bytes=12_401_428,
    duration_seconds=123.4,
    rows=1_234_567,
    tables=42,
    recovery_point=datetime(2026, 1, 11, 2, 0, 3, tzinfo=UTC),
)
FAILURE = Notification(
    kind=Kind.BACKUP,
    outcome=Outcome.FAILED,
    environment="test",
    database="ftry",
    tier=Tier.DAILY,
    due_at=datetime(2026, 1, 11, 2, tzinfo=UTC),
    failure=Failure(
        error="connection",
        what="The server db.example cannot be reached.",
        untouched="Nothing was written.",
        action="Check the security group.",
    ),
)
RDS = {
    "Event Source": "db-instance",
    "Event Time": "2026-01-11 02:00:00.000",
    "Identifier Link": "https://console.aws.amazon.com/rds/home?region=us-east-1#dbinstance:id=ftry-prod",
    "Source ID": "ftry-prod",
    "Event ID": "http://docs.amazonwebservices.com/AmazonRDS/latest/UserGuide/USER_Events.html#RDS-EVENT-0049",
    "Event Message": "Multi-AZ instance failover completed",
}


def _text(slack: MisbehavingSlack) -> str:
    (text,) = slack.texts()
    return text


def _metrics(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if '"_aws"' in line]


def test_a_failed_backup_in_a_log_says_everything_a_person_needs(notifier: Notifier, slack: MisbehavingSlack) -> None:
    assert notifier.invoke(by_log(FAILURE)) == {"sent": 1, "left_out": 0, "later": 0, "doubts": []}
    text = _text(slack)
    for part in (
        "❌ Backup failed: ftry (test)",
        "The server db.example cannot be reached.\nNothing was written.\nCheck the security group.\n"
        "A run by schedule is repeated by itself within minutes, twice",
        "*Due*\n2026-01-11T02:00:00Z",
        "*Tier*\ndaily",
        "*Error*\n`connection`",
        "<https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups/log-group/"
        "$252Faws$252Flambda$252Fftry-test-backup/log-events/2026$252F01$252F11$252F$255B$2524LATEST$255Dabc"
        "$3Fstart$3D1768096800123|log>",
        "<https://wiki.example.com/runbooks/backup-failed.md|runbook>",
        "DB Admin: dba@example.com (restores, roles and schema)\nOn-Call: oncall@example.com",
    ):
        assert part in text
    assert slack.received[0]["text"] == "❌ Backup failed: ftry (test): The server db.example cannot be reached."


def test_a_failed_backup_that_no_schedule_asked_for_is_not_said_to_be_repeated(
    notifier: Notifier, slack: MisbehavingSlack
) -> None:
    notifier.invoke(by_log(FAILURE.model_copy(update={"due_at": None})))
    assert "asked for by hand and not by a schedule, so nothing repeats it" in _text(slack)
    assert "*Due*" not in _text(slack)


def test_a_success_says_size_change_duration_rows_and_where_it_is(notifier: Notifier, slack: MisbehavingSlack) -> None:
    notifier.invoke(by_log(SUCCESS))
    text = _text(slack)
    for part in (
        "✅ Backup verified: ftry (test)",
        "*Size*\n12.3 MiB, +4.0 %",
        "*Took*\n2 min 3 s",
        "*Rows*\n1,234,567 in 42 tables",
        "*Recovery point*\n2026-01-11T02:00:03Z",
        "<https://us-east-1.console.aws.amazon.com/s3/object/ftry-backups?region=us-east-1&amp;"
        "prefix=daily/ftry_backup_20260111_020000.dump|object>",
        "|log>",
    ):
        assert part in text
    assert "Whom to call" not in text
    assert "runbook" not in text


def test_an_alarm_says_what_it_means_and_links_its_runbook(notifier: Notifier, slack: MisbehavingSlack) -> None:
    notifier.invoke(by_topic(alarm()))
    text = _text(slack)
    runbook = "https://wiki.example.com/runbooks/backup-errors.md"
    for part in (
        "🚨 ALARM: ftry-test-backup-errors",
        f"A backup failed. What to do: <{runbook}|{runbook}>",
        "*When*\n2026-01-11T02:05:00Z",
        "Threshold Crossed",
        "#alarmsV2:alarm/ftry-test-backup-errors|alarm>",
        "Whom to call",
    ):
        assert part in text
    assert "REHEARSAL" not in text


def test_a_composite_alarm_names_those_that_raised_it(notifier: Notifier, slack: MisbehavingSlack) -> None:
    child = {"Arn": "arn:aws:cloudwatch:us-east-1:1:alarm:ftry-test-backup-missing", "State": {"Value": "ALARM"}}
    document = alarm("ftry-test-recoverability", AlarmRule="ALARM(x)", TriggeringChildren=[child])
    del document["Trigger"]
    notifier.invoke(by_topic(document))
    assert "*Raised by*\n`ftry-test-backup-missing`" in _text(slack)


def test_the_end_of_an_alarm_is_told_also_where_nobody_knows_when_it_began(
    notifier: Notifier, slack: MisbehavingSlack
) -> None:
    answer = notifier.invoke(by_topic(alarm(state="OK")))
    assert "🟢 Over: ftry-test-backup-errors" in _text(slack)
    assert "Whom to call" not in _text(slack)
    assert len(answer["doubts"]) == 1


def test_an_event_of_rds_is_told_in_its_own_words(notifier: Notifier, slack: MisbehavingSlack) -> None:
    notifier.invoke(by_topic(RDS))
    text = _text(slack)
    for part in ("RDS: ftry-prod", "Multi-AZ instance failover completed", "`RDS-EVENT-0049`", "|what it means>"):
        assert part in text
    assert "<https://wiki.example.com/runbooks/rds-events.md|runbook>" in text


@pytest.mark.parametrize(
    "text",
    [
        "hello <!channel> & co",
        "{not json",
        '{"AlarmName": "x", "NewStateValue": "MAYBE"}',
        '{"notification": {}}',
        "[1]",
    ],
)
def test_what_nobody_announced_is_shown_as_it_is(notifier: Notifier, slack: MisbehavingSlack, text: str) -> None:
    notifier.invoke(by_topic(text, subject="News"))
    shown = _text(slack)
    assert "📨 News" in shown
    assert text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in shown


@pytest.mark.parametrize("alert", RehearsedAlert)
def test_a_rehearsed_alert_is_marked_and_its_delivery_counted(
    notifier: Notifier, slack: MisbehavingSlack, alert: RehearsedAlert, capsys: pytest.CaptureFixture[str]
) -> None:
    notifier.invoke(by_topic(alarm(f"ftry-test-alert-rehearsal-{alert.value}")))
    assert "🧪 REHEARSAL of the alert path — nothing to do" in _text(slack)
    assert slack.received[0]["text"].startswith("🧪 REHEARSAL")
    assert "Whom to call" not in _text(slack)
    (document,) = _metrics(capsys.readouterr().out)
    expected = delivered_dimensions("test", alert)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert {name: document[name] for name in directive["Dimensions"][0]} == expected
    assert directive["Namespace"] == METRICS_NAMESPACE
    assert document[ALERT_DELIVERED] == [1]


def test_the_end_of_a_rehearsed_alert_counts_as_no_delivery(
    notifier: Notifier, slack: MisbehavingSlack, capsys: pytest.CaptureFixture[str]
) -> None:
    notifier.invoke(by_topic(alarm("ftry-test-alert-rehearsal-failed", "OK")))
    assert "🧪 REHEARSAL" in _text(slack)
    assert _metrics(capsys.readouterr().out) == []


def test_a_rehearsed_alert_that_slack_did_not_take_is_not_counted(
    notifier: Notifier, slack: MisbehavingSlack, capsys: pytest.CaptureFixture[str]
) -> None:
    slack.answers[:] = [status(404, "no_service")]
    with pytest.raises(UndeliveredError):
        notifier.invoke(by_topic(alarm("ftry-test-alert-rehearsal-failed")))
    assert _metrics(capsys.readouterr().out) == []


@pytest.mark.parametrize(("policy", "sent"), [("all", 1), ("none", 0)])
def test_successes_are_told_as_wanted(
    aws: LocalAws, slack: MisbehavingSlack, monkeypatch: pytest.MonkeyPatch, policy: str, sent: int
) -> None:
    notifier = deploy_notifier(aws, monkeypatch, slack.url, **{NotifyEnvKey.SUCCESSES: policy})
    told = SUCCESS.model_copy(update={"previous_at": NOW - timedelta(days=1)})
    assert notifier.invoke(by_log(told))["sent"] == sent
    assert notifier.invoke(by_log(FAILURE))["sent"] == 1


@pytest.mark.parametrize("tier", [Tier.DAILY, Tier.WEEKLY])
def test_only_the_first_success_after_a_failure_of_its_own_tier_is_told(
    notifier: Notifier, slack: MisbehavingSlack, tier: Tier
) -> None:
    database = f"shop {tier.value}"
    when = NOW - timedelta(hours=2)
    notifier.aws.client("cloudwatch").put_metric_data(
        Namespace=METRICS_NAMESPACE,
        MetricData=[
            {
                "MetricName": Metric.BACKUP_FAILURE.value,
                "Dimensions": [
                    {"Name": name, "Value": value}
                    for name, value in metric_dimensions("test", database, Tier.DAILY).items()
                ],
                "Timestamp": when,
                "Value": 1,
            }
        ],
    )
    first = SUCCESS.model_copy(
        update={"database": database, "tier": tier, "previous_at": NOW - timedelta(days=1), "at": NOW}
    )
    second = first.model_copy(update={"previous_at": NOW - timedelta(hours=1)})
    expected = int(tier is Tier.DAILY)
    assert notifier.invoke(by_log(first))["sent"] == expected
    assert notifier.invoke(by_log(second))["sent"] == 0
    if expected:
        assert f"✅ Backup verified again, after a failure: {database}" in _text(slack)


def test_the_first_success_after_a_killed_run_is_told(notifier: Notifier, slack: MisbehavingSlack) -> None:
    """A run that was killed has counted its beginning, and nothing else."""
    database = "killed"

    def put(metric: Metric, when: datetime, value: float) -> None:
        dimensions = metric_dimensions("test", database, Tier.DAILY)
        notifier.aws.client("cloudwatch").put_metric_data(
            Namespace=METRICS_NAMESPACE,
            MetricData=[
                {
                    "MetricName": metric.value,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                    "Timestamp": when,
                    "Value": value,
                }
            ],
        )

    # Two hours ago one was killed, an hour ago the next went well, and so does this one.
    put(Metric.BACKUP_STARTED, NOW - timedelta(hours=2), 1)
    put(Metric.BACKUP_STARTED, NOW - timedelta(hours=1), 1)
    put(Metric.BACKUP_FAILURE, NOW - timedelta(minutes=58), 0)
    put(Metric.BACKUP_STARTED, NOW - timedelta(minutes=3), 1)
    first = SUCCESS.model_copy(
        update={
            "database": database,
            "previous_at": NOW - timedelta(days=1),
            "started_at": NOW - timedelta(hours=1),
            "at": NOW - timedelta(minutes=58),
        }
    )
    second = first.model_copy(
        update={"previous_at": NOW - timedelta(minutes=58), "started_at": NOW - timedelta(minutes=3), "at": NOW}
    )
    assert notifier.invoke(by_log(first))["sent"] == 1
    assert f"✅ Backup verified again, after a failure: {database}" in _text(slack)
    assert notifier.invoke(by_log(second))["sent"] == 0


def test_a_new_subscription_is_tried_out_without_a_message(notifier: Notifier, slack: MisbehavingSlack) -> None:
    assert notifier.invoke(log_event(["x"], kind="CONTROL_MESSAGE"))["sent"] == 0
    assert slack.received == []


@pytest.mark.parametrize(
    "event", [None, {}, [], {"Records": [{}]}, {"Records": 1}, {"awslogs": {}}, {"awslogs": {"data": "e30="}}]
)
def test_what_is_no_event_is_refused(notifier: Notifier, event: Any) -> None:
    with pytest.raises(InvalidRequestError, match="neither a message of a topic nor lines of a log"):
        notifier.invoke(event)


def test_the_secret_may_be_json_and_is_read_anew(notifier: Notifier, slack: MisbehavingSlack) -> None:
    notifier.store_secret(json.dumps({"url": slack.url}))
    notifier.invoke(by_topic("one"))
    notifier.store_secret(f"{slack.url}\n")
    notifier.invoke(by_topic("two"))
    assert len(slack.received) == 2


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        ("SECRETtext", InvalidRequestError, "not a URL"),
        ("http://hooks.slack.com/services/SECRET", InvalidRequestError, "anybody on the way"),
        ('{"uri": "https://SECRET"}', CredentialsError, "neither a URL nor a JSON object"),
        ('{"url": "SECRET', CredentialsError, "neither a URL nor a JSON object"),
        ('{"url": 7}', CredentialsError, "neither a URL nor a JSON object"),
    ],
)
def test_a_secret_that_is_no_webhook_is_refused_and_never_shown(
    notifier: Notifier, capsys: pytest.CaptureFixture[str], content: str, kind: type[Exception], said: str
) -> None:
    notifier.store_secret(content)
    with pytest.raises(kind, match=said) as caught:
        notifier.invoke(by_topic("news"))
    output = capsys.readouterr()
    assert "SECRET" not in str(caught.value) + output.out + output.err


def test_an_empty_secret_says_how_to_fill_it(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CredentialsError) as caught:
        deploy_notifier(aws, monkeypatch, None).invoke(by_topic("news"))
    assert "has no value yet" in caught.value.what
    assert "put-secret-value" in caught.value.action


def test_the_webhook_is_in_no_log(
    notifier: Notifier, slack: MisbehavingSlack, capsys: pytest.CaptureFixture[str]
) -> None:
    slack.answers[:] = [OK, status(404)]
    notifier.invoke(by_topic("one"))
    with pytest.raises(UndeliveredError):
        notifier.invoke(by_topic("two"))
    output = capsys.readouterr()
    assert "told" in output.out
    assert "SECRET" not in output.out + output.err


@pytest.mark.parametrize(
    ("name", "value"),
    [(NotifyEnvKey.SUCCESSES, "some"), (NotifyEnvKey.CONTACTS, "[{}]"), (NotifyEnvKey.SECRET_ARN, "")],
)
def test_an_environment_that_is_not_complete_is_refused(
    notifier: Notifier, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidRequestError, match=name):
        notifier.invoke(by_topic("news"))
