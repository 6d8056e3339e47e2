"""Calls a deployed function, as ``aws lambda invoke`` does, and reads its answer or its failure."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any, Final

import boto3
from botocore.config import Config

from dbbackup.adapters.rds import calling
from dbbackup.core.error_codes import ERRORS
from dbbackup.core.pitr_errors import FunctionFailedError

LIMIT_SECONDS: Final = 900
"""Longest run of a function: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
MARGIN_SECONDS: Final = 30


def make_client() -> Any:
    """A Lambda client; a call that got no answer is not repeated unasked, though it would be safe."""
    return boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=75))


def make_patient_client() -> Any:
    """A Lambda client that waits as long as a function may run, 15 minutes, and asks once only.

    Networks forget a connection that is silent for some minutes (a NAT gateway after 350 s), so the system is told
    to show early that it lives; by itself it would begin after two hours. The SDK has a setting to do it, none of when.
    https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
    """
    limits = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=10,
        read_timeout=LIMIT_SECONDS + MARGIN_SECONDS,
        tcp_keepalive=True,
    )
    client: Any = boto3.client("lambda", config=limits)
    options = client._endpoint.http_session._socket_options
    for name, seconds in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 30)):
        if hasattr(socket, name):  # not every system has them
            options.append((socket.IPPROTO_TCP, getattr(socket, name), seconds))
    return client


def call(client: Any, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Call a function and wait for its answer.

    Raises:
        DbBackupError: the very failure that the function ended with, in its own words; or it could not be called.
        FunctionFailedError: it ended with something that nobody expected.
    """
    with calling("Invoke", name):
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    document: dict[str, Any] = json.loads(answer["Payload"].read() or b"{}")
    if "FunctionError" not in answer:
        return document
    code = str(document.get("errorType", "unknown"))
    said = str(document.get("errorMessage", "The function failed without a word."))
    raise ERRORS[code](said) if code in ERRORS else FunctionFailedError(f"{code}: {said}")
