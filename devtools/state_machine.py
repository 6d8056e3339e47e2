"""Interprets the part of Amazon States Language that our state machines use, with simulated time.

Not an emulator: a state, field or function that is not listed here is refused with its name, so that nothing is
passed over in silence. Waits and pauses between retries take no time; the clock of the context object jumps.
https://states-language.net/spec.html
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

LARGEST_STATE: Final = 256 * 1024
"""Bytes that Step Functions passes on between states."""
MOST_STEPS: Final = 10_000
_COMMON = {"Type", "Comment", "Next", "End"}
_FIELDS: Final[dict[str, set[str]]] = {
    "Task": _COMMON | {"Resource", "Parameters", "InputPath", "ResultPath", "OutputPath", "Retry", "Catch"},
    "Pass": _COMMON | {"Result", "Parameters", "InputPath", "ResultPath", "OutputPath"},
    "Wait": _COMMON | {"Seconds"},
    "Choice": {"Type", "Comment", "Choices", "Default"},
    "Succeed": {"Type", "Comment", "OutputPath"},
    "Fail": {"Type", "Comment", "Error", "Cause", "ErrorPath", "CausePath"},
}
_RETRY = {"ErrorEquals", "IntervalSeconds", "BackoffRate", "MaxAttempts", "MaxDelaySeconds", "JitterStrategy"}


class TaskFailedError(Exception):
    """A task ended with an error, as Step Functions sees it: a name and a text."""

    def __init__(self, error: str, cause: str) -> None:
        self.error = error
        self.cause = cause
        super().__init__(f"{error}: {cause}")


Invoke = Callable[[str, Any], Any]
"""Calls the resource of a task with its payload; raises :class:`TaskFailedError`."""


@dataclass
class Run:
    """One execution.

    Attributes:
        status: ``RUNNING``, ``SUCCEEDED``, ``FAILED`` or ``TIMED_OUT``.
        output: what it ended with.
        error: name of the failure.
        cause: text of the failure.
        states: the states that it entered, in order.
        retries: names of states whose task was repeated, once for each repetition.
        documents: everything that passed through it: inputs, payloads and answers.
        now: its clock.
    """

    started: datetime
    now: datetime
    status: str = "RUNNING"
    output: Any = None
    error: str | None = None
    cause: str | None = None
    states: list[str] = field(default_factory=list)
    retries: list[str] = field(default_factory=list)
    documents: list[Any] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long it has taken, on its own clock."""
        return (self.now - self.started).total_seconds()


def execute(
    definition: Mapping[str, Any],
    document: Any,
    *,
    name: str,
    invoke: Invoke,
    started: datetime | None = None,
    on_state: Callable[[str, Run], None] = lambda _name, _run: None,
) -> Run:
    """Run a definition to its end.

    Args:
        definition: the state machine, all references in it resolved.
        document: input of the execution.
        name: name of the execution.
        invoke: what a task calls.
        started: the moment it begins; now, where it is not given.
        on_state: told of every state that is entered, with the run so far.

    Raises:
        ValueError: the definition has something that is not interpreted here.
    """
    begun = started or datetime.now(UTC)
    run = Run(started=begun, now=begun)
    data = _json(document)
    current: str | None = str(definition["StartAt"])
    limit = definition.get("TimeoutSeconds")
    while current is not None:
        if len(run.states) >= MOST_STEPS:
            raise ValueError(f"more than {MOST_STEPS} states: this would never end")
        state = definition["States"][current]
        _check(current, state)
        run.states.append(current)
        on_state(current, run)
        context = {
            "Execution": {"Id": _arn(name), "Name": name, "StartTime": _time(run.started), "Input": document},
            "State": {"Name": current, "EnteredTime": _time(run.now)},
        }
        current, data = _enter(current, state, data, context, run, invoke)
        run.documents.append(data)
        if limit is not None and run.seconds > limit and run.status == "RUNNING":
            run.status, current = "TIMED_OUT", None
    return run


def _enter(
    name: str, state: Mapping[str, Any], data: Any, context: Mapping[str, Any], run: Run, invoke: Invoke
) -> tuple[str | None, Any]:
    match state["Type"]:
        case "Wait":
            run.now += timedelta(seconds=state["Seconds"])
            return state["Next"], data
        case "Choice":
            return _choose(state, data), data
        case "Succeed":
            run.status, run.output = "SUCCEEDED", _read(state.get("OutputPath", "$"), data, context)
            return None, run.output
        case "Fail":
            run.status = "FAILED"
            run.error = state.get("Error") or _read(state["ErrorPath"], data, context)
            run.cause = state.get("Cause") or _read(state["CausePath"], data, context)
            return None, data
        case "Pass":
            given = _given(state, data, context)
            return _leave(state, data, state.get("Result", given), context)
        case _:
            return _task(name, state, data, context, run, invoke)


