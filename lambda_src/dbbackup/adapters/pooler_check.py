"""Tells a session of the server's own from one that a pooler lends us for a transaction at a time."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from psycopg.rows import TupleRow

from dbbackup.core.pooler import no_second_session, transaction_pooling
from dbbackup.core.timeout_remedies import ENDED_BY_TIMEOUT

PATIENCE_SECONDS: Final = 15.0
_ROUNDS: Final = 3
_SESSION: Final = "SELECT pg_backend_pid()"
_SERVER: Final = "SELECT host(inet_server_addr()), inet_server_port()"


def refuse_transaction_pooling(
    session: psycopg.Connection[TupleRow], again: Callable[[], psycopg.Connection[TupleRow]], where: str
) -> None:
    """Refuse a connection whose server session is another one in each transaction.

    A server tells whoever connects its process number; a pooler, which has to tell cancellations apart, tells one of
    its own. Then a second connection is made: two that share a session of the server, or one that changes it, are
    lent theirs for a transaction, whichever the pooler takes first of those that are free. Nothing is changed to find
    that out, so nothing is left behind.
    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP

    Args:
        session: a connection that was just made.
        again: makes another like it.
        where: what to call it.

    Raises:
        ConnectionFailedError: it is such a one, or the pooler has no second session for us.
    """
    first = _one(session, _SESSION)[0]
    if first == session.info.backend_pid:
        return
    with again() as other:
        seen: dict[int, set[int]] = {0: {first}, 1: set()}
        for number in (0, 1, 0, 1, 1) * _ROUNDS:
            with _patient(other, where):
                seen[number].add(_one((session, other)[number], _SESSION)[0])
            if len(seen[0]) > 1 or len(seen[1]) > 1 or seen[0] & seen[1]:
                server, port = _one(session, _SERVER)
                raise transaction_pooling(where, host=session.info.host, server=server, server_port=port)


def _one(session: psycopg.Connection[TupleRow], query: str) -> Any:
    row = session.execute(query.encode()).fetchone()
    assert row is not None, "each of these gives a row"
    return row


@contextmanager
def _patient(other: psycopg.Connection[TupleRow], where: str) -> Iterator[None]:
    """Cut a connection off that waits for a session for too long."""

    def cut() -> None:
        with suppress(OSError), socket.socket(fileno=os.dup(other.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(PATIENCE_SECONDS, cut)
    timer.start()
    failure = None
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate in ENDED_BY_TIMEOUT:
            raise
        failure = no_second_session(where, PATIENCE_SECONDS)
    finally:
        timer.cancel()
        timer.join()
    if failure is not None:
        raise failure
