"""The picture of a dashboard shows what there is, and never what there is not."""

from __future__ import annotations

import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dbbackup.contract import METRICS_NAMESPACE, Metric, Tier, metric_dimensions
from dbbackup.handlers.signals import Signals
from devtools.dashboard_preview import Series, dashboard_body, render
from devtools.dashboard_preview.__main__ import main
from devtools.dashboard_preview.chart import Limit, Line, chart
from devtools.dashboard_preview.expression import evaluate
from devtools.dashboard_preview.sample import emf, history
from devtools.dashboard_preview.times import start_of
from devtools.dashboard_preview.units import number, ticks

NOW = datetime(2026, 11, 23, 9, 40, tzinfo=UTC)
SIZE = [METRICS_NAMESPACE, Metric.BACKUP_SIZE.value]
DIMENSIONS = metric_dimensions("prod", "ftry", Tier.DAILY)
HOSTILE = "<script>alert('x')</script>\"&"


def metric(**options: Any) -> list[Any]:
    """The size of daily backups, as the CDK writes a metric."""
    flat = [part for pair in DIMENSIONS.items() for part in pair]
    return [*SIZE, *flat, {"stat": "Maximum", **options}]


def body(kind: str, properties: dict[str, Any], **place: int) -> dict[str, Any]:
    """A dashboard of one widget."""
    return {
        "start": "-P14D",
        "widgets": [
            {"type": kind, "x": 0, "y": 0, "width": 8, "height": 6, **place, "properties": properties},
        ],
    }


def sizes(*points: tuple[timedelta, float]) -> Series:
    """Sizes of daily backups, so long ago."""
    lines = [
        emf(NOW - ago, DIMENSIONS, {Metric.BACKUP_SIZE.value: ("Bytes", value)}, METRICS_NAMESPACE)
        for ago, value in points
    ]
    return Series.from_lines(["START RequestId: 1", *lines, '{"level": "INFO", "message": "done"}'])


