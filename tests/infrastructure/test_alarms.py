"""Each alarm of prod is made to ring, and made not to, by data with the names that the running code gives them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dbbackup.contract import METRICS_NAMESPACE, Metric, Tier, metric_dimensions
from dbbackup.contract_watch import RehearsedAlert, WatchedSetting
from dbbackup.core.cloudwatch_alarm import parse_alarm
from dbbackup.handlers.signals import Signals
from dbbackup.handlers.watch_signals import WatchSignals
from devtools.alarm_message import notification_of
from devtools.alarm_templates import Alarm, Alarms, Composite, read_alarms
from devtools.alarms import State, holds, state_of, states_of
from devtools.metric_data import MetricData, MetricName
from tests.infrastructure.alarm_cases import CASES, HOUR, PREFIX, UNUSUAL, Case
from tests.infrastructure.synthesis import Synthesized

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RECOVERABILITY = f"{PREFIX}-recoverability"
PROMISES = {
    "backup-missing-ftry",
    "backup-weekly-missing-ftry",
    "backup-monthly-missing-ftry",
    "verification-failed-ftry",
    "recovery-point-old",
    "setting-drifted-backup-retention",
    "setting-drifted-deletion-protection",
    "setting-drifted-bucket-versioning",
    "setting-drifted-bucket-lock",
    "setting-drifted-bucket-lifecycle",
    "rehearsal-missing",
    "rehearsal-too-slow",
}
EACH_METRIC = [
    pytest.param(name, number, id=f"{name}-{number}")
    for name, case in CASES.items()
    for number in range(len(case.metrics))
]


@pytest.fixture(scope="module")
def alarms(prod: Synthesized) -> Alarms:
    return read_alarms(prod.folder)


def told(alarm: Alarm, metric: MetricName, *values: float | None) -> MetricData:
    """The last periods of one metric, the newest last; None for a period without data."""
    data = MetricData()
    for number, value in enumerate(reversed(values)):
        if value is not None:
            data.put(metric, NOW - alarm.period * number - timedelta(seconds=30), value)
    return data


def elsewhere(metric: MetricName) -> MetricName:
    """The metric of another environment, database, instance or function."""
    names = [name for name, _ in metric.dimensions if name not in {"service", "Tier", "Plane", "Setting"}]
    return MetricName(
        metric.namespace,
        metric.name,
        frozenset((name, f"{value}-other" if name in names else value) for name, value in metric.dimensions),
    )


def silent(case: Case, before: State) -> State:
    return before if case.silence is None else case.silence


def test_every_alarm_has_its_case(alarms: Alarms) -> None:
    assert {name.removeprefix(f"{PREFIX}-") for name in alarms.metric} == {*CASES, UNUSUAL}
    assert set(alarms.composite) == {RECOVERABILITY}


@pytest.mark.parametrize(("name", "number"), EACH_METRIC)
def test_it_rings(alarms: Alarms, name: str, number: int) -> None:
    alarm, case = alarms.metric[f"{PREFIX}-{name}"], CASES[name]
    data = told(alarm, case.metrics[number], *[case.quiet] * 5, *[case.rings] * case.lasting)
    assert state_of(alarm, data, NOW, State.OK) is State.ALARM


@pytest.mark.parametrize(("name", "number"), EACH_METRIC)
def test_it_does_not_ring_on_the_right_side_of_the_line(alarms: Alarms, name: str, number: int) -> None:
    alarm, case = alarms.metric[f"{PREFIX}-{name}"], CASES[name]
    data = told(alarm, case.metrics[number], *[case.quiet] * 6)
    assert state_of(alarm, data, NOW, State.ALARM) is State.OK


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.lasting > 1])
def test_it_does_not_ring_for_a_moment(alarms: Alarms, name: str) -> None:
    alarm, case = alarms.metric[f"{PREFIX}-{name}"], CASES[name]
    values = [case.quiet, *[case.rings] * (case.lasting - 1)]
    assert state_of(alarm, told(alarm, case.metrics[0], *[case.quiet] * 5, *values), NOW, State.OK) is State.OK


@pytest.mark.parametrize("before", [State.OK, State.ALARM])
@pytest.mark.parametrize("name", CASES)
def test_silence_means_what_it_should(alarms: Alarms, name: str, before: State) -> None:
    alarm, case = alarms.metric[f"{PREFIX}-{name}"], CASES[name]
    assert state_of(alarm, MetricData(), NOW, before) is silent(case, before)


@pytest.mark.parametrize("name", CASES)
def test_it_does_not_listen_to_somebody_else_s_metric(alarms: Alarms, name: str) -> None:
    alarm, case = alarms.metric[f"{PREFIX}-{name}"], CASES[name]
    data = told(alarm, elsewhere(case.metrics[0]), *[case.rings] * 6)
    assert state_of(alarm, data, NOW, State.OK) is silent(case, State.OK)


@pytest.mark.parametrize("late", [0, 60, 240], ids=str)
@pytest.mark.parametrize(
    ("name", "timeout_seconds", "an_hour_later"),
    [
        ("backup-errors", 900, State.OK),
        ("notifier-errors", 180, State.ALARM),  # silence mends nothing there
        ("restore-failed-dump", 900, State.OK),
    ],
    ids=["backup", "notifier", "restore"],
)
def test_a_run_that_hung_until_its_time_out_rings(
    alarms: Alarms, name: str, timeout_seconds: int, an_hour_later: State, late: int
) -> None:
    """Lambda stamps the error with the beginning of the run, and sends it at the end."""
    alarm, (*_, errors) = alarms.metric[f"{PREFIX}-{name}"], CASES[name].metrics
    data = MetricData()
    assert state_of(alarm, data, NOW, State.OK) is State.OK
    data.put(errors, NOW - timedelta(seconds=timeout_seconds + late), 1)
    assert state_of(alarm, data, NOW, State.OK) is State.ALARM
    assert state_of(alarm, data, NOW + timedelta(hours=1), State.ALARM) is an_hour_later


def test_probes_that_hang_until_their_time_out_ring(alarms: Alarms) -> None:
    alarm, (errors,) = alarms.metric[f"{PREFIX}-watch-errors"], CASES["watch-errors"].metrics
    data = MetricData()
    for run in range(3):
        data.put(errors, NOW - timedelta(minutes=5 * run, seconds=60 + 240), 1)
    assert state_of(alarm, data, NOW, State.OK) is State.ALARM


def test_a_failed_rehearsal_that_is_told_late_rings(alarms: Alarms) -> None:
    for metric in CASES["rehearsal-failed"].metrics:
        data = MetricData()
        data.put(metric, NOW - timedelta(minutes=7), 1)
        assert state_of(alarms.metric[f"{PREFIX}-rehearsal-failed"], data, NOW, State.OK) is State.ALARM


def test_a_recovery_that_was_too_slow_is_not_over_before_one_is_fast_enough(alarms: Alarms) -> None:
    slow = f"{PREFIX}-rehearsal-too-slow"
    data, before = MetricData(), State.OK
    for day in range(30):
        now = NOW + timedelta(days=day)
        if day == 0:
            data.put(CASES["rehearsal-too-slow"].metrics[1], now - timedelta(minutes=1), 3 * HOUR)
        before = state_of(alarms.metric[slow], data, now, before)
        assert before is State.ALARM, day
    assert holds(alarms.composite[RECOVERABILITY].rule, dict.fromkeys(alarms.metric, State.OK) | {slow: before})


def test_a_rehearsal_that_is_fast_enough_ends_it_on_the_same_day(alarms: Alarms) -> None:
    data = MetricData()
    for hours, minutes in ((4, 121), (0, 100)):
        for metric in CASES["rehearsal-too-slow"].metrics:
            data.put(metric, NOW - timedelta(hours=hours, minutes=1), 60 * minutes)
    assert state_of(alarms.metric[f"{PREFIX}-rehearsal-too-slow"], data, NOW, State.ALARM) is State.OK


@pytest.mark.parametrize(("newest", "state"), [(10.3, State.OK), (20, State.ALARM), (1, State.ALARM)])
def test_a_size_off_its_trend(alarms: Alarms, newest: float, state: State) -> None:
    alarm = alarms.metric[f"{PREFIX}-{UNUSUAL}"]
    metric = MetricName.of(METRICS_NAMESPACE, Metric.BACKUP_SIZE, metric_dimensions("prod", "ftry", Tier.DAILY))
    trend = [10 + (number % 3) / 10 for number in range(17)]
    assert alarm.band == "ANOMALY_DETECTION_BAND(m0, 3)"
    assert state_of(alarm, told(alarm, metric, *trend, newest), NOW, State.OK) is state


def test_a_size_without_a_trend_yet_is_not_unusual(alarms: Alarms) -> None:
    alarm = alarms.metric[f"{PREFIX}-{UNUSUAL}"]
    metric = MetricName.of(METRICS_NAMESPACE, Metric.BACKUP_SIZE, metric_dimensions("prod", "ftry", Tier.DAILY))
    assert state_of(alarm, told(alarm, metric, 10, 99), NOW, State.OK) is State.OK


def test_what_the_backup_function_says_of_a_failure_rings(alarms: Alarms, capsys: pytest.CaptureFixture[str]) -> None:
    Signals("prod", "ftry", "weekly").failed(verification=True)
    data = MetricData()
    assert data.put_lines(capsys.readouterr().out.splitlines(), at=NOW - timedelta(minutes=1)) == 3
    states = states_of(alarms, data, NOW, dict.fromkeys(alarms.metric, State.OK))
    assert states[f"{PREFIX}-backup-failed-ftry"] is State.ALARM
    assert states[f"{PREFIX}-verification-failed-ftry"] is State.ALARM
    assert states[RECOVERABILITY] is State.ALARM


@pytest.mark.parametrize(
    ("say", "rings"),
    [
        (lambda probe: probe.backup("ftry", Tier.DAILY, 26 * 3600), "backup-missing-ftry"),
        (lambda probe: probe.backup("ftry", Tier.MONTHLY, 33 * 86400), "backup-monthly-missing-ftry"),
        (lambda probe: probe.recovery_point(1000), "recovery-point-old"),
        (lambda probe: probe.setting(WatchedSetting.BUCKET_LOCK, drifted=True), "setting-drifted-bucket-lock"),
        (lambda probe: probe.rehearsed(failing=True), "alert-rehearsal-failed"),
        (lambda probe: probe.undelivered(2), "alert-path-broken"),
    ],
)
def test_what_the_probe_says_rings(
    alarms: Alarms, capsys: pytest.CaptureFixture[str], say: Callable[[WatchSignals], None], rings: str
) -> None:
    well, ill = MetricData(), MetricData()
    say(WatchSignals("prod", "ftry-prod"))
    lines = capsys.readouterr().out.splitlines()
    for number in range(3):
        assert ill.put_lines(lines, at=NOW - timedelta(minutes=5 * number + 1))
    before = dict.fromkeys(alarms.metric, State.OK)
    name = f"{PREFIX}-{rings}"
    assert state_of(alarms.metric[name], ill, NOW, before[name]) is State.ALARM
    _all_is_well(well, capsys)
    assert state_of(alarms.metric[name], well, NOW, State.ALARM) is State.OK


def test_a_probe_that_tells_that_all_is_well_rings_nothing(alarms: Alarms, capsys: pytest.CaptureFixture[str]) -> None:
    data = MetricData()
    _all_is_well(data, capsys)
    rehearsed = CASES["rehearsal-missing"].metrics[0]
    for day in range(3):
        data.put(rehearsed, NOW - timedelta(days=day, hours=5), 20)
    states = states_of(alarms, data, NOW, dict.fromkeys(alarms.metric, State.OK))
    assert {name for name, state in states.items() if state is not State.OK} == set()


def test_a_dead_probe_rings(alarms: Alarms, capsys: pytest.CaptureFixture[str]) -> None:
    data = MetricData()
    _all_is_well(data, capsys)
    later = states_of(alarms, data, NOW + timedelta(minutes=40), dict.fromkeys(alarms.metric, State.OK))
    ringing = {name.removeprefix(f"{PREFIX}-") for name, state in later.items() if state is State.ALARM}
    assert {"backup-missing-ftry", "recovery-point-old", "alert-path-broken", "recoverability"} <= ringing


def test_the_rehearsed_missing_backup_rings_within_the_rehearsal(
    alarms: Alarms, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the last good look on; a rehearsal lasts an hour, and at least the 40 minutes that settings allow."""
    data = MetricData()
    WatchSignals("prod", "ftry-prod").rehearsed(failing=False)
    data.put_lines(capsys.readouterr().out.splitlines(), at=NOW)
    alarm = alarms.metric[f"{PREFIX}-alert-rehearsal-{RehearsedAlert.MISSING.value}"]
    assert state_of(alarm, data, NOW + timedelta(minutes=10), State.OK) is State.OK
    assert state_of(alarm, data, NOW + timedelta(minutes=35), State.OK) is State.ALARM


