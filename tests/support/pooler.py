"""A pooler that lends sessions of a real server as PgBouncer does: for a transaction, or for as long as one stays."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from devtools.postgres import Server

_SSL_REQUEST = 80877103
_CANCEL_REQUEST = 80877102


@dataclass
class Pooler:
    """A running pooler."""

    server: Server
    port: int = 0
    transactions: bool = True
    oldest_first: bool = False
    most: int = 100
    takes_options: bool = True
    free: dict[bytes, list[socket.socket]] = field(default_factory=lambda: defaultdict(list))
    lent: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def attend(self, client: socket.socket) -> None:
        """Serve one client to its end."""
        with client, suppress(OSError, EOFError):
            startup = _startup(client)
            if startup is None:
                return
            if not self.takes_options and b"options\0" in startup:
                client.sendall(_framed(b"E", b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"))
                return
            upstream = socket.create_connection((self.server.host, self.server.port))
            upstream.sendall(startup)
            self._log_in(client, upstream)
            key = startup[startup.index(b"database") :].split(b"\0")[1]
            self._give_back(key, upstream)
            self._lend(client, key)

    def _log_in(self, client: socket.socket, upstream: socket.socket) -> None:
        """Pass everything on, but for the number of the session and the key that cancels."""
        while True:
            kind, body = _message(upstream)
            client.sendall(_framed(kind, os.urandom(len(body)) if kind == b"K" else body))
            if kind == b"Z":
                return
            if kind == b"E":
                raise EOFError
            if kind == b"R" and struct.unpack("!i", body[:4])[0] not in (0, 12):
                upstream.sendall(_framed(*_message(client)))

    def _lend(self, client: socket.socket, key: bytes) -> None:
        upstream: socket.socket | None = None
        try:
            while True:
                kind, body = _message(client)
                if kind == b"X":
                    return
                if upstream is None:
                    upstream = self._take(key)
                upstream.sendall(_framed(kind, body))
                if kind in (b"Q", b"S", b"c", b"f"):
                    answer = (b"", b"")
                    while answer[0] not in (b"Z", b"G"):
                        answer = _message(upstream)
                        client.sendall(_framed(*answer))
                    if answer == (b"Z", b"I") and self.transactions:
                        self._give_back(key, upstream)
                        upstream = None
        finally:
            if upstream is not None:
                upstream.close()
                with self.changed:
                    self.lent -= 1
                    self.changed.notify_all()

    def _take(self, key: bytes) -> socket.socket:
        with self.changed:
            self.changed.wait_for(lambda: self.free[key] and self.lent < self.most)
            self.lent += 1
            return self.free[key].pop(0 if self.oldest_first else -1)

    def _give_back(self, key: bytes, upstream: socket.socket) -> None:
        with self.changed:
            self.free[key].append(upstream)
            self.lent = max(0, self.lent - 1) if self.transactions else self.lent
            self.changed.notify_all()


def _exactly(line: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = line.recv(size - len(found))
        if not piece:
            raise EOFError
        found += piece
    return found


def _message(line: socket.socket) -> tuple[bytes, bytes]:
    kind = _exactly(line, 1)
    return kind, _exactly(line, struct.unpack("!i", _exactly(line, 4))[0] - 4)


def _framed(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _startup(client: socket.socket) -> bytes | None:
    while True:
        size = _exactly(client, 4)
        body = _exactly(client, struct.unpack("!i", size)[0] - 4)
        code = struct.unpack("!i", body[:4])[0]
        if code == _CANCEL_REQUEST:
            return None
        if code != _SSL_REQUEST:
            return size + body
        client.sendall(b"N")


@contextmanager
def start_pooler(
    server: Server,
    *,
    transactions: bool = True,
    oldest_first: bool = False,
    most: int = 100,
    takes_options: bool = True,
) -> Iterator[Pooler]:
    """Start it on a free port and stop it with the context.

    Args:
        server: whose sessions it lends.
        transactions: whether for a transaction.
        oldest_first: which of the free ones it lends first.
        most: how many it lends at once.
        takes_options: whether a connection may say settings of the session as it is made.
    """
    pooler = Pooler(
        server, transactions=transactions, oldest_first=oldest_first, most=most, takes_options=takes_options
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        pooler.port = listening.getsockname()[1]

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=pooler.attend, args=(listening.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield pooler
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            for lines in pooler.free.values():
                for line in lines:
                    line.close()
