"""The two definitions: restore to a point in time, and make another instance production."""

from __future__ import annotations

from typing import Any, Final

from constructs_lib.pitr_states import CLIENT_ERRORS, LAMBDA_ERRORS, failed, failed_as_caught, poll, retry, task
from dbbackup.contract_pitr import PitrStep, Repeated, SwapStep

POLL_SECONDS: Final = 30


def restore_definition(*, step_arn: str, verify_arn: str, timeout_seconds: int) -> dict[str, Any]:
    """Restore, match settings, set the password, verify, seal, report; after any failure clean up and fail."""

    def step(which: PitrStep, *, then: str, result: str) -> dict[str, Any]:
        return task(step_arn, which.value, then=then, result=result, catch="CleanUp")

    def available(name: str, then: str) -> dict[str, Any]:
        look = step(PitrStep.STATUS, then="", result="status")
        return poll(name, look, then=then, seconds=POLL_SECONDS, result="status")

    return {
        "Comment": "Restores an RDS instance to a point in time beside its source, verifies it and says how it went",
        "TimeoutSeconds": timeout_seconds,
        "StartAt": "Restore",
        "States": {
            "Restore": step(PitrStep.RESTORE, then="WaitForInstance", result="restored"),
            **available("Instance", "MatchSettings"),
            "MatchSettings": step(PitrStep.MATCH_SETTINGS, then="WaitForSettings", result="matched"),
            **available("Settings", "SetPassword"),
            "SetPassword": step(PitrStep.SET_PASSWORD, then="WaitForPassword", result="password"),
            **available("Password", "Verify"),
            "Verify": task(
                verify_arn,
                "verify",
                then="Seal",
                result="verification",
                catch="CleanUp",
                # A new endpoint's name and password take a while to be known everywhere.
                retries=(retry(Repeated.CONNECTION.value, *LAMBDA_ERRORS, seconds=30, attempts=5, rate=1.5),),
            ),
            "Seal": step(PitrStep.SEAL, then="Report", result="sealed"),
            "Report": step(PitrStep.REPORT, then="Restored", result="report"),
            "Restored": {"Type": "Succeed", "OutputPath": "$.report"},
            "CleanUp": task(
                step_arn,
                PitrStep.CLEAN_UP.value,
                then="RestoreFailed",
                result="ended",
                catch="LeftBehind",
                failure="clean_up_failure",
                # RDS may refuse to delete what it has not finished creating.
                retries=(
                    retry(*CLIENT_ERRORS, seconds=60, attempts=30, rate=1.5),
                    retry(*LAMBDA_ERRORS, seconds=10, attempts=6),
                ),
            ),
            "RestoreFailed": failed("ended"),
            "LeftBehind": {
                "Type": "Pass",
                "Parameters": {
                    "error.$": "$.failure.Error",
                    "cause.$": "States.Format('The instance {} may be left behind: look at it, and delete it if it is "
                    "there. It failed with: {} -- and cleaning up failed with: {}', $.target, $.failure.Cause, "
                    "$.clean_up_failure.Cause)",
                },
                "ResultPath": "$.ended",
                "Next": "RestoreFailed",
            },
        },
    }


def swap_definition(*, swap_arn: str, timeout_seconds: int) -> dict[str, Any]:
    """Move production aside, move the other in, write it down; after any failure undo and fail."""

    def step(which: SwapStep, *, then: str, result: str, catch: str = "Undo") -> dict[str, Any]:
        return task(swap_arn, which.value, then=then, result=result, catch=catch)

    # Production is away while this is tried: rather back in two minutes than here in ten.
    brief = retry(*CLIENT_ERRORS, *LAMBDA_ERRORS, seconds=10, attempts=4)
    undo = task(swap_arn, SwapStep.UNDO.value, then="", result="undone", catch="ReportFailure", failure="undo_failure")
    return {
        "Comment": "Makes another RDS instance production by renaming both, and undoes it where it cannot finish",
        "TimeoutSeconds": timeout_seconds,
        "StartAt": "Check",
        "States": {
            "Check": step(SwapStep.CHECK, then="MoveAside", result="checked", catch="NothingRenamed"),
            "MoveAside": step(SwapStep.MOVE_ASIDE, then="WaitForAside", result="moved_aside"),
            **poll(
                "Aside",
                step(SwapStep.ASIDE_STATUS, then="", result="status"),
                then="MoveIn",
                seconds=POLL_SECONDS,
                result="status",
            ),
            "MoveIn": {**step(SwapStep.MOVE_IN, then="WaitForIn", result="moved_in"), "Retry": [brief]},
            **poll(
                "In",
                step(SwapStep.IN_STATUS, then="", result="status"),
                then="Finish",
                seconds=POLL_SECONDS,
                result="status",
            ),
            "Finish": step(SwapStep.FINISH, then="Promoted", result="report", catch="RenamedAnyway"),
            "Promoted": {"Type": "Succeed", "OutputPath": "$.report"},
            "NothingRenamed": {
                "Type": "Pass",
                "Result": {"done": True, "did": "Nothing was renamed."},
                "ResultPath": "$.undone",
                "Next": "ReportFailure",
            },
            "RenamedAnyway": {
                "Type": "Pass",
                "Result": {
                    "done": True,
                    "did": "Both instances have their new names and are available; only their tags are missing, which "
                    "a rollback reads: the runbook says how to set them.",
                },
                "ResultPath": "$.undone",
                "Next": "ReportFailure",
            },
            "Undo": {**undo, "Next": "UndoneOrNot"},
            "UndoneOrNot": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.undone.done", "BooleanEquals": True, "Next": "ReportFailure"}],
                "Default": "WaitForUndo",
            },
            "WaitForUndo": {"Type": "Wait", "Seconds": POLL_SECONDS, "Next": "Undo"},
            "ReportFailure": task(
                swap_arn,
                SwapStep.REPORT_FAILURE.value,
                then="PromotionFailed",
                result="ended",
                catch="FailedUnreported",
                failure="report_failure",
            ),
            "PromotionFailed": failed("ended"),
            "FailedUnreported": failed_as_caught("failure"),
        },
    }