@pytest.mark.parametrize("name", [*CASES, UNUSUAL])
def test_recoverability_is_about_promises_alone(alarms: Alarms, name: str) -> None:
    states = dict.fromkeys(alarms.metric, State.OK) | {f"{PREFIX}-{name}": State.ALARM}
    assert holds(alarms.composite[RECOVERABILITY].rule, states) is (name in PROMISES)


def test_an_alarm_of_the_rehearsal_is_marked_and_no_other_is(alarms: Alarms) -> None:
    marked = {name for name, alarm in alarms.metric.items() if alarm.description.startswith("REHEARSAL, nothing to do")}
    assert marked == {f"{PREFIX}-alert-rehearsal-failed", f"{PREFIX}-alert-rehearsal-missing"}


def test_every_alarm_is_heard_when_it_begins_and_when_it_ends(alarms: Alarms) -> None:
    every: list[Alarm | Composite] = [*alarms.metric.values(), *alarms.composite.values()]
    for alarm in every:
        name = alarm.name
        heard = alarm.properties["AlarmActions"]
        assert heard == alarm.properties["OKActions"], name
        assert len(heard) == 1, name
        assert "AlarmsTopic" in heard[0]["Fn::ImportValue"], name


def test_the_message_is_what_the_notifier_understands(alarms: Alarms) -> None:
    every: list[Alarm | Composite] = [*alarms.metric.values(), *alarms.composite.values()]
    for alarm in every:
        message = notification_of(alarm, before=State.OK, state=State.ALARM, at=NOW, raised_by=("other",))
        parsed = parse_alarm(message)
        assert parsed is not None
        assert (parsed.name, parsed.state.value, parsed.changed_at) == (alarm.name, "ALARM", NOW)


def _all_is_well(data: MetricData, capsys: pytest.CaptureFixture[str]) -> None:
    """Half an hour of looks that find nothing wrong."""
    probe = WatchSignals("prod", "ftry-prod")
    for tier in (Tier.DAILY, Tier.WEEKLY, Tier.MONTHLY):
        probe.backup("ftry", tier, 3600)
    probe.recovery_point(240)
    for setting in WatchedSetting:
        probe.setting(setting, drifted=False)
    probe.rehearsed(failing=False)
    probe.undelivered(0)
    lines = capsys.readouterr().out.splitlines()
    for number in range(6):
        data.put_lines(lines, at=NOW - timedelta(minutes=5 * number + 1))
