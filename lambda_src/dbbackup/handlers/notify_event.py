"""The events that start the notifier: messages of a topic, lines of a log, and what was kept of either for later.

https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from dbbackup.contract_notification import Kind, killed_filter_name
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.incoming import Arrival, understood
from dbbackup.core.killed_run import KilledRun, killed_runs
from dbbackup.core.message_links import LogPlace

KEPT: Final = "requestPayload"
"""Field of a kept document with the event itself: Lambda keeps an event that failed so, and we keep it as Lambda does.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""


def parse_notify_event(event: object) -> list[Arrival]:
    """What there is to tell.

    Raises:
        InvalidRequestError: it is none of these events.
    """
    try:
        if isinstance(event, Mapping) and "awslogs" in event:
            return _lines(event["awslogs"]["data"])
        if isinstance(event, Mapping) and "Records" in event:
            return [each for record in event["Records"] for each in _of_record(record)]
    except (KeyError, TypeError, AttributeError, ValueError, OSError, EOFError, binascii.Error, zlib.error) as error:
        problem = type(error).__name__
    else:
        problem = "it has neither Records nor awslogs"
    raise InvalidRequestError(
        f"This event is neither a message of a topic nor lines of a log, and holds none of both: {problem}.",
        untouched="Nothing was sent.",
        action="The topic and the logs call this function; to try it out, publish a text to the topic.",
    )


def _of_record(record: Mapping[str, Any]) -> list[Arrival]:
    if record.get("eventSource") == "aws:sqs":
        kept = json.loads(record["body"])
        return [replace(each, late=True) for each in parse_notify_event(kept[KEPT])]
    sns = record["Sns"]
    item = understood(str(sns["Message"]), subject=str(sns.get("Subject") or ""))
    return [Arrival(item, _moment(sns.get("Timestamp")), alone={"Records": [record]})]


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _lines(data: str) -> list[Arrival]:
    document = json.loads(gzip.decompress(base64.b64decode(data)))
    if document["messageType"] != "DATA_MESSAGE":
        return []  # CloudWatch tries a new subscription out
    group, stream = str(document["logGroup"]), str(document["logStream"])
    lines = [(str(line["message"]), LogPlace(group, stream, int(line["timestamp"]))) for line in document["logEvents"]]
    for kind in Kind:
        if killed_filter_name(kind) in document.get("subscriptionFilters", ()):
            return [_killed(run, document) for run in killed_runs(kind, lines)]
    return [
        Arrival(
            understood(text, subject=f"A line of {group}", log=place),
            _time_of(place),
            alone=_of_log({**document, "logEvents": [line]}),
        )
        for line, (text, place) in zip(document["logEvents"], lines, strict=True)
    ]


def _killed(run: KilledRun, document: Mapping[str, Any]) -> Arrival:
    own = [line for line in document["logEvents"] if run.request in str(line["message"])]
    return Arrival(run, _time_of(run.log), alone=_of_log({**document, "logEvents": own}))


def _time_of(place: LogPlace) -> datetime:
    return datetime.fromtimestamp(place.milliseconds / 1000, UTC)


def _of_log(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(document).encode(), mtime=0)).decode()}}
