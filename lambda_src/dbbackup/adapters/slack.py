"""Slack's incoming webhook: sends one message and does not believe that it was taken before Slack says so.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/
https://docs.slack.dev/apis/web-api/rate-limits/
"""

from __future__ import annotations

import io
import logging
import re
import ssl
import threading
import time
from collections.abc import Callable
from http.client import HTTPException, InvalidURL
from typing import IO, Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from slack_sdk.http_retry.builtin_interval_calculators import BackoffRetryIntervalCalculator
from slack_sdk.http_retry.handler import RetryHandler
from slack_sdk.http_retry.interval_calculator import RetryIntervalCalculator
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.webhook import WebhookClient, WebhookResponse

from dbbackup.core.deadline import NO_DEADLINE, Deadline
from dbbackup.core.message import Message
from dbbackup.core.retry_after import seconds_to_wait
from dbbackup.core.webhook import UndeliveredError, check_webhook

MOST_REPEATS: Final = 6
LEAST_SECONDS: Final = 0.1
"""With less left a message is not sent: whether it was taken would not be known."""
_GONE: Final = frozenset({401, 403, 404, 410})
_UNTOUCHED: Final = "What the message is about is as it was; only telling it failed."
_MUTE: Final = logging.Logger("dbbackup.slack", logging.CRITICAL + 1)
"""The library writes the URL into its log; this logger writes nothing and has no parent that would."""


class SlackWebhook:
    """One webhook.

    Args:
        url: the webhook.
        where: what to call the place it came from, in messages: the URL itself is in none.
        total_seconds: how long a message may take with all repeats, in seconds.
        attempt_seconds: how long Slack may be silent in one attempt, in seconds.
        interval: waits between attempts, where Slack names none.
        pause: waits; tests do not.
        deadline: when everything must have ended, whatever a single message may take.

    Raises:
        InvalidRequestError: this is no webhook.
    """

    def __init__(
        self,
        url: str,
        *,
        where: str,
        total_seconds: float = 40,
        attempt_seconds: float = 10,
        interval: RetryIntervalCalculator | None = None,
        pause: Callable[[float], None] = time.sleep,
        deadline: Deadline = NO_DEADLINE,
    ) -> None:
        self._url = check_webhook(url, where=where)
        self._where = where
        self._total = total_seconds
        self._attempt = attempt_seconds
        self._interval = interval or BackoffRetryIntervalCalculator(backoff_factor=1)
        self._pause = pause
        self._deadline = deadline

    def send(self, message: Message) -> None:
        """Send a message; one whose answer was lost may arrive twice, as that is better than never.

        Raises:
            UndeliveredError: Slack did not take it, within the time there is. The webhook is not in it.
        """
        ended: list[int | str] = []
        left = self._deadline.remaining()
        seconds = self._total if left is None else min(self._total, left)
        if seconds < LEAST_SECONDS:
            raise UndeliveredError(
                "A message was not sent: there was no time left to wait for Slack's answer.",
                untouched=_UNTOUCHED,
                action="The messages before it took long: look at Slack's health (slack-status.com).",
            )
        patience = _Patience(Deadline.after(seconds), self._interval, self._pause)
        # In a thread of its own: neither looking a name up nor an answer that comes drop by drop keeps to a time-out.
        worker = threading.Thread(target=lambda: ended.append(self._attempts(message, patience)), daemon=True)
        worker.start()
        worker.join(seconds)
        answer = ended[0] if ended else f"no answer in {seconds:.0f} s"
        if isinstance(answer, int) and 200 <= answer < 300:
            return
        raise UndeliveredError(
            f"Slack did not take a message by the webhook in {self._where}: {patience.describe(answer)}.",
            untouched=_UNTOUCHED,
            action=_action(answer),
        )

    def _attempts(self, message: Message, patience: _Patience) -> int | str:
        """The status that Slack answered with in the end, or the kind of error, whose text may hold the URL."""
        client = _Client(self._url, logger=_MUTE, retry_handlers=[patience])
        client.attempt_seconds, client.deadline = self._attempt, patience.deadline
        try:
            return client.send_dict(message.body()).status_code
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not be shown, and is told as undelivered
            return _kind(error)


