"""The page around the widgets: one file, nothing loaded from anywhere, no script."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from devtools.dashboard_preview.series import Series
from devtools.dashboard_preview.widgets import GAP_PIXELS, ROW_PIXELS, Context, widget

_STYLE = Path(__file__).with_name("page.css")


def render(
    body: Mapping[str, Any],
    data: Series,
    now: datetime,
    *,
    alarms: Mapping[str, str] | None = None,
    title: str = "Recovery dashboard",
) -> str:
    """A dashboard as one HTML page.

    Args:
        body: what CloudWatch gets as DashboardBody, parsed.
        data: datapoints.
        now: right end of every graph, with a zone.
        alarms: states by name, ``OK``, ``ALARM`` or ``INSUFFICIENT_DATA``; an alarm that is not named shows as such.
        title: name of the dashboard.

    Raises:
        ValueError: the body has something that is not drawn here; it says what.
    """
    context = Context(data, alarms or {}, str(body.get("start", "-PT3H")), now)
    widgets = "".join(widget(found, context) for found in body["widgets"])
    moment = now.astimezone(UTC)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE.read_text()}:root{{--row:{ROW_PIXELS}px;--gap:{GAP_PIXELS}px}}</style></head><body>"
        f"<header><h1>{escape(title)}</h1><p>{moment:%A %d %B %Y, %H:%M} UTC. Drawn from the synthesized template and "
        "the metrics that the functions printed; in AWS, CloudWatch draws it.</p></header>"
        f"<main>{widgets}</main></body></html>\n"
    )
