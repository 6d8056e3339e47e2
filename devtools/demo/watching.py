"""The steps in which somebody hears of it: the notifier, the probe, the alarms and the dashboard of the templates."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from dbbackup.contract import EnvKey
from dbbackup.contract_notification import HANDLER_NOTIFY, LOG_FIELD, NotifyEnvKey
from dbbackup.contract_watch import ALERT_DELIVERED, HANDLER_WATCH, PROBE_MINUTES, WatchEnvKey
from devtools.alarm_message import notification_of
from devtools.alarm_templates import Alarms, read_alarms
from devtools.alarms import State, states_of
from devtools.dashboard_preview import Series, dashboard_body, render
from devtools.demo.point_in_time import PRODUCTION
from devtools.demo.stage import Stage
from devtools.demo.world import BUCKET, World
from devtools.deployed_function import read_function
from devtools.local_lambda import Invocation, invoke
from devtools.local_slack import LocalSlack
from devtools.metric_data import MetricData
from devtools.synthesized import ROOT

DASHBOARD: Final = ROOT / "build" / "dashboard.html"
_PROBES: Final = 4
"""As many looks as the slowest of the alarms wants in a row, and one more."""
_BETWEEN: Final = timedelta(minutes=30)
"""What the clock of the alarms is put forward by: nobody waits for them in a demo."""


@dataclass
class Watch:
    """The notification and monitoring stacks on this machine.

    Attributes:
        world: everything else.
        slack: what stands for Slack.
        folder: the synthesized app.
        data: what CloudWatch would know.
        lines: the log lines that it knows it from.
        states: of all alarms, at the last look.
        clock: the time that it is for the alarms.
    """

    world: World
    slack: LocalSlack
    folder: Path
    data: MetricData = field(default_factory=MetricData)
    lines: list[str] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=dict)
    clock: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.alarms: Alarms = read_alarms(self.folder)
        self._watch = read_function(self.folder, HANDLER_WATCH)
        self._notify = read_function(self.folder, HANDLER_NOTIFY)
        secrets = self.world.aws.client("secretsmanager")
        for ended in self.world.told:
            self.learn(ended)
        self._queue: str = self.world.aws.client("sqs").create_queue(QueueName="demo-retries")["QueueUrl"]
        self._secret: str = secrets.create_secret(Name="demo-slack", SecretString=self.slack.url)["ARN"]

    def tell(self, event: Mapping[str, Any]) -> Invocation:
        """Invoke the notifier of the template."""
        local = {NotifyEnvKey.SECRET_ARN.value: self._secret, NotifyEnvKey.QUEUE_URL.value: self._queue}
        ended = self._call(HANDLER_NOTIFY, event, self._notify.local_environment(local), self._notify.timeout_seconds)
        self.learn(ended)
        return ended

    def look(self, *, rehearsing: bool = False) -> Invocation:
        """Invoke the probe of the template some times, five minutes apart by the clock of the alarms."""
        self.clock += _BETWEEN
        real = datetime.now(UTC)
        hour = real.hour if rehearsing else (real.hour + 3) % 24
        weekly = {"weekday": real.weekday(), "hour": hour, "minutes": 60}
        local = {EnvKey.BUCKET.value: BUCKET, WatchEnvKey.ALERT_REHEARSAL.value: json.dumps(weekly)}
        environment = self._watch.local_environment(local)
        ended = self._call(HANDLER_WATCH, {}, environment, self._watch.timeout_seconds)
        for number in range(_PROBES):
            self.learn(ended, self.clock - timedelta(minutes=PROBE_MINUTES * number, seconds=1))
        self.states = states_of(self.alarms, self.data, self.clock, self.states)
        return ended

    def learn(self, ended: Invocation, at: datetime | None = None) -> None:
        """Take over what a function has told CloudWatch, at its own time or at another."""
        for line in ended.lines:
            if "_aws" in line:
                told = line if at is None else {**line, "_aws": {**line["_aws"], "Timestamp": at.timestamp() * 1000}}
                self.lines.append(json.dumps(told))
        self.data = MetricData()
        self.data.put_lines(self.lines)

    def raise_alarm(self, name: str) -> Invocation:
        """What CloudWatch and the topic do when an alarm is raised: hand it to the notifier."""
        alarm = self.alarms.metric[name]
        message = notification_of(alarm, before=State.OK, state=State.ALARM, at=datetime.now(UTC))
        record = {
            "EventSource": "aws:sns",
            "Sns": {"MessageId": "demo", "Subject": name, "Message": json.dumps(message)},
        }
        return self.tell({"Records": [record]})

    def _call(self, handler: str, event: Mapping[str, Any], environment: Mapping[str, str], seconds: int) -> Invocation:
        return invoke(handler, event, {**self.world.surroundings(), **environment}, seconds)


def hear_of_failure(stage: Stage, watch: Watch, failed: Invocation) -> None:
    """A failed backup's log line, on its way through the subscription of the log to Slack."""
    noticed = [json.dumps(line) for line in failed.lines if LOG_FIELD in line]
    document = {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "/aws/lambda/ftry-prod-backup",
        "logStream": "2026/01/01/[$LATEST]demo",
        "subscriptionFilters": ["notifications"],
        "logEvents": [
            {"id": str(number), "timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": line}
            for number, line in enumerate(noticed)
        ],
    }
    data = base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()
    before = len(watch.slack.messages)
    ended = watch.tell({"awslogs": {"data": data}})
    texts = watch.slack.texts()[before:]
    stage.quote("\n".join(texts))
    stage.prove(
        "the failure of the dump reaches Slack, with what to do and whom to call",
        ended.error is None and len(texts) == 1 and "Backup failed" in texts[0] and "Whom to call" in texts[0],
        ended.error or f"{len(texts)} message, {len(texts[0])} characters",
    )


