"""Pieces of state machines, in Amazon States Language: a task, and a wait that looks again and again.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dbbackup.contract_pitr import PayloadField, PitrStep, Repeated

State = dict[str, Any]

LAMBDA_ERRORS: Final = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
)
"""What the Lambda service itself fails with now and then.

https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
"""
KILLED: Final = ("Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown")
"""A function was ended in the middle. Our tasks look at what is there before they act, so they may be repeated.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""
CLIENT_ERRORS: Final = (
    Repeated.THROTTLED.value,
    Repeated.INSTANCE_BUSY.value,
    Repeated.UNREACHABLE.value,
)
"""Errors of ours that end by themselves."""


def retry(*errors: str, seconds: int, attempts: int, rate: float = 2.0) -> dict[str, Any]:
    """Repeat on these errors, with pauses that grow to five minutes at most."""
    return {
        "ErrorEquals": list(errors),
        "IntervalSeconds": seconds,
        "BackoffRate": rate,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": 300,
        "JitterStrategy": "FULL",
    }


PATIENT: Final = retry(*CLIENT_ERRORS, *LAMBDA_ERRORS, *KILLED, seconds=10, attempts=6)
UNTIL_IT_TAKES_ORDERS: Final = (
    retry(*CLIENT_ERRORS, seconds=30, attempts=24),
    retry(*LAMBDA_ERRORS, *KILLED, seconds=10, attempts=6),
)
"""For an order that an instance may refuse for long: during its first backup, or while it is made."""


def task(
    function_arn: str,
    step: str,
    *,
    then: str,
    result: str,
    catch: str,
    failure: str = "failure",
    retries: Sequence[Mapping[str, Any]] = (PATIENT,),
) -> State:
    """Call a function with the step, the clock of the machine and all that is known; keep what it answers.

    Args:
        function_arn: the function.
        step: what it is to do.
        then: the next state.
        result: field of the state that its answer goes to.
        catch: the state that follows any failure.
        failure: field of the state that a failure goes to.
        retries: what is repeated before it counts as a failure.
    """
    return {
        "Type": "Task",
        "Resource": function_arn,
        "Parameters": {
            PayloadField.STEP.value: step,
            f"{PayloadField.EXECUTION.value}.$": "$$.Execution.Name",
            f"{PayloadField.EXECUTION_ARN.value}.$": "$$.Execution.Id",
            f"{PayloadField.STARTED.value}.$": "$$.Execution.StartTime",
            f"{PayloadField.NOW.value}.$": "$$.State.EnteredTime",
            f"{PayloadField.STATE.value}.$": "$",
        },
        "ResultPath": f"$.{result}",
        "Retry": [dict(each) for each in retries],
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": f"$.{failure}", "Next": catch}],
        "Next": then,
    }


def poll(name: str, look: State, *, then: str, seconds: int, result: str) -> dict[str, State]:
    """Wait, look, and wait again until it is done. How long at most is for the function to say, by failing.

    Args:
        name: what is waited for; the states are ``WaitFor<name>``, ``Is<name>`` and ``<name>OrNot``.
        look: the task that looks; where it goes next is set here.
        then: the state that follows when it is done.
        seconds: pause between two looks.
        result: field of the state with the answer's ``done``.
    """
    wait, ask, choose = f"WaitFor{name}", f"Is{name}", f"{name}OrNot"
    return {
        wait: {"Type": "Wait", "Seconds": seconds, "Next": ask},
        ask: {**look, "Next": choose},
        choose: {
            "Type": "Choice",
            "Choices": [{"Variable": f"$.{result}.done", "BooleanEquals": True, "Next": then}],
            "Default": wait,
        },
    }


def made_ready(*, step_arn: str, then: str, catch: str, seconds: int) -> dict[str, State]:
    """From an instance that is being restored to one that serves: the same states in a restore and in a rehearsal.

    Only the instance matters: whatever keeps its settings from being those of its source is kept for the report
    (``unmatched``), and the password has its turn.

    Args:
        step_arn: the function of the tasks.
        then: the state that follows.
        catch: the state that follows a failure that counts.
        seconds: pause between two looks.
    """

    def step(which: PitrStep, *, then: str = "", result: str = "status") -> State:
        return task(step_arn, which.value, then=then, result=result, catch=catch)

    match = task(
        step_arn, PitrStep.MATCH_SETTINGS.value, then="", result="matched", catch="SetPassword", failure="unmatched"
    )
    settings = poll("Settings", match, then="SetPassword", seconds=seconds, result="matched")
    settings["MatchSettings"] = settings.pop("IsSettings")
    settings["WaitForSettings"]["Next"] = "MatchSettings"
    password = step(PitrStep.SET_PASSWORD, then="WaitForPassword", result="password")
    return {
        **poll("Instance", step(PitrStep.STATUS), then="MatchSettings", seconds=seconds, result="status"),
        **settings,
        "SetPassword": {**password, "Retry": [dict(each) for each in UNTIL_IT_TAKES_ORDERS]},
        **poll("Password", step(PitrStep.STATUS), then=then, seconds=seconds, result="status"),
    }


def failed(path: str) -> State:
    """End as failed, with the reason that was found."""
    return {"Type": "Fail", "ErrorPath": f"$.{path}.error", "CausePath": f"$.{path}.cause"}


def failed_as_caught(path: str) -> State:
    """End as failed, with what was caught, as no function could put it better."""
    return {"Type": "Fail", "ErrorPath": f"$.{path}.Error", "CausePath": f"$.{path}.Cause"}
