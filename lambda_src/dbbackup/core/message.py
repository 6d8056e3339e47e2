"""A message as Slack takes it: blocks, and one line of text for where blocks are not shown.

Everything that comes from elsewhere goes through :func:`escaped` or :func:`code`, so that no database, error or alarm
can call a channel together, open a link or break a message.

https://docs.slack.dev/messaging/formatting-message-text/
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dbbackup.core.units import format_time

# https://docs.slack.dev/reference/block-kit/blocks/
LONGEST_HEADER: Final = 150
LONGEST_SECTION: Final = 3000
LONGEST_FIELD: Final = 2000
MOST_FIELDS: Final = 10
MOST_CONTACTS: Final = 10
LONGEST_TEXT: Final = 1500
"""Of one text from elsewhere: all blocks together may have some 13,000 characters."""
_CALLS: Final = re.compile(r"@(?=(?:channel|here|everyone|group)\b)", re.IGNORECASE)

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to call, and for what."""

    role: str
    contact: str
    responsibility: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        text: one line, shown by telephones and screen readers.
        blocks: what everybody else sees.
    """

    text: str
    blocks: tuple[Block, ...]

    def body(self) -> dict[str, Any]:
        """The document that a webhook is sent. Names in it are nobody's: Slack is told to look for none."""
        return {
            "text": self.text,
            "blocks": list(self.blocks),
            "link_names": False,
            "parse": "none",
            "unfurl_links": False,
            "unfurl_media": False,
        }


def shortened(text: str, limit: int) -> str:
    """The text, cut with an ellipsis where it is longer than that many characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def plain(text: str) -> str:
    """A text that calls nobody, for where Slack reads no markup."""
    return _CALLS.sub("@\u2060", text)


def escaped(text: str, limit: int = LONGEST_TEXT) -> str:
    """A text that Slack shows as it is. Cut before it is escaped, so that no escape is cut in two."""
    cut = plain(shortened(text, limit))
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    """A name, set as one, whatever signs it has."""
    return f"`{escaped(' '.join(text.split()), 300).replace('`', 'ˋ')}`"


def link(url: str, label: str) -> str:
    """A link, or its words alone where this is no address that a browser opens."""
    if not re.match(r"https?://", url):
        return f"{escaped(label)}: {code(url)}"
    safe = url.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C").replace(" ", "%20")
    return f"<{safe}|{escaped(label)}>"


def header(text: str) -> Block:
    """The line on top, in large letters."""
    shown = shortened(plain(" ".join(text.split())), LONGEST_HEADER)
    return {"type": "header", "text": {"type": "plain_text", "text": shown, "emoji": True}}


def paragraph(markup: str) -> Block:
    """A text of ours with what is escaped already."""
    return {"type": "section", "text": _markup(shortened(markup, LONGEST_SECTION))}


def facts(pairs: Iterable[tuple[str, str | None]]) -> list[Block]:
    """Names and values in two columns; what has no value is left out."""
    known = [f"*{name}*\n{value}" for name, value in pairs if value]
    return [
        {
            "type": "section",
            "fields": [_markup(shortened(each, LONGEST_FIELD)) for each in known[at : at + MOST_FIELDS]],
        }
        for at in range(0, len(known), MOST_FIELDS)
    ]


def links(pairs: Iterable[tuple[str, str | None]]) -> list[Block]:
    """Where to go on reading: labels and addresses."""
    shown = [link(url, label) for label, url in pairs if url]
    return [_small("  ·  ".join(shown))] if shown else []


def contacts_block(contacts: Iterable[Contact]) -> list[Block]:
    """Whom to call."""
    lines = [
        f"{escaped(each.role, 100)}: {escaped(each.contact, 200)}"
        + (f" ({escaped(each.responsibility, 200)})" if each.responsibility else "")
        for each in contacts
    ][:MOST_CONTACTS]
    return [paragraph("\n".join(["☎️ *Whom to call*", *lines]))] if lines else []


def delayed(message: Message, said_at: datetime | None) -> Message:
    """A message that could not be sent in time: whoever reads it must not take it for news."""
    when = f" {format_time(said_at)}" if said_at else ""
    mark = _small(f"⏳ *Delayed:*{when or ' said some time ago'}; it could not be sent before, and may be over.")
    return Message(shortened(f"⏳ Delayed{when}: {message.text}", LONGEST_TEXT), (mark, *message.blocks))


def _small(markup: str) -> Block:
    return {"type": "context", "elements": [_markup(shortened(markup, LONGEST_SECTION))]}


def _markup(text: str) -> dict[str, Any]:
    # Verbatim: Slack makes no links and no mentions of what merely looks like one.
    return {"type": "mrkdwn", "text": text, "verbatim": True}
