"""Lambda's own API on a local port: it invokes the real handler in this process and answers as the service does.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Invoke = Callable[[dict[str, Any]], Any]


@dataclass
class LambdaService:
    """What was asked, and what it does with it.

    Attributes:
        invoke: the function; what it raises becomes a function error.
        endpoint: URL for ``AWS_ENDPOINT_URL_LAMBDA``.
        hang_up: whether connections end without an answer, after the invocation.
        events: every event, with the name of the function.
    """

    invoke: Invoke
    endpoint: str = ""
    hang_up: bool = False
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@contextmanager
def lambda_service(invoke: Invoke) -> Iterator[LambdaService]:
    """Serve while the context lasts."""
    service = LambdaService(invoke)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.events.append((self.path.split("/")[3], event))
            failed = False
            try:
                answer = service.invoke(event)
            except Exception as error:  # noqa: BLE001 - as Lambda does
                failed = True
                answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
            if service.hang_up:
                return
            body = json.dumps(answer).encode()
            self.send_response(200)
            if failed:
                self.send_header("X-Amz-Function-Error", "Unhandled")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        service.endpoint = f"http://127.0.0.1:{server.server_port}"
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