def shown(page: str) -> str:
    """What a reader sees of a page: its text, without the styles."""
    return re.sub(r"<[^>]*>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))


# Values


def test_a_single_value_is_the_newest_one() -> None:
    data = sizes((timedelta(days=2), 9 * 2**20), (timedelta(hours=7), 12.5 * 2**20))
    page = render(body("metric", {"view": "singleValue", "metrics": [metric(label="size")]}), data, NOW)
    assert "<b>12.5 MiB</b><span>size</span>" in page
    assert "9 MiB" not in page


def test_a_value_older_than_the_range_of_its_widget_is_no_data() -> None:
    data = sizes((timedelta(hours=7), 12.5 * 2**20))
    properties = {"view": "singleValue", "metrics": [metric(label="size")], "start": "-PT30M"}
    page = render(body("metric", properties), data, NOW)
    assert '<div class="missing"><b>no data</b><span>size</span></div>' in page
    assert "12.5" not in shown(page)


def test_what_has_other_dimensions_is_another_metric() -> None:
    page = render(
        body("metric", {"view": "singleValue", "metrics": [[*SIZE, "Database", "ftry", {"stat": "Maximum"}]]}),
        sizes((timedelta(hours=7), 1)),
        NOW,
    )
    assert "no data" in page


def test_an_expression_shows_and_what_it_is_made_of_does_not() -> None:
    properties = {
        "view": "singleValue",
        "metrics": [
            [{"expression": "m1/1048576", "label": "in MiB"}],
            metric(label="hidden", id="m1", visible=False),
        ],
    }
    page = render(body("metric", properties), sizes((timedelta(hours=1), 3 * 2**20)), NOW)
    assert "<b>3</b><span>in MiB</span>" in page
    assert "hidden" not in shown(page)


@pytest.mark.parametrize(
    ("statistic", "value"), [("Sum", 6), ("Maximum", 4), ("Minimum", 2), ("Average", 3), ("SampleCount", 2)]
)
def test_datapoints_of_one_period_come_together_by_the_statistic(statistic: str, value: float) -> None:
    data = sizes((timedelta(minutes=20), 2), (timedelta(minutes=10), 4))
    found = data.statistic(
        METRICS_NAMESPACE,
        Metric.BACKUP_SIZE.value,
        DIMENSIONS,
        statistic=statistic,
        period=3600,
        start=0,
        end=NOW.timestamp(),
    )
    assert found == {int(NOW.timestamp()) // 3600 * 3600: value}


def test_what_our_functions_really_print_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    Signals("prod", "ftry", Tier.DAILY.value).failed()
    data = Series.from_lines(capsys.readouterr().out.splitlines())
    found = data.statistic(
        METRICS_NAMESPACE,
        Metric.BACKUP_FAILURE.value,
        DIMENSIONS,
        statistic="Sum",
        period=300,
        start=0,
        end=2**33,
    )
    assert list(found.values()) == [1.0]
    assert data.unit(METRICS_NAMESPACE, Metric.BACKUP_FAILURE.value, DIMENSIONS) == "Count"


def test_a_broken_line_is_named() -> None:
    with pytest.raises(ValueError, match="line 2 is not in embedded metric format"):
        Series.from_lines(["REPORT", '{"_aws": {"Timestamp": 1, "CloudWatchMetrics": [{}]}}'])


def test_math_has_no_value_where_one_side_has_none() -> None:
    assert evaluate("a-b/2", {"a": {0: 9.0, 300: 8.0}, "b": {300: 2.0}}, [0, 300]) == {300: 7.0}


def test_only_fill_fills() -> None:
    assert evaluate("FILL(a, 0)+FILL(b, 0)", {"a": {0: 1.0}, "b": {}}, [0, 300]) == {0: 1.0, 300: 0.0}
    assert evaluate("a*2", {"a": {}}, [0, 300]) == {}


@pytest.mark.parametrize("expression", ["SEARCH('x', 'Sum')", "m1 +", "__import__('os')", "m9", "m1 if m1 else 0"])
def test_math_that_is_not_spoken_is_refused_and_named(expression: str) -> None:
    with pytest.raises(ValueError, match="is not metric math that is drawn here"):
        evaluate(expression, {"m1": {0: 1.0}}, [0])


# Graphs


def graph(points: dict[int, float], *limits: Limit, period: int = 86_400) -> str:
    """A graph of one line over ten days."""
    line = Line("size", points, period, "#123456")
    return chart([line], limits, title="t", unit="Bytes", start=0, end=864_000, size=(400, 200))


def test_a_line_stops_where_data_stops() -> None:
    days = {day * 86_400: 1.0 for day in (0, 1, 2, 5, 6)}
    assert graph(days).count("<polyline") == 2


def test_a_datapoint_alone_is_a_dot() -> None:
    drawn = graph({86_400: 1.0})
    assert "<polyline" not in drawn
    assert drawn.count('<circle class="alone"') == 1


def test_a_graph_without_data_says_so_and_draws_nothing() -> None:
    drawn = graph({})
    assert "no data in this range" in drawn
    assert "<polyline" not in drawn
    assert "<circle" not in drawn


def test_a_limit_is_within_the_picture_and_above_what_is_below_it() -> None:
    drawn = graph({0: 10.0, 86_400: 20.0}, Limit(900, "stopped", "#b3261e"))
    (height,) = re.findall(r'<line class="limit"[^>]* y1="([\d.]+)"', drawn)
    (places,) = re.findall(r'<polyline points="([^"]+)"', drawn)
    assert 0 < float(height) < min(float(place.split(",")[1]) for place in places.split())
    assert ">stopped</text>" in drawn


def test_many_points_keep_their_highest_and_lowest() -> None:
    points = dict.fromkeys(range(0, 864000, 300), 50.0)
    points[300 * 1001], points[300 * 1777] = 100.0, 0.0
    drawn = graph(points, period=300)
    (text,) = re.findall(r'<polyline points="([^"]+)"', drawn)
    heights = [float(place.split(",")[1]) for place in text.split()]
    assert len(heights) < len(points) / 2
    assert len({min(heights), max(heights), heights[0]}) == 3


def test_the_legend_says_which_line_has_no_data() -> None:
    page = render(
        body("metric", {"view": "timeSeries", "title": "Sizes", "metrics": [metric(label="daily")]}), Series(), NOW
    )
    assert "daily: no data" in page
    assert "no data in this range" in page


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12.34 * 2**20, "Bytes", "12.3 MiB"),
        (0, "Bytes", "0 B"),
        (217.4, "Seconds", "217 s"),
        (0.512, "None", "0.512"),
        (0.000821, "None", "0.00082"),
        (3_400_000, "Count", "3,400,000"),
        (42.25, "Percent", "42.2 %"),
    ],
)
def test_numbers_are_read_at_a_glance(value: float, unit: str, text: str) -> None:
    assert number(value, unit) == text


