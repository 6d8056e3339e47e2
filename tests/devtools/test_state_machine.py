"""The interpreter of state machines: what it does, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.state_machine import TaskFailedError, execute


def task(**more: Any) -> dict[str, Any]:
    """A machine with one task."""
    return {
        "StartAt": "Do",
        "States": {
            "Do": {"Type": "Task", "Resource": "f", "ResultPath": "$.result", "Next": "Done", **more},
            "Done": {"Type": "Succeed"},
            "Caught": {"Type": "Fail", "ErrorPath": "$.failure.Error", "CausePath": "$.failure.Cause"},
        },
    }


def failing(*errors: str) -> Any:
    """A function that fails with each of these, and then answers."""
    left = list(errors)

    def invoke(_resource: str, _payload: Any) -> Any:
        if left:
            raise TaskFailedError(left.pop(0), "because")
        return {"ok": True}

    return invoke


def test_an_answer_is_put_where_it_belongs() -> None:
    run = execute(task(), {"a": 1}, name="n", invoke=failing())
    assert (run.status, run.output) == ("SUCCEEDED", {"a": 1, "result": {"ok": True}})


def test_retries_pause_longer_each_time_up_to_the_limit() -> None:
    retry = {"ErrorEquals": ["Slow"], "IntervalSeconds": 10, "BackoffRate": 3, "MaxAttempts": 3, "MaxDelaySeconds": 50}
    run = execute(task(Retry=[retry]), {}, name="n", invoke=failing("Slow", "Slow", "Slow"))
    assert (run.status, run.seconds, run.retries) == ("SUCCEEDED", 10 + 30 + 50, ["Do"] * 3)
    run = execute(task(Retry=[retry]), {}, name="n", invoke=failing(*["Slow"] * 4))
    assert (run.status, run.error) == ("FAILED", "Slow")


def test_another_error_is_not_retried_but_caught() -> None:
    retry = {"ErrorEquals": ["Slow"], "MaxAttempts": 3}
    catch = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Caught"}
    run = execute(task(Retry=[retry], Catch=[catch]), {}, name="n", invoke=failing("Other"))
    assert (run.status, run.error, run.cause, run.retries) == ("FAILED", "Other", "because", [])


def test_waits_move_the_clock_and_a_machine_s_time_out_ends_it() -> None:
    states = {"Wait": {"Type": "Wait", "Seconds": 40, "Next": "Wait"}}
    run = execute({"StartAt": "Wait", "TimeoutSeconds": 100, "States": states}, {}, name="n", invoke=failing())
    assert (run.status, run.seconds) == ("TIMED_OUT", 120)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"Type": "Map", "End": True}, "of type Map"),
        ({"Type": "Task", "Resource": "f", "HeartbeatSeconds": 5, "End": True}, "HeartbeatSeconds"),
        ({"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "X"}], "Default": "X"}, "IsNull"),
        ({"Type": "Pass", "Parameters": {"a.$": "States.UUID()"}, "End": True}, "States.UUID"),
        ({"Type": "Pass", "Parameters": {"a.$": "$.missing"}, "End": True}, "there is no"),
        ({"Type": "Pass", "ResultPath": "$.a.b", "End": True}, "ResultPath"),
    ],
)
def test_what_it_does_not_know_is_refused_by_name(state: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        execute({"StartAt": "X", "States": {"X": state}}, {"a": 1}, name="n", invoke=failing())