def watch_over(stage: Stage, watch: Watch) -> None:
    """The probe finds everything in order; then somebody shortens the retention."""
    rds = watch.world.aws.client("rds")
    seen = watch.look()
    answer = seen.answer or {}
    stage.prove(
        "the probe finds the recovery point, the newest backups and every setting as declared",
        seen.error is None and not answer["drifted"] and answer["recovery_point_age_seconds"] is not None,
        seen.error or f"{len(answer['as_declared'])} settings, {len(answer['backups'])} tiers with backups",
    )
    raised = _raised(watch)
    stage.note(
        f"of {len(watch.states)} alarms, these are raised as after any first deployment, until the first rehearsals: "
        f"{', '.join(sorted(raised))}"
    )
    rds.modify_db_instance(DBInstanceIdentifier=PRODUCTION, BackupRetentionPeriod=3, ApplyImmediately=True)
    watch.look()
    name, top = "ftry-prod-setting-drifted-backup-retention", "ftry-prod-recoverability"
    stage.prove(
        "a retention that somebody has shortened raises its alarm and no other; it belongs to the one on top",
        _raised(watch) - raised == {name} and name in watch.alarms.composite[top].rule and top in _raised(watch),
        f"raised now: {', '.join(sorted(_raised(watch) - raised))}",
    )
    before = len(watch.slack.messages)
    told = watch.raise_alarm(name)
    stage.quote("\n".join(watch.slack.texts()[before:]))
    stage.prove(
        "and Slack hears it", told.error is None and len(watch.slack.messages) == before + 1, told.error or name
    )
    rds.modify_db_instance(DBInstanceIdentifier=PRODUCTION, BackupRetentionPeriod=30, ApplyImmediately=True)


def rehearse_alerts(stage: Stage, watch: Watch) -> None:
    """The weekly rehearsal of the alert path, from the synthetic metrics to the delivered message."""
    watch.look(rehearsing=True)
    names = [f"ftry-prod-alert-rehearsal-{kind}" for kind in ("failed", "missing")]
    before = len(watch.slack.messages)
    delivered = [watch.raise_alarm(name).metric(ALERT_DELIVERED) for name in names]
    texts = watch.slack.texts()[before:]
    stage.quote("\n".join(text.splitlines()[0] for text in texts))
    stage.prove(
        "a failed and a missing backup that are rehearsed go from metric to alarm to Slack, marked as a rehearsal",
        {watch.states[name] for name in names} == {State.ALARM}
        and delivered == [1, 1]
        and all("REHEARSAL" in text for text in texts),
        f"{len(texts)} messages delivered; nothing else was raised by it",
    )
    watch.look()


def draw_dashboard(stage: Stage, watch: Watch) -> None:
    """The dashboard of the template, drawn with what this demo has told CloudWatch."""
    template = watch.folder / "ftry-prod-monitoring.template.json"
    states = {name: state.value for name, state in watch.states.items()}
    data = Series.from_lines(watch.lines)
    page = render(dashboard_body(template), data, watch.clock, alarms=states, title="ftry-prod-recovery")
    DASHBOARD.parent.mkdir(exist_ok=True)
    DASHBOARD.write_text(page)
    stage.prove(
        "the dashboard of the template is drawn with the demo's data",
        "<svg" in page,
        f"{DASHBOARD.relative_to(ROOT)}, {len(page) / 1024:.0f} KiB: open it in a browser",
    )


def _raised(watch: Watch) -> set[str]:
    return {name for name, state in watch.states.items() if state is State.ALARM}