def _task(
    name: str, state: Mapping[str, Any], data: Any, context: Mapping[str, Any], run: Run, invoke: Invoke
) -> tuple[str | None, Any]:
    payload = _given(state, data, context)
    tried = [0] * len(state.get("Retry", ()))
    while True:
        run.documents.append(payload)
        try:
            return _leave(state, data, _json(invoke(state["Resource"], _json(payload))), context)
        except TaskFailedError as failure:
            pause = _pause(state.get("Retry", ()), tried, failure.error)
            if pause is not None:
                run.now += timedelta(seconds=pause)
                run.retries.append(name)
                continue
            caught = {"Error": failure.error, "Cause": failure.cause}
            for catch in state.get("Catch", ()):
                if _matches(catch["ErrorEquals"], failure.error):
                    return catch["Next"], _put(catch.get("ResultPath", "$"), data, caught)
            run.status, run.error, run.cause = "FAILED", failure.error, failure.cause
            return None, data


def _pause(retriers: list[Mapping[str, Any]], tried: list[int], error: str) -> float | None:
    """Seconds until the next try, without jitter; None where there is none."""
    for number, retrier in enumerate(retriers):
        unknown = set(retrier) - _RETRY
        if unknown:
            raise ValueError(f"not interpreted in Retry: {sorted(unknown)}")
        if _matches(retrier["ErrorEquals"], error):
            if tried[number] >= retrier.get("MaxAttempts", 3):
                return None
            pause = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** tried[number]
            tried[number] += 1
            return float(min(pause, retrier.get("MaxDelaySeconds", pause)))
    return None


def _matches(names: list[str], error: str) -> bool:
    return error in names or "States.ALL" in names


def _choose(state: Mapping[str, Any], data: Any) -> str:
    for choice in state["Choices"]:
        seen = _read(choice["Variable"], data, {}) if "Variable" in choice else None
        if set(choice) == {"Variable", "BooleanEquals", "Next"}:
            holds = seen is choice["BooleanEquals"]
        elif set(choice) == {"Variable", "StringEquals", "Next"}:
            holds = isinstance(seen, str) and seen == choice["StringEquals"]
        else:
            raise ValueError(f"not interpreted in Choices: {sorted(choice)}")
        if holds:
            return str(choice["Next"])
    return str(state["Default"])


def _given(state: Mapping[str, Any], data: Any, context: Mapping[str, Any]) -> Any:
    seen = _read(state.get("InputPath", "$"), data, context)
    if "Parameters" not in state:
        return copy.deepcopy(seen)
    return _filled(state["Parameters"], seen, context)


def _filled(template: Any, data: Any, context: Mapping[str, Any]) -> Any:
    if isinstance(template, Mapping):
        return {
            key.removesuffix(".$"): _value(text, data, context) if key.endswith(".$") else _filled(text, data, context)
            for key, text in template.items()
        }
    return template


def _value(text: str, data: Any, context: Mapping[str, Any]) -> Any:
    if not text.startswith("States."):
        return copy.deepcopy(_read(text, data, context))
    if not text.startswith("States.Format('") or not text.endswith(")"):
        raise ValueError(f"not interpreted: {text}")
    pattern, _, arguments = text.removeprefix("States.Format('").removesuffix(")").rpartition("',")
    for argument in arguments.split(","):
        pattern = pattern.replace("{}", str(_read(argument.strip(), data, context)), 1)
    return pattern


def _leave(state: Mapping[str, Any], data: Any, result: Any, context: Mapping[str, Any]) -> tuple[str | None, Any]:
    placed = _put(state.get("ResultPath", "$"), data, result)
    left = _read(state.get("OutputPath", "$"), placed, context)
    if len(json.dumps(left)) > LARGEST_STATE:
        raise ValueError("the state is larger than Step Functions passes on")
    return state.get("Next"), left


def _read(path: str, data: Any, context: Mapping[str, Any]) -> Any:
    found: Any = context if path.startswith("$$") else data
    for part in path.lstrip("$").split("."):
        if part:
            if part not in found:
                raise ValueError(f"States.Runtime: there is no {path}")
            found = found[part]
    return found


def _put(path: str | None, data: Any, result: Any) -> Any:
    if path is None:
        return data
    if path == "$":
        return result
    field_name = path.removeprefix("$.")
    if not path.startswith("$.") or "." in field_name:
        raise ValueError(f"not interpreted: ResultPath {path}")
    return {**data, field_name: result}


def _arn(execution: str) -> str:
    return f"arn:aws:states:us-east-1:123456789012:execution:local:{execution}"


def _check(name: str, state: Mapping[str, Any]) -> None:
    kind = state.get("Type")
    if kind not in _FIELDS:
        raise ValueError(f"not interpreted: {name} is of type {kind}")
    unknown = set(state) - _FIELDS[kind]
    if unknown:
        raise ValueError(f"not interpreted: {name} has {sorted(unknown)}")


def _json(document: Any) -> Any:
    return json.loads(json.dumps(document))


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
