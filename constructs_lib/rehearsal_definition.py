"""The definition of the rehearsal: both ways back on an instance that goes whatever happens, and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from constructs_lib.pitr_states import (
    LAMBDA_ERRORS,
    UNTIL_IT_TAKES_ORDERS,
    State,
    failed,
    failed_as_caught,
    made_ready,
    poll,
    retry,
    task,
)
from dbbackup.contract_pitr import Repeated
from dbbackup.contract_rehearsal import DATABASE_FIELD, RehearsalStep, plane_result

POLL_SECONDS: Final = 30


def rehearsal_definition(
    *, step_arn: str, check_arn: str, record_arn: str, databases: Sequence[str], timeout_seconds: int
) -> dict[str, Any]:
    """Plan, restore, verify, restore each dump, clean up, record; after any failure clean up, record, and fail.

    One state for each database: each restore of a dump has the whole 15 minutes of a function.
    """

    def step(which: RehearsalStep, *, then: str, result: str) -> State:
        return task(step_arn, which.value, then=then, result=result, catch="CleanUp")

    def check(which: RehearsalStep, number: int, *, then: str) -> State:
        return task(
            check_arn,
            which.value,
            then=then,
            result=plane_result(number),
            catch="CleanUp",
            # A new endpoint's name and password take a while to be known everywhere.
            retries=(retry(Repeated.CONNECTION.value, *LAMBDA_ERRORS, seconds=30, attempts=5, rate=1.5),),
        )

    dumps: dict[str, State] = {}
    for number, database in enumerate(databases, start=1):
        then = f"RestoreDump{number + 1}" if number < len(databases) else "CleanUp"
        state = check(RehearsalStep.DUMP, number, then=then)
        dumps[f"RestoreDump{number}"] = {
            **state,
            "Parameters": {**state["Parameters"], DATABASE_FIELD: database},
        }
    # RDS may refuse to delete what it has not finished creating.
    clean_up = task(
        step_arn,
        RehearsalStep.CLEAN_UP.value,
        then="WaitForGone",
        result="cleaned_up",
        catch="Record",
        failure="clean_up_failure",
        retries=UNTIL_IT_TAKES_ORDERS,
    )
    gone = task(step_arn, RehearsalStep.GONE.value, then="", result="gone", catch="Record", failure="clean_up_failure")
    return {
        "Comment": "Rehearses both ways back on a temporary instance, removes it, and stores evidence",
        "TimeoutSeconds": timeout_seconds,
        "StartAt": "Plan",
        "States": {
            "Plan": step(RehearsalStep.PLAN, then="BeginOrNot", result="plan"),
            "BeginOrNot": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.plan.begin", "BooleanEquals": True, "Next": "Restore"}],
                "Default": "AnotherIsRunning",
            },
            "AnotherIsRunning": {"Type": "Succeed", "OutputPath": "$.plan"},
            "Restore": step(RehearsalStep.RESTORE, then="WaitForInstance", result="restored"),
            **made_ready(step_arn=step_arn, then="Verify", catch="CleanUp", seconds=POLL_SECONDS),
            "Verify": check(RehearsalStep.VERIFY, 0, then="RestoreDump1"),
            **dumps,
            "CleanUp": clean_up,
            **poll("Gone", gone, then="Record", seconds=POLL_SECONDS, result="gone"),
            "Record": task(
                record_arn,
                RehearsalStep.RECORD.value,
                then="PassedOrNot",
                result="recorded",
                catch="Unrecorded",
                failure="record_failure",
                retries=(retry(Repeated.STORAGE.value, *LAMBDA_ERRORS, seconds=10, attempts=4),),
            ),
            "PassedOrNot": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.recorded.passed", "BooleanEquals": True, "Next": "Passed"}],
                "Default": "Failed",
            },
            "Passed": {"Type": "Succeed", "OutputPath": "$.recorded"},
            "Failed": failed("recorded"),
            "Unrecorded": failed_as_caught("record_failure"),
        },
    }
