"""Tell Slack that a job of GitHub Actions failed before `dbbackup` could: its installation, its settings, its role.

    SLACK_WEBHOOK_URL=... python3 scripts/tell_slack.py "daily backup by GitHub Actions"

Runs with the standard library only, as nothing may be installed yet. The URL comes from the environment: whoever has
it can write into the channel, so it is on no command line and in no message of ours.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping

ATTEMPTS = 3
PAUSE_SECONDS = 2.0
TIMEOUT_SECONDS = 10.0


def message(what: str, environment: Mapping[str, str]) -> str:
    """What people read: what failed, where, and the way to its log."""
    repository = environment.get("GITHUB_REPOSITORY", "an unknown repository")
    server = environment.get("GITHUB_SERVER_URL", "https://github.com")
    run = environment.get("GITHUB_RUN_ID", "")
    log = f"{server}/{repository}/actions/runs/{run}" if run else f"{server}/{repository}/actions"
    # Slack reads these three as markup: https://docs.slack.dev/messaging/formatting-message-text
    plain = what.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f":rotating_light: *{plain} did not succeed* ({repository})\nThe job says why: {log}"


def send(url: str, text: str, *, pause: float = PAUSE_SECONDS) -> str | None:
    """Send it, trying again what may pass; the reason why it could not be, without the URL, or None."""
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked by the caller
        url, data=json.dumps({"text": text}).encode(), headers={"Content-Type": "application/json"}
    )
    reason = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(pause * attempt)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
                return None
        except urllib.error.HTTPError as answer:
            reason = f"it answered with status {answer.code}"
            answer.close()
            if answer.code < 500 and answer.code != 429:
                return reason  # the webhook is wrong or gone, and will be the next time, too
        except (OSError, http.client.HTTPException) as problem:
            reason = f"it could not be reached ({type(problem).__name__})"
    return reason


def main() -> int:
    """Exit status 0 if Slack took the message or nobody wants one."""
    what = sys.argv[1] if len(sys.argv) > 1 else "a job of GitHub Actions"
    url = os.environ.get("SLACK_WEBHOOK_URL", "").strip()
    if not url:
        print("SLACK_WEBHOOK_URL is not set, so Slack was not told.")
        return 0
    if urllib.parse.urlsplit(url).scheme not in ("https", "http"):
        print("❌ SLACK_WEBHOOK_URL is no URL (its value is not shown). Slack was not told.", file=sys.stderr)
        return 2
    reason = send(url, message(what, os.environ))
    if reason is not None:
        print(f"❌ Slack was not told: {reason}. The job has failed for another reason, see above.", file=sys.stderr)
        return 1
    print("Slack was told.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
