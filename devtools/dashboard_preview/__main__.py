"""``python -m devtools.dashboard_preview``: draw the dashboard of a synthesized template."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from devtools.dashboard_preview import Series, dashboard_body, render

_STATES = {"OK", "ALARM", "INSUFFICIENT_DATA"}


def main(arguments: list[str] | None = None) -> int:
    """Write the page; 2 where what was given can't be drawn."""
    parser = argparse.ArgumentParser(prog="python -m devtools.dashboard_preview", description=main.__doc__)
    parser.add_argument("--template", type=Path, required=True, help="template of the monitoring stack, in cdk.out")
    parser.add_argument("--data", type=Path, help="log lines with metrics in embedded metric format")
    parser.add_argument("--alarms", type=Path, help="JSON object, alarm name to OK, ALARM or INSUFFICIENT_DATA")
    parser.add_argument("--now", type=_moment, default=datetime.now(UTC), help="right end of the graphs, ISO 8601")
    parser.add_argument("--title", default="Recovery dashboard")
    parser.add_argument("--out", type=Path, required=True, help="HTML file to write")
    chosen = parser.parse_args(arguments)
    try:
        states = _states(chosen.alarms) if chosen.alarms else {}
        data = Series.from_lines(chosen.data.read_text().splitlines()) if chosen.data else Series()
        page = render(dashboard_body(chosen.template), data, chosen.now, alarms=states, title=chosen.title)
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        chosen.out.write_text(page)
    except (ValueError, OSError) as error:
        print(f"The dashboard was not drawn: {error}", file=sys.stderr)
        return 2
    print(f"{chosen.out}: {len(page) / 1024:.0f} KiB, open it in a browser")
    return 0


def _states(path: Path) -> dict[str, str]:
    found = json.loads(path.read_text())
    if not isinstance(found, dict) or not all(state in _STATES for state in found.values()):
        raise ValueError(f"{path} is not an object with {', '.join(sorted(_STATES))} by name of alarm")
    return found


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("a time needs its zone, such as 2025-01-11T14:30:00Z")
    return moment


if __name__ == "__main__":
    sys.exit(main())
