"""A local stand-in for Slack's incoming webhooks: takes messages and keeps them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class LocalSlack:
    """A running stand-in."""

    url: str
    messages: list[dict[str, Any]] = field(default_factory=list)

    def texts(self) -> list[str]:
        """What a person reads of each message: its fallback text and the texts of its blocks."""
        return ["\n".join(_texts(message)) for message in self.messages]

    def wait_for(self, count: int, seconds: float = 10) -> bool:
        """Whether that many messages have come within a time."""
        give_up = time.monotonic() + seconds
        while len(self.messages) < count and time.monotonic() < give_up:
            time.sleep(0.02)
        return len(self.messages) >= count


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "text" and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from _texts(value)


@contextmanager
def start_slack() -> Iterator[LocalSlack]:
    """Start it on a free port and stop it with the context."""
    received: list[dict[str, Any]] = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(json.loads(body))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Say nothing: a webhook's path is a secret."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield LocalSlack(f"http://127.0.0.1:{server.server_port}/services/T000/B000/local", received)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
