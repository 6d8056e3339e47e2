"""What the dashboard says in words: what to do first, and whom to call. Plain Markdown, as CloudWatch shows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody to call."""

    role: str
    contact: str
    responsibility: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """A command for a situation, and the runbook that goes with it."""

    situation: str
    command: str
    runbook: str


def first_aid(*, runbook_base_url: str, ways_back: Sequence[WayBack], contacts: Sequence[Contact]) -> str:
    """The panel for somebody who is looking because something is wrong."""
    base = runbook_base_url.rstrip("/")
    lines = [
        "## What to do first",
        f"1. **Something red?** Its alarm names its page: {_page(base, 'README', 'all runbooks')}.",
        "2. **Data lost or wrong?** Stop what still writes. Production is not touched by these until you say so:",
    ]
    for way in ways_back:
        lines += ["", f"**{way.situation}** ({_page(base, way.runbook, 'runbook')})", "", "```", way.command, "```"]
    if contacts:
        lines += ["", "## Whom to call", "", "| Who | How | For |", "|---|---|---|"]
        lines += [f"| {_cell(each.role)} | {_cell(each.contact)} | {_cell(each.responsibility)} |" for each in contacts]
    else:
        lines += ["", "**Nobody is named to be called:** put contacts into the settings."]
    return "\n".join(lines)


def _page(base: str, name: str, text: str) -> str:
    """A link where there is somewhere to link to; CloudWatch would lead a relative one to itself."""
    page = f"{base}/{name}.md"
    return f"[{text}]({page})" if re.match(r"https?://", page) else f"{text}: `{page}`"


def _cell(text: str) -> str:
    """One cell of a table, in which nothing is markup."""
    plain = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>|#!~])", r"\\\1", plain)
