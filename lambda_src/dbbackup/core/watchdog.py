"""Ends work that cannot look at the clock by itself, because it waits for another program."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dbbackup.core.deadline import Deadline


@contextmanager
def at_deadline(deadline: Deadline, stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` from another thread if the deadline comes while the context is open."""
    remaining = deadline.remaining()
    if remaining is None:
        yield
        return
    timer = threading.Timer(remaining, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
