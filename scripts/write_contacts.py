"""Write docs/runbooks/contacts.md from the settings: whom to call, where a person looks who has no console at hand.

Run it after a change of `notification.contacts` in cdk.json: `.venv/bin/python scripts/write_contacts.py`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "runbooks" / "contacts.md"
COMMAND = ".venv/bin/python scripts/write_contacts.py"
ENVIRONMENT = "prod"


def contacts_of(cdk: Any, environment: str) -> list[dict[str, str]]:
    """The contacts of an environment; none where it names none."""
    found = cdk.get("context", {}).get("environments", {}).get(environment, {}).get("notification", {})
    return list(found.get("contacts") or ())


def page_of(contacts: list[dict[str, str]], environment: str) -> str:
    """The page, whole."""
    lines = [
        "# Whom to call",
        "",
        f"For the environment `{environment}`. The same people are named in every message of a failure or an alarm.",
        "",
    ]
    if contacts:
        lines += ["| Role | Contact | Called for |", "|---|---|---|"]
        lines += [
            f"| {' | '.join(_cell(each[name]) for name in ('role', 'contact', 'responsibility'))} |"
            for each in contacts
        ]
    else:
        lines += ["**Nobody is named yet**: write `notification.contacts` in `cdk.json`."]
    lines += [
        "",
        f"This page is written from `notification.contacts` in `cdk.json` by `{COMMAND}`; change it there.",
        "",
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> int:
    """Write the page."""
    try:
        page = page_of(contacts_of(json.loads((ROOT / "cdk.json").read_text()), ENVIRONMENT), ENVIRONMENT)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        sys.stderr.write(
            f"The contacts in cdk.json cannot be read: {type(problem).__name__}: {problem}. "
            f"{PAGE.relative_to(ROOT)} is as it was. `make synth` says what is wrong with the settings.\n"
        )
        return 1
    PAGE.write_text(page)
    print(f"{PAGE.relative_to(ROOT)} written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
