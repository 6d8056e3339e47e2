"""What a person reads on the dashboard, and that nothing which matters is missing from it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk.assertions import Template as AssertedTemplate

from constructs_lib.dashboard_text import Contact, WayBack, first_aid
from constructs_lib.recovery_dashboard import RecoveryDashboard
from dbbackup.contract import METRICS_NAMESPACE, SERVICE, Metric, Tier, metric_dimensions
from dbbackup.contract_pitr import PitrMetric
from dbbackup.contract_rehearsal import PLANE_DUMP, PLANE_POINT_IN_TIME, RehearsalMetric, rehearsal_dimensions
from dbbackup.contract_watch import WatchedSetting, WatchMetric, watch_dimensions
from devtools.dashboard_preview import Series, dashboard_body, render
from devtools.dashboard_preview.sample import history
from tests.infrastructure.synthesis import Synthesized, cdk_context, settings_of

NOW = datetime(2026, 11, 23, 9, 40, tzinfo=UTC)
Widget = dict[str, Any]
Found = tuple[str, str, frozenset[tuple[str, str]], str]
"""Namespace, name, dimensions and statistic of a metric."""
SCHEDULED = ("daily", "weekly", "monthly")


@pytest.fixture(scope="module")
def body(prod: Synthesized) -> dict[str, Any]:
    return dashboard_body(prod.folder / "ftry-prod-monitoring.template.json")


@pytest.fixture(scope="module")
def widgets(body: dict[str, Any]) -> dict[str, Widget]:
    """Properties of the widgets that have a title."""
    titled = [found["properties"] for found in body["widgets"] if found["properties"].get("title")]
    assert len({found["title"] for found in titled}) == len(titled)
    return {found["title"]: found for found in titled}


def entries(widget: Widget) -> list[tuple[dict[str, Any], Found | None]]:
    """Options of each metric of a widget, and the metric; None for an expression."""
    found: list[tuple[dict[str, Any], Found | None]] = []
    for *names, options in widget["metrics"]:
        if names:
            namespace, name, *flat = names
            dimensions = frozenset(zip(flat[::2], flat[1::2], strict=True))
            found.append((options, (namespace, name, dimensions, options.get("stat", "Average"))))
        else:
            found.append((options, None))
    return found


def metrics(widget: Widget) -> set[Found]:
    """Every metric of a widget, also those that an expression reads."""
    return {metric for _, metric in entries(widget) if metric}


def visible(widget: Widget) -> dict[str, tuple[str, list[Found]]]:
    """Each label that is shown, with its expression (or none) and the metrics behind it."""
    by_id = {options["id"]: metric for options, metric in entries(widget) if metric and "id" in options}
    shown = {}
    for options, metric in entries(widget):
        if options.get("visible") is False:
            continue
        expression = options.get("expression", "")
        behind = [metric] if metric else [by_id[name] for name in re.findall(r"\bm\d+\b", expression)]
        shown[options["label"]] = (re.sub(r"\bm\d+\b", "m", expression), [each for each in behind if each])
    return shown


def of_backup(metric: Metric | WatchMetric, tier: str, statistic: str) -> Found:
    dimensions = frozenset(metric_dimensions("prod", "ftry", Tier(tier)).items())
    return METRICS_NAMESPACE, metric.value, dimensions, statistic


def of_watch(metric: WatchMetric, setting: WatchedSetting | None = None) -> Found:
    return METRICS_NAMESPACE, metric.value, frozenset(watch_dimensions("prod", "ftry-prod", setting).items()), "Maximum"


def of_rehearsal(metric: RehearsalMetric, statistic: str, plane: str | None = None) -> Found:
    dimensions = frozenset(rehearsal_dimensions("prod", "ftry-prod", plane).items())
    return METRICS_NAMESPACE, metric.value, dimensions, statistic


def of_recovery(metric: PitrMetric, statistic: str) -> Found:
    dimensions = {"service": SERVICE, "Environment": "prod", "Instance": "ftry-prod"}
    return METRICS_NAMESPACE, metric.value, frozenset(dimensions.items()), statistic


def of_instance(name: str, statistic: str) -> Found:
    return "AWS/RDS", name, frozenset({("DBInstanceIdentifier", "ftry-prod")}), statistic


def lines(widget: Widget) -> dict[float, str]:
    """Annotations: value and label."""
    return {found["value"]: found["label"] for found in widget.get("annotations", {}).get("horizontal", [])}


# The top row


def test_the_dashboard_is_named_after_its_environment(prod: Synthesized) -> None:
    assert prod["monitoring"].only("AWS::CloudWatch::Dashboard")["DashboardName"] == "ftry-prod-recovery"


def test_the_answers_are_in_the_first_row(body: dict[str, Any]) -> None:
    top = [found for found in body["widgets"] if found["y"] == 0]
    assert [found["properties"]["title"] for found in top] == [
        "Could we recover now, as promised?",
        "Age of the newest verified backup",
        "Would be lost now",
        "A rehearsal passed",
        "Last rehearsal of the way back (objective: 120 minutes)",
    ]
    assert sum(found["width"] for found in top) == 24
    assert len({found["height"] for found in top}) == 1


def test_whether_all_is_well_is_one_tile(widgets: dict[str, Widget]) -> None:
    assert names(widgets["Could we recover now, as promised?"]) == ["ftry-prod-recoverability"]


def test_ages_of_backups_are_in_hours_and_days(widgets: dict[str, Widget]) -> None:
    assert visible(widgets["Age of the newest verified backup"]) == {
        "ftry, daily: hours": ("m/3600", [of_backup(WatchMetric.BACKUP_AGE, "daily", "Maximum")]),
        "ftry, weekly: days": ("m/86400", [of_backup(WatchMetric.BACKUP_AGE, "weekly", "Maximum")]),
        "ftry, monthly: days": ("m/86400", [of_backup(WatchMetric.BACKUP_AGE, "monthly", "Maximum")]),
    }


def test_the_recovery_point_is_in_minutes(widgets: dict[str, Widget]) -> None:
    expected = {"minutes of writes": ("m/60", [of_watch(WatchMetric.RECOVERY_POINT_AGE)])}
    assert visible(widgets["Would be lost now"]) == expected


def test_the_last_rehearsal_says_when_whether_and_how_long(widgets: dict[str, Widget]) -> None:
    assert visible(widgets["A rehearsal passed"]) == {"days ago": ("", [of_rehearsal(RehearsalMetric.AGE, "Maximum")])}
    assert visible(widgets["Last rehearsal of the way back (objective: 120 minutes)"]) == {
        "1: passed, 0: failed": ("", [of_rehearsal(RehearsalMetric.SUCCESS, "Minimum")]),
        "to a moment, minutes": (
            "m/60",
            [of_rehearsal(RehearsalMetric.RECOVERY_TIME, "Maximum", PLANE_POINT_IN_TIME)],
        ),
        "from a dump, minutes": ("m/60", [of_rehearsal(RehearsalMetric.RECOVERY_TIME, "Maximum", PLANE_DUMP)]),
    }


@pytest.mark.parametrize(
    ("title", "start"),
    [
        ("Age of the newest verified backup", "-PT30M"),
        ("Would be lost now", "-PT30M"),
        ("Settings (0: as declared, 1: changed)", "-PT30M"),
        ("A rehearsal passed", "-P2D"),
    ],
)
def test_a_silent_probe_is_not_hidden_behind_its_last_words(widgets: dict[str, Widget], title: str, start: str) -> None:
    assert widgets[title]["start"] == start
    assert widgets[title]["view"] == "singleValue"


def test_only_counts_of_what_happened_are_filled_in(widgets: dict[str, Widget]) -> None:
    filled = {
        metric[1]
        for widget in widgets.values()
        if "metrics" in widget
        for expression, behind in visible(widget).values()
        if "FILL" in expression
        for metric in behind
    }
    assert filled == {
        Metric.VERIFICATION_FAILURE.value,
        Metric.RESTORE_SUCCESS.value,
        Metric.RESTORE_FAILURE.value,
    }


# Alarms, and what to do


def names(widget: Widget) -> list[str]:
    """Alarms of a widget."""
    return [str(arn).rpartition(":alarm:")[2] for arn in widget["alarms"]]


def test_every_alarm_of_the_system_is_on_it(prod: Synthesized, body: dict[str, Any]) -> None:
    kinds = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    all_of_them = [found["AlarmName"] for part in prod.parts for kind in kinds for found in prod[part].all(kind)]
    shown = [name for found in body["widgets"] if found["type"] == "alarm" for name in names(found["properties"])]
    assert sorted(shown) == sorted(all_of_them)
    assert len(all_of_them) > 20
    assert all(len(found["properties"]["alarms"]) <= 100 for found in body["widgets"] if found["type"] == "alarm")


def test_what_to_do_first_has_commands_and_the_contacts_of_the_settings(body: dict[str, Any]) -> None:
    (words,) = [text for text in texts(body) if "What to do first" in text]
    assert "dbbackup pitr restore 2025-01-11T14:30:00Z --system ftry-prod\n" in words
    assert re.search(r"dbbackup restore latest --bucket \S+ --plan\n", words)
    assert "docs/runbooks/point-in-time-recovery.md" in words
    contacts = settings_of("prod").notification.contacts
    assert contacts
    for each in contacts:
        assert f"| {each.role}" in words.replace("\\", "")
        assert each.contact in words.replace("\\", "")


def test_pages_that_the_words_name_are_there(body: dict[str, Any]) -> None:
    pages = {page for text in texts(body) for page in re.findall(r"docs/runbooks/[\w-]+\.md", text)}
    assert pages
    for page in pages:
        assert (Path(__file__).parents[2] / page).is_file(), page


def texts(body: dict[str, Any]) -> list[str]:
    """Words of the dashboard."""
    return [found["properties"]["markdown"] for found in body["widgets"] if found["type"] == "text"]


# The graphs


@pytest.mark.parametrize(
    ("title", "metric", "statistic"),
    [
        ("ftry: size of the archive", Metric.BACKUP_SIZE, "Maximum"),
        ("ftry: size of the database", Metric.DATABASE_SIZE, "Maximum"),
        ("ftry: duration of a backup, and its limit", Metric.BACKUP_DURATION, "Maximum"),
        ("ftry: size by the size before it (1: unchanged)", Metric.BACKUP_SIZE_RATIO, "Minimum"),
        ("ftry: rows in a backup", Metric.BACKUP_ROWS, "Maximum"),
    ],
)
def test_backups_over_time_in_each_tier(widgets: dict[str, Widget], title: str, metric: Metric, statistic: str) -> None:
    assert visible(widgets[title]) == {tier.value: ("", [of_backup(metric, tier, statistic)]) for tier in Tier}
    assert widgets[title]["start"] == "-P90D", "a fortnight has no monthly backup"
    assert {options["period"] for options, _ in entries(widgets[title])} == {86_400}


def test_durations_stand_against_the_limit_of_the_settings(widgets: dict[str, Widget]) -> None:
    chosen = settings_of("prod").backup
    longest = chosen.timeout_seconds - chosen.deadline_margin_seconds
    found = lines(widgets["ftry: duration of a backup, and its limit"])
    assert found == {longest: f"a backup is given up ({longest} s)", longest * 0.8: "80 %: alarm"}


def test_failures_are_shown_by_tier_and_verification_as_one(widgets: dict[str, Widget]) -> None:
    shown = visible(widgets["ftry: failed backups and verifications"])
    assert {label: behind for label, (_, behind) in shown.items()} == {
        **{f"{tier.value} failed": [of_backup(Metric.BACKUP_FAILURE, tier, "Sum")] for tier in Tier},
        "of any tier not as written": [of_backup(Metric.VERIFICATION_FAILURE, tier, "Sum") for tier in Tier],
    }


@pytest.mark.parametrize(
    ("title", "value", "label"),
    [
        ("What would be lost, in minutes of writes", 15, "15 minutes: alarm"),
        ("Time to recover, in minutes", 120, "objective: 120 minutes"),
        ("ftry: size by the size before it (1: unchanged)", 0.5, "0.5: alarm"),
        ("Free storage, in GiB", 5, "5 GiB: alarm"),
        ("CPU, in percent", 90, "90 %: alarm"),
        ("Connections", 200, "200 connections: alarm"),
        ("Free memory, in GiB", 0.125, "0.125 GiB: alarm"),
    ],
)
def test_a_line_shows_where_the_alarm_begins(widgets: dict[str, Widget], title: str, value: float, label: str) -> None:
    assert lines(widgets[title]) == {value: label}


def test_lines_are_where_the_alarms_of_the_template_are(prod: Synthesized, widgets: dict[str, Widget]) -> None:
    thresholds = {
        found["AlarmName"]: found["Threshold"]
        for found in prod["monitoring"].all("AWS::CloudWatch::Alarm")
        if "Threshold" in found
    }
    for title, name, by in (
        ("What would be lost, in minutes of writes", "recovery-point-old", 60),
        ("ftry: size by the size before it (1: unchanged)", "backup-size-dropped-ftry", 1),
        ("Free storage, in GiB", "storage-low", 2**30),
        ("CPU, in percent", "cpu-high", 1),
        ("Connections", "connections-high", 1),
        ("Free memory, in GiB", "memory-low", 2**30),
    ):
        assert list(lines(widgets[title])) == [thresholds[f"ftry-prod-{name}"] / by], title
    assert thresholds["ftry-prod-backup-too-slow-ftry"] in lines(widgets["ftry: duration of a backup, and its limit"])


def test_times_to_recover_are_those_of_rehearsals_and_of_real_recoveries(widgets: dict[str, Widget]) -> None:
    assert visible(widgets["Time to recover, in minutes"]) == {
        "to a moment, minutes": (
            "m/60",
            [of_rehearsal(RehearsalMetric.RECOVERY_TIME, "Maximum", PLANE_POINT_IN_TIME)],
        ),
        "from a dump, minutes": ("m/60", [of_rehearsal(RehearsalMetric.RECOVERY_TIME, "Maximum", PLANE_DUMP)]),
        "to a moment, asked for by somebody, minutes": ("m/60", [of_recovery(PitrMetric.RECOVERY_TIME, "Maximum")]),
    }


def test_restores_of_dumps_and_recoveries_are_counted(widgets: dict[str, Widget]) -> None:
    assert metrics(widgets["Restores and recoveries, by day"]) == {
        *(
            of_backup(metric, tier, "Sum")
            for metric in (Metric.RESTORE_SUCCESS, Metric.RESTORE_FAILURE)
            for tier in Tier
        ),
        of_recovery(PitrMetric.SUCCESS, "Sum"),
        of_recovery(PitrMetric.FAILURE, "Sum"),
    }


@pytest.mark.parametrize("title", ["Settings (0: as declared, 1: changed)", "Changed settings, over time"])
def test_every_watched_setting_is_shown(widgets: dict[str, Widget], title: str) -> None:
    assert visible(widgets[title]) == {
        setting.value.replace("-", " "): ("", [of_watch(WatchMetric.DRIFT, setting)]) for setting in WatchedSetting
    }


def test_the_instance_s_shortages_are_shown_at_their_worst(widgets: dict[str, Widget]) -> None:
    assert {
        title: visible(widgets[title])
        for title in ("Free storage, in GiB", "CPU, in percent", "Connections", "Free memory, in GiB")
    } == {
        "Free storage, in GiB": {"free": ("m/1073741824", [of_instance("FreeStorageSpace", "Minimum")])},
        "CPU, in percent": {"used": ("", [of_instance("CPUUtilization", "Average")])},
        "Connections": {"open": ("", [of_instance("DatabaseConnections", "Maximum")])},
        "Free memory, in GiB": {"free": ("m/1073741824", [of_instance("FreeableMemory", "Minimum")])},
    }


@pytest.mark.parametrize("tier", SCHEDULED)
def test_the_age_over_time_is_a_saw(widgets: dict[str, Widget], tier: str) -> None:
    unit, seconds = ("hours", 3600) if tier == "daily" else ("days", 86_400)
    assert visible(widgets[f"Age of the newest {tier} backup, in {unit}"]) == {
        "ftry": (f"m/{seconds}", [of_backup(WatchMetric.BACKUP_AGE, tier, "Maximum")])
    }


# The whole


def test_it_is_what_cloudwatch_takes(prod: Synthesized, body: dict[str, Any]) -> None:
    assert body["start"] == "-P14D"
    assert body["periodOverride"] == "inherit"
    assert len(body["widgets"]) <= 500
    counted = [metric for found in body["widgets"] for metric in found["properties"].get("metrics", [])]
    assert len(counted) <= 2500
    assert all(len(found["properties"].get("metrics", [])) <= 500 for found in body["widgets"])
    for found in body["widgets"]:
        ids = [options["id"] for *_, options in found["properties"].get("metrics", []) if "id" in options]
        assert len(set(ids)) == len(ids)
        assert found["x"] + found["width"] <= 24


def test_no_widget_covers_another(body: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for found in body["widgets"]:
        cells = {
            (found["x"] + column, found["y"] + row)
            for column in range(int(found["width"]))
            for row in range(int(found["height"]))
        }
        assert not cells & taken, found["properties"]
        taken |= cells


def test_no_address_of_a_widget_is_somebody_s_account(prod: Synthesized) -> None:
    raw = json.dumps(prod["monitoring"].only("AWS::CloudWatch::Dashboard"))
    assert not re.search(r"\d{12}", raw.replace(str(2**30), ""))


@pytest.mark.parametrize("environment", ["staging", "dev"])
def test_each_environment_has_one_of_its_own(environment: str, request: pytest.FixtureRequest) -> None:
    synthesized: Synthesized = request.getfixturevalue(environment)
    found = dashboard_body(synthesized.folder / f"ftry-{environment}-monitoring.template.json")
    assert f'"{environment}"' in json.dumps(found)
    assert '"prod"' not in json.dumps(found)


def test_it_can_be_looked_at(body: dict[str, Any]) -> None:
    data = Series.from_lines(history(NOW, environment="prod", instance="ftry-prod", database="ftry", probed_days=1))
    page = render(body, data, NOW, alarms={"ftry-prod-recoverability": "ALARM"})
    shown = re.findall(r"<b>([^<]+)</b><span>(ftry, daily: hours|days ago|minutes of writes)</span>", page)
    assert [label for _, label in shown] == ["ftry, daily: hours", "minutes of writes", "days ago"]
    assert shown[0][0] == "7.67"
    assert '<div class="tile alarm"><b>ftry-prod-recoverability</b><span>In alarm</span>' in page


def test_without_data_every_answer_is_missing(body: dict[str, Any]) -> None:
    page = render(body, Series(), NOW)
    values = re.findall(r'<div class="(\w*)"><b>([^<]+)</b><span>', page)
    assert len(values) >= 8
    assert set(values) == {("missing", "no data")}


# As a construct of somebody else


@pytest.fixture
def stack(no_aws_account: None) -> Stack:
    return Stack(App(context=cdk_context()), "somebody-elses")


def other(stack: Stack, **more: Any) -> dict[str, Any]:
    """The dashboard that somebody else makes, resolved as far as it is text."""
    metric = cloudwatch.Metric(namespace="theirs", metric_name="m")
    alarm = cloudwatch.Alarm(stack, "Top", metric=metric, threshold=1, evaluation_periods=1)
    RecoveryDashboard(
        stack,
        "Dashboard",
        **{
            "dashboard_name": "theirs",
            "environment": "blue",
            "instance": "their-db",
            "database_names": ["one", "two"],
            "longest_backup_seconds": 600,
            "recoverability": alarm,
            "alarms": {},
            "runbook_base_url": "https://example.com/runbooks/",
            **more,
        },
    )
    (found,) = AssertedTemplate.from_stack(stack).find_resources("AWS::CloudWatch::Dashboard").values()
    parts = found["Properties"]["DashboardBody"]["Fn::Join"][1]
    body: dict[str, Any] = json.loads("".join(part if isinstance(part, str) else "token" for part in parts))
    return body


def test_each_database_has_its_values_and_graphs(stack: Stack) -> None:
    body = other(stack)
    ages = next(
        found for found in body["widgets"] if found["properties"].get("title") == "Age of the newest verified backup"
    )
    assert [label.partition(":")[0] for label in visible(ages["properties"])] == [
        f"{database}, {tier}" for database in ("one", "two") for tier in SCHEDULED
    ]
    titles = {found["properties"].get("title", "") for found in body["widgets"]}
    assert {f"{database}: size of the archive" for database in ("one", "two")} <= titles
    assert ages["height"] > 4


def test_a_hundred_alarms_are_one_widget_and_one_more_is_the_next(stack: Stack) -> None:
    metric = cloudwatch.Metric(namespace="theirs", metric_name="m")
    many = [
        cloudwatch.Alarm(stack, f"A{number}", metric=metric, threshold=1, evaluation_periods=1) for number in range(101)
    ]
    body = other(stack, alarms={"Many": many})
    assert [len(found["properties"]["alarms"]) for found in body["widgets"] if found["type"] == "alarm"] == [1, 100, 1]


def test_where_nothing_is_rehearsed_it_says_so(stack: Stack) -> None:
    body = other(stack, rehearsal_objective_minutes=None)
    assert any("Rehearsals are switched off" in text for text in texts(body))
    assert RehearsalMetric.AGE.value not in json.dumps(body)
    assert sum(found["width"] for found in body["widgets"] if found["y"] == 0) == 24


def test_where_nothing_is_watched_no_setting_is_shown(stack: Stack) -> None:
    assert WatchMetric.DRIFT.value not in json.dumps(other(stack, watched_settings=()))


def test_a_limit_that_nobody_set_is_not_drawn(stack: Stack) -> None:
    body = other(stack)
    for found in body["widgets"]:
        if found["properties"].get("title") in {"Free storage, in GiB", "CPU, in percent", "Connections"}:
            assert lines(found["properties"]) == {}


def test_links_lead_to_the_runbooks(stack: Stack) -> None:
    way = WayBack(situation="From a dump", command="dbbackup restore latest", runbook="restore")
    words = "\n".join(texts(other(stack, ways_back=[way])))
    assert "[all runbooks](https://example.com/runbooks/README.md)" in words
    assert "[runbook](https://example.com/runbooks/restore.md)" in words
    assert "Nobody is named to be called" in words


def test_a_contact_can_not_break_out_of_its_cell() -> None:
    hostile = Contact(role="a | b", contact="[x](javascript:1)\n# big", responsibility="<b>*all*</b>")
    (row,) = [
        line
        for line in first_aid(runbook_base_url="r", ways_back=(), contacts=[hostile]).splitlines()
        if line.startswith("| a")
    ]
    assert row == r"| a \| b | \[x\](javascript:1) \# big | \<b\>\*all\*\</b\> |"
