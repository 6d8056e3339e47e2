"""The two events that start the notifier: messages of a topic, and lines of a log.

https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any

from dbbackup.contract_notification import Kind, killed_filter_name
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.incoming import Incoming, understood
from dbbackup.core.killed_run import killed_runs
from dbbackup.core.message_links import LogPlace


def parse_notify_event(event: object) -> list[Incoming]:
    """What there is to tell.

    Raises:
        InvalidRequestError: it is neither of the two events.
    """
    try:
        if isinstance(event, Mapping) and "awslogs" in event:
            return _lines(event["awslogs"]["data"])
        if isinstance(event, Mapping) and "Records" in event:
            return [_of_topic(record["Sns"]) for record in event["Records"]]
    except (KeyError, TypeError, AttributeError, ValueError, OSError, EOFError, binascii.Error, zlib.error) as error:
        problem = type(error).__name__
    else:
        problem = "it has neither Records nor awslogs"
    raise InvalidRequestError(
        f"This event is neither a message of a topic nor lines of a log: {problem}.",
        untouched="Nothing was sent.",
        action="The topic and the logs call this function; to try it out, publish a text to the topic.",
    )


def _of_topic(sns: Mapping[str, Any]) -> Incoming:
    return understood(str(sns["Message"]), subject=str(sns.get("Subject") or ""))


def _lines(data: str) -> list[Incoming]:
    document = json.loads(gzip.decompress(base64.b64decode(data)))
    if document["messageType"] != "DATA_MESSAGE":
        return []  # CloudWatch tries a new subscription out
    group, stream = str(document["logGroup"]), str(document["logStream"])
    lines = [(str(line["message"]), LogPlace(group, stream, int(line["timestamp"]))) for line in document["logEvents"]]
    for kind in Kind:
        if killed_filter_name(kind) in document.get("subscriptionFilters", ()):
            return list(killed_runs(kind, lines))
    return [understood(text, subject=f"A line of {group}", log=place) for text, place in lines]
