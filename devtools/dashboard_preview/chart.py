"""A line graph as SVG: axes, lines that stop where data stops, limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

from devtools.dashboard_preview.series import Points
from devtools.dashboard_preview.units import short, ticks

PALETTE: Final = ("#2f6f9f", "#d0842b", "#4d8f5b", "#8a5ca8", "#b0504a", "#5f6b76", "#3aa0a0", "#a89a2c", "#7a4e2d")
_MOST_POINTS: Final = 700
_MOST_DOTS: Final = 30
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 10, 12, 22
_STEPS: Final = (300, 900, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000, 7_776_000)


@dataclass(frozen=True, slots=True)
class Line:
    """One metric in a graph."""

    label: str
    points: Points
    period: int
    color: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A horizontal annotation."""

    value: float
    label: str
    color: str


@dataclass(frozen=True, slots=True)
class Frame:
    """Where values and times are in the picture, in pixels."""

    width: int
    height: int
    start: float
    end: float
    top: float

    def x(self, at: float) -> float:
        """Place of a moment."""
        return _LEFT + (at - self.start) / (self.end - self.start) * (self.width - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Place of a value."""
        return self.height - _BOTTOM - value / self.top * (self.height - _TOP - _BOTTOM)


def chart(
    lines: Sequence[Line],
    limits: Sequence[Limit],
    *,
    title: str,
    unit: str,
    start: float,
    end: float,
    size: tuple[int, int],
    stacked: bool = False,
) -> str:
    """The graph; values below zero do not occur in it.

    Args:
        lines: what is drawn.
        limits: annotations; the axis reaches up to them.
        title: what somebody hears who doesn't see it.
        unit: CloudWatch's name of the unit of all lines.
        start: left end, in seconds since 1970.
        end: right end.
        size: width and height in pixels.
        stacked: whether areas are put on top of each other.
    """
    drawn = _stack(lines) if stacked else list(lines)
    values = [value for line in drawn for value in line.points.values()]
    marks = ticks(max([*values, *(limit.value * 1.08 for limit in limits), 1e-6]) if values or limits else 1.0, unit)
    frame = Frame(*size, start, end, marks[-1])
    parts = [
        f'<svg viewBox="0 0 {size[0]} {size[1]}" role="img" aria-label="{escape(title)}">',
        *_value_axis(frame, marks, unit),
        *_time_axis(frame),
        *(_line(frame, line, filled=stacked) for line in (reversed(drawn) if stacked else drawn)),
        *(_limit(frame, limit) for limit in limits),
    ]
    if not values:
        middle = (_LEFT + size[0] - _RIGHT) / 2
        parts.append(f'<text class="none" x="{middle:.0f}" y="{size[1] / 2 + 12:.0f}">no data in this range</text>')
    return "".join([*parts, "</svg>"])


def _value_axis(frame: Frame, marks: Sequence[float], unit: str) -> list[str]:
    parts = []
    for mark in marks:
        y = frame.y(mark)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{frame.width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="value" x="{_LEFT - 6}" y="{y + 3.5:.1f}">{escape(short(mark, unit))}</text>')
    return parts


def _time_axis(frame: Frame) -> list[str]:
    most = max(2, (frame.width - _LEFT - _RIGHT) // 70)
    length = frame.end - frame.start
    step = next((step for step in _STEPS if length / step <= most), _STEPS[-1])
    parts = []
    at = (frame.start // step + 1) * step
    while at <= frame.end:
        x = min(max(frame.x(at), _LEFT + 16), frame.width - _RIGHT - 18)
        moment = datetime.fromtimestamp(at, UTC)
        text = f"{moment:%d %b}".lstrip("0") if step >= 86_400 else f"{moment:%H:%M}"
        parts.append(
            f'<line class="tick" x1="{frame.x(at):.1f}" x2="{frame.x(at):.1f}" y1="{frame.height - _BOTTOM}" '
            f'y2="{frame.height - _BOTTOM + 4}"/>'
        )
        parts.append(f'<text class="time" x="{x:.1f}" y="{frame.height - 6}">{text}</text>')
        at += step
    return parts


def _line(frame: Frame, line: Line, *, filled: bool) -> str:
    parts = []
    color = escape(line.color)
    for run in _runs(line.points, line.period):
        places = [(frame.x(at), frame.y(value)) for at, value in _thinned(run, frame)]
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        if filled and len(places) > 1:
            base = frame.y(0)
            area = f"{places[0][0]:.1f},{base:.1f} {text} {places[-1][0]:.1f},{base:.1f}"
            parts.append(f'<polygon points="{area}" fill="{color}" fill-opacity=".85"/>')
        elif len(places) > 1:
            parts.append(f'<polyline points="{text}" stroke="{color}"/>')
        if len(places) == 1:  # nothing to draw a line to
            parts.append(
                f'<circle class="alone" cx="{places[0][0]:.1f}" cy="{places[0][1]:.1f}" r="4" fill="{color}"/>'
            )
        elif len(places) <= _MOST_DOTS and not filled:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.4" fill="{color}"/>' for x, y in places]
    return f"<g>{''.join(parts)}</g>"


def _limit(frame: Frame, limit: Limit) -> str:
    y, color = frame.y(limit.value), escape(limit.color)
    return (
        f'<line class="limit" x1="{_LEFT}" x2="{frame.width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{color}"/>'
        f'<text class="limit" x="{frame.width - _RIGHT - 2}" y="{y - 4:.1f}" style="--limit:{color}">'
        f"{escape(limit.label)}</text>"
    )


def _runs(points: Points, period: int) -> list[list[tuple[int, float]]]:
    """Datapoints without a gap between them: a line over a gap would show what nobody measured."""
    runs: list[list[tuple[int, float]]] = []
    for point in sorted(points.items()):
        if runs and point[0] - runs[-1][-1][0] <= period * 1.5:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _thinned(run: list[tuple[int, float]], frame: Frame) -> list[tuple[int, float]]:
    """As many points as can be told apart: the highest and the lowest of each place."""
    if len(run) <= _MOST_POINTS:
        return run
    places: dict[int, list[tuple[int, float]]] = {}
    for point in run:
        places.setdefault(int(frame.x(point[0])), []).append(point)
    kept = []
    for some in places.values():
        kept += sorted({max(some, key=lambda each: each[1]), min(some, key=lambda each: each[1])})
    return kept


def _stack(lines: Sequence[Line]) -> list[Line]:
    below: Points = {}
    stacked = []
    for line in lines:
        below = {at: below.get(at, 0.0) + line.points.get(at, 0.0) for at in sorted({*below, *line.points})}
        stacked.append(Line(line.label, dict(below), line.period, line.color))
    return stacked
