"""What the jobs meet: a Slack that listens, and a checkout to run in."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import quick_command
from tests.workflows.job import ROOT


@dataclass
class Slack:
    """A webhook on this machine."""

    url: str = ""
    status: int = 200
    messages: list[Any] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Everything that it was told."""
        return "\n".join(json.dumps(message, ensure_ascii=False) for message in self.messages)


@pytest.fixture
def slack() -> Iterator[Slack]:
    """A webhook that takes everything."""
    heard = Slack()

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(heard.status)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    heard.url = f"http://127.0.0.1:{server.server_address[1]}/services/T0/B0/the-secret-of-the-webhook"
    yield heard
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A workspace as `actions/checkout` leaves it."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    for name in ("scripts", "lambda_src"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with the command, as its installation leaves it in PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    quick_command(folder)
    return folder
