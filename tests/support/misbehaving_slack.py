"""A webhook on a real server that answers as it is told to: late, wrongly, by half, or not at all."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET_PATH = "/services/T0SECRET/B0SECRET/xoxSECRETxox"

Answer = Callable[[BaseHTTPRequestHandler], None]


def status(code: int, body: str = "", **headers: str) -> Answer:
    """An answer with a status; a header Retry_After is sent as Retry-After."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body.encode())

    return answer


OK = status(200, "ok")


def reset(handler: BaseHTTPRequestHandler) -> None:
    """The connection is reset instead of an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """The connection ends without an answer."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def silence(seconds: float) -> Answer:
    """No answer for so long."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return answer


def drop_by_drop(seconds: float) -> Answer:
    """A status line that comes a byte at a time and never ends: no read takes long enough for a time-out."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        give_up = time.monotonic() + seconds
        handler.close_connection = True
        try:
            handler.wfile.write(b"HTTP/1.1 200 O")
            while time.monotonic() < give_up:
                handler.wfile.write(b"K")
                handler.wfile.flush()
                time.sleep(0.02)
        except OSError:
            return

    return answer


def endless_body(code: int, seconds: float) -> Answer:
    """A status, and a body that does not end."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        give_up = time.monotonic() + seconds
        handler.close_connection = True
        handler.send_response(code)
        handler.send_header("Content-Type", "text/plain; charset=no-such-charset")
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        try:
            while time.monotonic() < give_up:
                handler.wfile.write(b"o")
                handler.wfile.flush()
                time.sleep(0.02)
        except OSError:
            return

    return answer


@dataclass
class MisbehavingSlack:
    """A running webhook.

    Attributes:
        url: of the webhook.
        answers: what the next requests get; when there are none left, the last once more.
        received: the messages that came, also those that were not taken.
        requests: verb and path of every request.
    """

    url: str
    answers: list[Answer]
    received: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)

    def texts(self) -> list[str]:
        """All that a person reads, message by message."""
        return [readable(message) for message in self.received]


def readable(message: dict[str, Any]) -> str:
    """A message as lines: what a person sees of its blocks."""
    lines = []
    for block in message["blocks"]:
        parts = [block["text"]] if "text" in block else []
        parts += block.get("fields", []) + block.get("elements", [])
        lines += [part["text"] for part in parts]
    return "\n".join(lines)


@contextmanager
def misbehaving_slack(*answers: Answer) -> Iterator[MisbehavingSlack]:
    """Start a webhook that gives these answers in turn."""
    slack = MisbehavingSlack("", list(answers) or [OK])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def serve(self) -> None:
            slack.requests.append((self.command, self.path))
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if body:
                slack.received.append(json.loads(body))
            answer = slack.answers.pop(0) if len(slack.answers) > 1 else slack.answers[0]
            answer(self)

    for verb in ("GET", "POST"):
        setattr(Handler, f"do_{verb}", Handler.serve)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    slack.url = f"http://127.0.0.1:{server.server_port}{SECRET_PATH}"
    try:
        yield slack
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