@pytest.mark.parametrize(
    ("top", "unit"), [(0.9, "None"), (1, "None"), (972, "Seconds"), (3 * 2**30, "Bytes"), (7, "Count")]
)
def test_marks_reach_the_top_in_even_steps(top: float, unit: str) -> None:
    marks = ticks(top, unit)
    assert marks[0] == 0
    assert marks[-1] >= top * 0.999
    assert 3 <= len(marks) <= 7
    assert len({round(after - before, 6) for before, after in itertools.pairwise(marks)}) == 1


@pytest.mark.parametrize(
    ("text", "seconds"), [("-P14D", 1_209_600), ("-PT30M", 1800), ("-PT3H", 10_800), ("-P2W", 1_209_600)]
)
def test_ranges_count_back_from_now(text: str, seconds: int) -> None:
    assert NOW.timestamp() - start_of(text, NOW) == seconds


@pytest.mark.parametrize("text", ["-P", "-PT", "-P1Y", "yesterday"])
def test_another_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        start_of(text, NOW)


# Alarms and words


def alarms(*names: str) -> dict[str, Any]:
    """A dashboard with tiles of alarms."""
    arns = [f"arn:aws:cloudwatch:us-east-1:111122223333:alarm:{name}" for name in names]
    return body("alarm", {"title": "Alarms", "alarms": arns})


def test_each_state_of_an_alarm_looks_different() -> None:
    names = ("a-ok", "b-ringing", "c-silent", "d-unheard-of")
    states = {"a-ok": "OK", "b-ringing": "ALARM", "c-silent": "INSUFFICIENT_DATA"}
    page = render(alarms(*names), Series(), NOW, alarms=states)
    found = re.findall(r'<div class="tile (\w+)"><b>([^<]+)</b><span>([^<]+)</span>', page)
    assert found == [
        ("ok", "a-ok", "OK"),
        ("alarm", "b-ringing", "In alarm"),
        ("dark", "c-silent", "No data"),
        ("unknown", "d-unheard-of", "State not given"),
    ]


def test_hostile_names_stay_text() -> None:
    everything = {
        "start": "-P14D",
        "widgets": [
            *body("metric", {"view": "timeSeries", "title": HOSTILE, "metrics": [metric(label=HOSTILE)]})["widgets"],
            *body("metric", {"view": "singleValue", "title": HOSTILE, "metrics": [metric(label=HOSTILE)]})["widgets"],
            *body(
                "metric",
                {
                    "view": "timeSeries",
                    "metrics": [metric()],
                    "annotations": {"horizontal": [{"value": 1, "label": HOSTILE, "color": '"><script>'}]},
                },
            )["widgets"],
            *alarms(HOSTILE)["widgets"],
            *body("text", {"markdown": f"# {HOSTILE}\n\n[go](javascript:alert)\n\n<img src=x onerror=y>"})["widgets"],
        ],
    }
    page = render(everything, sizes((timedelta(hours=1), 5)), NOW, alarms={}, title=HOSTILE)
    assert "<script" not in page
    assert "<img" not in page
    assert 'href="javascript' not in page
    assert page.count("&lt;script&gt;") >= 7


def test_the_page_loads_nothing() -> None:
    page = render(alarms("a"), Series(), NOW)
    assert "default-src 'none'" in page
    assert not re.search(r"<(script|link|img|iframe|object)|@import|url\(", page)


def test_words_are_markdown_with_tables_and_commands() -> None:
    markdown = "## First\n\n```\ndbbackup list\n```\n\n| Who | How |\n|---|---|\n| DBA | +1 |\n"
    page = render(body("text", {"markdown": markdown}), Series(), NOW)
    assert "<h2>First</h2>" in page
    assert "<pre><code>dbbackup list\n</code></pre>" in page
    assert "<td>+1</td>" in page


