"""The widgets of a dashboard as HTML. Every text that is not ours is escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Final

from markdown_it import MarkdownIt

from devtools.dashboard_preview.chart import PALETTE, Limit, Line, chart
from devtools.dashboard_preview.metrics import Shown, shown_metrics
from devtools.dashboard_preview.series import Series
from devtools.dashboard_preview.times import start_of
from devtools.dashboard_preview.units import number

COLUMN_PIXELS: Final = 55
ROW_PIXELS: Final = 46
GAP_PIXELS: Final = 10
_STATES: Final = {"OK": ("ok", "OK"), "ALARM": ("alarm", "In alarm"), "INSUFFICIENT_DATA": ("dark", "No data")}
_UNKNOWN: Final = ("unknown", "State not given")


@dataclass(frozen=True, slots=True)
class Context:
    """What all widgets of a page need: data, states of alarms by name, the range and its end."""

    data: Series
    alarms: Mapping[str, str]
    start: str
    now: datetime


def widget(found: Mapping[str, Any], context: Context) -> str:
    """One widget, in its place on the grid.

    Raises:
        ValueError: it says something that is not drawn here.
    """
    kind, properties = str(found["type"]), found.get("properties", {})
    name = f"{kind} {properties.get('view', '')}".strip()
    draw = _WIDGETS.get(name)
    if draw is None:
        raise ValueError(f"a widget that is not drawn here: {name}")
    x, y, width, height = (int(found[part]) for part in ("x", "y", "width", "height"))
    size = (width * COLUMN_PIXELS + GAP_PIXELS, height * (ROW_PIXELS + GAP_PIXELS) - GAP_PIXELS)
    place = f"grid-column:{x + 1}/span {width};grid-row:{y + 1}/span {height}"
    title = f"<h3>{escape(str(properties['title']))}</h3>" if properties.get("title") else ""
    shape = "heading" if kind == "text" and height == 1 else name.replace(" ", "-")
    return f'<section class="{shape}" style="{place}">{title}{draw(properties, context, size)}</section>'


def _text(properties: Mapping[str, Any], _context: Context, _size: tuple[int, int]) -> str:
    # HTML inside Markdown stays text, and links lead nowhere but to where links may lead.
    rendered: str = MarkdownIt("commonmark", {"html": False}).enable("table").render(str(properties["markdown"]))
    return f'<div class="words">{rendered}</div>'


def _alarms(properties: Mapping[str, Any], context: Context, _size: tuple[int, int]) -> str:
    names = [str(arn).rpartition(":alarm:")[2] for arn in properties["alarms"]]
    tiles = []
    for name in names:
        shape, state = _STATES.get(context.alarms.get(name, ""), _UNKNOWN)
        tiles.append(f'<div class="tile {shape}"><b>{escape(name)}</b><span>{state}</span></div>')
    return f'<div class="tiles{" single" if len(names) == 1 else ""}">{"".join(tiles)}</div>'


def _single_values(properties: Mapping[str, Any], context: Context, _size: tuple[int, int]) -> str:
    values = []
    for metric in _metrics(properties, context):
        newest = metric.newest
        shape, text = ("missing", "no data") if newest is None else ("", number(newest, metric.unit))
        values.append(f'<div class="{shape}"><b>{escape(text)}</b><span>{escape(metric.label)}</span></div>')
    return f'<div class="values">{"".join(values)}</div>'


def _graph(properties: Mapping[str, Any], context: Context, size: tuple[int, int]) -> str:
    metrics = _metrics(properties, context)
    units = {metric.unit for metric in metrics if metric.points}
    lines = [
        Line(metric.label, metric.points, metric.period, PALETTE[index % len(PALETTE)])
        for index, metric in enumerate(metrics)
    ]
    limits = [
        Limit(float(each["value"]), str(each.get("label", "")), str(each.get("color", "#b3261e")))
        for each in properties.get("annotations", {}).get("horizontal", [])
    ]
    drawing = chart(
        lines,
        limits,
        title=str(properties.get("title", "")),
        unit=units.pop() if len(units) == 1 else "None",
        start=_start(properties, context),
        end=context.now.timestamp(),
        size=(size[0] - 40, size[1] - 88),
        stacked=bool(properties.get("stacked")),
    )
    legend = "".join(
        f'<li class="{"" if line.points else "missing"}"><i style="background:{escape(line.color)}"></i>'
        f"{escape(line.label)}{'' if line.points else ': no data'}</li>"
        for line in lines
    )
    return f'{drawing}<ul class="legend">{legend}</ul>'


def _metrics(properties: Mapping[str, Any], context: Context) -> list[Shown]:
    start = _start(properties, context)
    return shown_metrics(properties, context.data, start=start, end=context.now.timestamp())


def _start(properties: Mapping[str, Any], context: Context) -> float:
    return start_of(str(properties.get("start", context.start)), context.now)


_WIDGETS: Final[Mapping[str, Callable[[Mapping[str, Any], Context, tuple[int, int]], str]]] = {
    "text": _text,
    "alarm": _alarms,
    "metric singleValue": _single_values,
    "metric timeSeries": _graph,
}