class _NoRedirect(HTTPRedirectHandler):
    """A POST that is redirected would become a GET without its message, and then be answered with 200."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class _Client(WebhookClient):
    """The library's client, but for the one request it makes: without redirects, and without waiting for a body."""

    attempt_seconds: float
    deadline: Deadline

    def _perform_http_request_internal(self, url: str, req: Request) -> WebhookResponse:
        timeout = min(self.attempt_seconds, max(0.1, self.deadline.remaining() or 0.1))
        try:
            # The message was taken when the status says so; what follows it is not waited for.
            with build_opener(_NoRedirect()).open(req, timeout=timeout) as answer:
                return WebhookResponse(url="", status_code=answer.status, body="", headers={})
        except HTTPError as error:
            refused = error
        # The library reads the body to its end, however long that takes, and in whatever encoding it claims.
        said = _one_read(refused)
        del refused.headers["Content-Type"]
        raise HTTPError("", refused.code, "", refused.headers, io.BytesIO(said))


def _one_read(answer: HTTPError) -> bytes:
    source: IO[bytes] | None = answer.fp
    try:
        return getattr(source, "read1", lambda _: b"")(1024) or b""
    except (OSError, HTTPException):
        return b""


class _Patience(RetryHandler):
    """Decides whether and when to try again.

    In place of the handlers of the library: those do not know time-outs while reading, 502 and 504, a Retry-After
    that is a date, nor when the time is up, and wait as long as they are told to.
    """

    def __init__(self, deadline: Deadline, interval: RetryIntervalCalculator, pause: Callable[[float], None]) -> None:
        super().__init__(max_retry_count=MOST_REPEATS, interval_calculator=interval)
        self.deadline = deadline
        self._pause = pause
        self._wait = 0.0
        self._attempts = 1
        self._reason = ""

    def describe(self, answer: int | str) -> str:
        """What came of it."""
        shown = f"status {answer}" if isinstance(answer, int) else answer
        tried = f" after {self._attempts} attempts" if self._attempts > 1 else ""
        return f"{shown}{f' ({self._reason})' if self._reason else ''}{tried}"

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        self._reason = _word(response)
        if not _worth_repeating(response, error):
            return False
        asked = None
        if response is not None:
            given = {name.lower(): values for name, values in response.headers.items()}.get("retry-after")
            asked = seconds_to_wait(given[0], time.time()) if given else None
        self._wait = (
            self.interval_calculator.calculate_sleep_duration(state.current_attempt) if asked is None else asked
        )
        if self._wait < (self.deadline.remaining() or 0):
            return True
        self._reason = f"it asks to wait {self._wait:.0f} s" if asked is not None else self._reason
        return False

    def prepare_for_next_attempt(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> None:
        self._pause(self._wait)
        self._attempts += 1
        state.next_attempt_requested = True
        state.increment_current_attempt()


def _worth_repeating(response: HttpResponse | None, error: Exception | None) -> bool:
    if response is not None:
        return response.status_code in (408, 429) or response.status_code >= 500
    if isinstance(error, URLError):
        return not isinstance(error.reason, ssl.SSLCertVerificationError)
    return isinstance(error, OSError | HTTPException) and not isinstance(error, InvalidURL)


def _word(response: HttpResponse | None) -> str:
    """The word that Slack explains a refusal with, such as no_service; nothing where it is anything else."""
    body = response.data.decode(errors="replace").strip() if response is not None and response.data else ""
    return body if re.fullmatch(r"[a-z_]{1,60}", body) else ""


def _kind(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) and not isinstance(error, HTTPError) else error
    return type(reason).__name__ if isinstance(reason, BaseException) else type(error).__name__


def _action(answer: int | str) -> str:
    if answer in _GONE:
        return "The webhook was revoked, or its channel is gone: make a new one in the Slack app and put it in place."
    if answer == 400:
        return "This is a defect of the message: report it, with what the message was about."
    if answer == "SSLCertVerificationError":
        return "Something between here and Slack answers in its place; look at proxies and at this machine's clock."
    if isinstance(answer, int) and 300 <= answer < 400:
        return "This address leads somewhere else: copy the webhook from the Slack app again."
    return "Look at the network here, at a proxy, and at Slack's health (slack-status.com)."