def test_widgets_are_where_the_grid_says() -> None:
    page = render(body("text", {"markdown": "x"}, x=8, y=3, width=16, height=5), Series(), NOW)
    assert "grid-column:9/span 16;grid-row:4/span 5" in page


@pytest.mark.parametrize(
    ("kind", "properties", "named"),
    [("log", {}, "log"), ("metric", {"view": "pie"}, "metric pie"), ("explorer", {}, "explorer")],
)
def test_a_widget_that_is_not_drawn_is_named(kind: str, properties: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=f"a widget that is not drawn here: {named}"):
        render(body(kind, properties), Series(), NOW)


# Templates and the command


def template(folder: Path, dashboard: Any, **more: Any) -> Path:
    """A template of monitoring with this body of its dashboard."""
    resources = {"D": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": dashboard}}, **more}
    path = folder / "ftry-prod-monitoring.template.json"
    path.write_text(json.dumps({"Resources": resources}))
    return path


def test_references_lead_to_names_in_this_stack_and_in_others(tmp_path: Path) -> None:
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "ftry-prod-cpu-high"}}
    other = {
        "Resources": {"Far": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "ftry-prod-rehearsal"}}},
        "Outputs": {"E": {"Value": {"Fn::GetAtt": ["Far", "Arn"]}, "Export": {"Name": "far"}}},
    }
    (tmp_path / "ftry-prod-rehearsal.template.json").write_text(json.dumps(other))
    parts = ['{"arns":["', {"Fn::GetAtt": ["Near", "Arn"]}, '","', {"Fn::ImportValue": "far"}, '"],"region":"']
    found = template(tmp_path, {"Fn::Join": ["", [*parts, {"Ref": "AWS::Region"}, '"}']]}, Near=alarm)
    assert dashboard_body(found, {"AWS::Region": "eu-west-1"}) == {
        "arns": [
            "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:ftry-prod-cpu-high",
            "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:ftry-prod-rehearsal",
        ],
        "region": "eu-west-1",
    }


@pytest.mark.parametrize("reference", [{"Fn::ImportValue": "nowhere"}, {"Ref": "Nothing"}, {"Fn::Sub": "${X}"}])
def test_a_reference_that_leads_nowhere_is_named(tmp_path: Path, reference: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(reference.values())).replace("$", r"\$")):
        dashboard_body(template(tmp_path, {"Fn::Join": ["", ["{", reference, "}"]]}))


def test_a_template_without_a_dashboard_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.template.json"
    path.write_text('{"Resources": {}}')
    with pytest.raises(ValueError, match="has 0 dashboards"):
        dashboard_body(path)


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = template(tmp_path, json.dumps(alarms("ftry-prod-recoverability")))
    states = tmp_path / "states.json"
    states.write_text('{"ftry-prod-recoverability": "ALARM"}')
    data = tmp_path / "log"
    data.write_text("\n")
    out = tmp_path / "deep" / "dashboard.html"
    arguments = ["--template", path, "--data", data, "--alarms", states, "--now", "2026-11-23T09:40:00Z", "--out", out]
    assert main([str(each) for each in arguments]) == 0
    assert "In alarm" in out.read_text()
    assert "Monday 23 November 2026, 09:40 UTC" in out.read_text()
    assert str(out) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("states", "reason"),
    [('{"a": "RINGING"}', "ALARM, INSUFFICIENT_DATA, OK"), ("[]", "not an object"), ("{", "Expecting")],
)
def test_bad_states_are_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], states: str, reason: str
) -> None:
    path = template(tmp_path, json.dumps(alarms("a")))
    (tmp_path / "states.json").write_text(states)
    out = tmp_path / "page.html"
    assert main(["--template", str(path), "--alarms", str(tmp_path / "states.json"), "--out", str(out)]) == 2
    assert reason in capsys.readouterr().err
    assert not out.exists()


def test_the_sample_is_the_same_every_time_and_reaches_up_to_now() -> None:
    def lines() -> list[str]:
        return list(history(NOW, environment="prod", instance="ftry-prod", database="ftry", probed_days=1))

    once = lines()
    assert once == lines()
    times = [json.loads(line)["_aws"]["Timestamp"] / 1000 for line in once]
    assert max(times) == NOW.timestamp()
