"""The last resort of a job: Slack is told with nothing installed, and the webhook stays unseen."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "tell_slack.py"


@pytest.fixture
def script() -> ModuleType:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("tell_slack", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def answers() -> Iterator[tuple[str, list[int]]]:
    """A webhook and the statuses with which it answers in turn, the last one for ever; 0 hangs up."""
    statuses: list[int] = [200]

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
            if status:
                self.send_response(status)
                self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/services/hidden", statuses
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [
        ([200], None),
        ([503, 429, 200], None),
        ([0, 0, 200], None),
        ([500], "it answered with status 500"),
        ([404, 200], "it answered with status 404"),
        ([0], "it could not be reached (RemoteDisconnected)"),
    ],
)
def test_what_passes_is_tried_again_and_what_does_not_is_said(
    script: ModuleType, answers: tuple[str, list[int]], statuses: list[int], reason: str | None
) -> None:
    url, given = answers
    given[:] = statuses
    assert script.send(url, "text", pause=0.01) == reason


def test_the_message_leads_to_the_log_and_is_no_markup(script: ModuleType) -> None:
    environment = {"GITHUB_REPOSITORY": "acme/orders", "GITHUB_RUN_ID": "4711"}
    text = script.message("migration of <!channel> & more", environment)
    assert "migration of &lt;!channel&gt; &amp; more did not succeed" in text
    assert "https://github.com/acme/orders/actions/runs/4711" in text


def run(url: str | None) -> subprocess.CompletedProcess[str]:
    """Start it as a job does."""
    environment = {} if url is None else {"SLACK_WEBHOOK_URL": url}
    return subprocess.run(
        (sys.executable, "-I", SCRIPT, "daily backup"),
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_no_webhook_is_no_failure() -> None:
    done = run(None)
    assert done.returncode == 0
    assert "SLACK_WEBHOOK_URL is not set" in done.stdout


@pytest.mark.parametrize("url", ["hooks.slack.com/services/hidden", "file:///etc/hidden"])
def test_what_is_no_url_is_refused_unseen(url: str) -> None:
    done = run(url)
    assert done.returncode == 2
    assert "SLACK_WEBHOOK_URL is no URL" in done.stderr
    assert "hidden" not in done.stderr + done.stdout


def test_a_webhook_that_is_gone_is_said_and_not_shown(answers: tuple[str, list[int]]) -> None:
    url, given = answers
    given[:] = [404]
    done = run(url)
    assert done.returncode == 1
    assert "Slack was not told: it answered with status 404" in done.stderr
    assert "hidden" not in done.stderr + done.stdout
