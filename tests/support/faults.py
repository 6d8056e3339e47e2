"""Faults for the path to S3 and for the run of a dump."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from dbbackup.adapters import s3_store
from dbbackup.core.ports import Progress

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ALWAYS = 10**6


class Raw:
    """The body of an answer."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: Any, **__: Any) -> bytes:
        return self._body


@dataclass
class Refusing:
    """An S3 client whose calls of one operation are answered with an error some times, in place of being sent."""

    operation: str
    status: int
    code: str
    times: int
    calls: int = 0
    client: S3Client = field(default_factory=s3_store.make_client)
    only: Callable[[str], bool] = lambda _: True

    def __post_init__(self) -> None:
        intercept(self.client, self.operation, self._answer)

    def _answer(self, request: Any, **_: Any) -> AWSResponse | None:
        if not self.only(request.url):
            return None
        self.calls += 1
        return refusal(request, self.status, self.code) if self.calls <= self.times else None


def intercept(client: S3Client, operation: str, answer: Callable[..., AWSResponse | None]) -> None:
    """Have requests of one operation answered by us; None lets one through."""
    register: Callable[..., None] = client.meta.events.register
    register(f"before-send.s3.{operation}", answer)


def refusal(request: Any, status: int, code: str) -> AWSResponse:
    """What S3 answers to a request that it does not carry out."""
    body = f"<Error><Code>{code}</Code><Message>injected</Message></Error>".encode()
    raw: Any = Raw(b"" if request.method == "HEAD" else body)
    return AWSResponse(request.url, status, HTTPHeaders(), raw)


def at_first_bytes(act: Callable[[], None]) -> Callable[[Progress], None]:
    """A listener that acts once, when the first bytes of the dump have been stored."""
    done: list[bool] = []

    def listener(progress: Progress) -> None:
        if progress.phase == "dump" and progress.bytes_done and not done:
            done.append(True)
            act()

    return listener


def dump_process() -> psutil.Process:
    """The pg_dump that our process has started."""
    (found,) = [
        child
        for child in psutil.Process().children()
        if child.name() == "pg_dump" and child.status() != psutil.STATUS_ZOMBIE
    ]
    return found


def wait_for(what: Callable[[], object], *, seconds: float = 60) -> None:
    """Look until something holds."""
    give_up = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(0.01)


@contextmanager
def quick_retries() -> Iterator[None]:
    """Leave out the SDK's pauses between tries; the tries themselves stay."""
    import botocore.retries.standard as standard

    real = standard.ExponentialBackoff.delay_amount
    standard.ExponentialBackoff.delay_amount = lambda *_: 0  # type: ignore[method-assign]
    try:
        yield
    finally:
        standard.ExponentialBackoff.delay_amount = real  # type: ignore[method-assign]
