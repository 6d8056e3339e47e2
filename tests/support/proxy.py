"""An HTTP proxy that breaks off the bodies of answers, or keeps requests waiting."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Breaking:
    """What a proxy does to answers: the bodies of some GET requests end half-way, with the connection.

    Attributes:
        before: called with verb and path of each request before it is passed on, and may take its time.
    """

    endpoint: str
    times: int
    contains: str
    ranges: list[str | None] = field(default_factory=list)
    before: Callable[[str, str], None] = lambda *_: None


@contextmanager
def breaking_proxy(upstream: str, *, times: int = 0, contains: str = ".dump") -> Iterator[Breaking]:
    """A proxy in front of an endpoint.

    Args:
        upstream: the true endpoint.
        times: how many answers are broken off.
        contains: only those to GET requests with this in their path.
    """
    true = urlsplit(upstream)
    plan = Breaking("", times, contains)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def pass_on(self) -> None:
            assert true.hostname is not None
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            plan.before(self.command, self.path)
            connection = http.client.HTTPConnection(true.hostname, true.port)
            connection.request(self.command, self.path, sent, dict(self.headers))
            answer = connection.getresponse()
            body = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "content-length", "server", "date"):
                    self.send_header(name, value)
            is_head = self.command == "HEAD"
            self.send_header("Content-Length", answer.getheader("Content-Length") or "0" if is_head else str(len(body)))
            self.end_headers()
            connection.close()
            if self.command == "GET" and plan.contains in self.path and len(body) > 1:
                plan.ranges.append(self.headers.get("Range"))
                if plan.times > 0:
                    plan.times -= 1
                    body = body[: len(body) // 2]
                    self.close_connection = True
            if not is_head:
                with suppress(BrokenPipeError):  # whoever asked has gone
                    self.wfile.write(body)

    for verb in ("GET", "PUT", "POST", "HEAD", "DELETE"):
        setattr(Handler, f"do_{verb}", Handler.pass_on)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    plan.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield plan
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
