"""A run that Lambda ended without a word of ours: what the platform itself writes into the log, and its message.

In the text format a time-out is a line ``Task timed out``, a process that was ended a line ``Runtime exited``, and
``REPORT`` says both again; in the JSON format there is the report alone. What the handler raised is neither.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html (failures during the invoke phase)
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html (platform.report)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from dbbackup.contract_notification import Kind
from dbbackup.core.message import Block, Message, code, contacts_block, escaped, facts, header, links, paragraph
from dbbackup.core.message_links import LogPlace, log_page, runbook
from dbbackup.core.repeats import REPEATED
from dbbackup.core.work_message import Around

_TIMED_OUT: Final = re.compile(r"\S+ (?P<id>\S+) Task timed out after (?P<seconds>[\d.]+) seconds")
_EXITED: Final = re.compile(r"RequestId: (?P<id>\S+) Error: Runtime exited (?P<how>[^\n]*)")
_REPORT: Final = re.compile(
    r"REPORT RequestId: (?P<id>\S+)\s.*?Memory Size: (?P<size>\d+) MB\s+Max Memory Used: (?P<used>\d+) MB\s"
    r".*?Status: (?P<status>\w+)(?:\s+Error Type: (?P<error>\S+))?",
    re.DOTALL,
)
_ENDED: Final = frozenset({"Runtime.ExitError", "Runtime.OutOfMemory"})
"""Types of error of a process that is gone; all others were raised by code that went on to say so."""


class Cause(IntEnum):
    """What ended the run; of two lines about one run the larger is right."""

    CRASH = 1
    MEMORY = 2
    TIME = 3


@dataclass(frozen=True, slots=True)
class KilledRun:
    """One invocation that was ended.

    Attributes:
        kind: what it was doing.
        function: name of the function.
        request: number of the invocation.
        cause: what ended it.
        log: where the log says so.
    """

    kind: Kind
    function: str
    request: str
    cause: Cause
    log: LogPlace


def killed_runs(kind: Kind, lines: Iterable[tuple[str, LogPlace]]) -> list[KilledRun]:
    """The runs that these lines say were ended, each once, however many lines speak of it."""
    found: dict[str, KilledRun] = {}
    for text, place in lines:
        said = _said(text)
        if said is None:
            continue
        request, cause = said
        before = found.get(request)
        if before is None or cause > before.cause:
            function = place.group.rpartition("/")[2]
            found[request] = KilledRun(kind, function, request, cause, before.log if before else place)
    return list(found.values())


def killed_message(run: KilledRun, around: Around) -> Message:
    """The message of a run that was ended."""
    what = _WHAT[run.cause]
    title = f"❌ {run.kind.value.capitalize()} run was killed: {run.function}"
    blocks: list[Block] = [header(title), paragraph("\n".join(escaped(each) for each in (what, *_rest(run))))]
    blocks += facts(
        [
            ("Environment", escaped(around.environment, 100) if around.environment else None),
            ("Request", code(run.request)),
        ]
    )
    page = runbook(around.runbooks, run.kind, "killed") if around.runbooks else None
    blocks += links([("log", log_page(run.log, around.region)), ("runbook", page)])
    blocks += contacts_block(around.contacts)
    return Message(escaped(f"{title}: {what}", 300), tuple(blocks))


_WHAT: Final = {
    Cause.TIME: "Lambda ended it when its time was over. It gives up in order before that, unless something that it "
    "waits for does not answer.",
    Cause.MEMORY: "Lambda ended it because its memory was used up.",
    Cause.CRASH: "Its process ended without an answer.",
}
_COMMAND: Final = (
    "Do it with the command from a machine in the VPC, which has none of Lambda's limits: dbbackup restore."
)
_ACTIONS: Final = {
    (Kind.BACKUP, Cause.TIME): "See in the log what it did last: the database or S3 did not answer.",
    (Kind.BACKUP, Cause.MEMORY): "Raise backup.memory_mib in cdk.json, and deploy.",
    (Kind.BACKUP, Cause.CRASH): "See in the log what it did last.",
    (Kind.RESTORE, Cause.TIME): _COMMAND,
    (Kind.RESTORE, Cause.MEMORY): _COMMAND,
    (Kind.RESTORE, Cause.CRASH): f"See in the log what it did last. {_COMMAND}",
}


def _rest(run: KilledRun) -> tuple[str, ...]:
    action = _ACTIONS.get((run.kind, run.cause), "See in the log what it did last.")
    if run.kind is Kind.BACKUP:
        return (
            "Without a manifest nothing of it counts as a backup, and its unfinished upload is removed by the life "
            "cycle of the bucket. Earlier backups are as they were.",
            f"{action} {REPEATED}",
        )
    return (
        "The database is as it was, unless the log says that names were exchanged; a copy may lie beside it.",
        action,
    )


def _said(text: str) -> tuple[str, Cause] | None:
    if found := _TIMED_OUT.match(text):
        return found["id"], Cause.TIME
    if found := _EXITED.match(text):
        return found["id"], Cause.MEMORY if "signal: killed" in found["how"] else Cause.CRASH
    if found := _REPORT.match(text):
        return _reported(found["id"], found["status"], found["error"], full=int(found["used"]) >= int(found["size"]))
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return _of_json(document) if isinstance(document, dict) and document.get("type") == "platform.report" else None


def _of_json(document: Mapping[str, Any]) -> tuple[str, Cause] | None:
    record = document.get("record")
    if not isinstance(record, dict):
        return None
    metrics = record.get("metrics")
    used, size = (metrics.get(name) for name in ("maxMemoryUsedMB", "memorySizeMB")) if metrics else (None, None)
    full = isinstance(used, int | float) and isinstance(size, int | float) and used >= size
    return _reported(str(record.get("requestId")), str(record.get("status")), record.get("errorType"), full=full)


def _reported(request: str, status: str, error: str | None, *, full: bool) -> tuple[str, Cause] | None:
    if status == "timeout":
        return request, Cause.TIME
    if error not in _ENDED:
        return None
    return request, Cause.MEMORY if full or error == "Runtime.OutOfMemory" else Cause.CRASH
