"""The two definitions: restore to a point in time, and make another instance production."""

from __future__ import annotations

from typing import Any, Final

from constructs_lib.pitr_states import (
    CLIENT_ERRORS,
    KILLED,
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
from dbbackup.contract_pitr import PitrStep, Repeated, SwapStep, VerifyStep

POLL_SECONDS: Final = 30


def restore_definition(*, step_arn: str, verify_arn: str, timeout_seconds: int) -> dict[str, Any]:
    """Restore, match settings, set the password, verify, seal, report; after a failure clean up and fail.

    What the instance could not be given on the side is no failure: it is in the report.
    """

    def step(which: PitrStep, *, then: str, result: str) -> dict[str, Any]:
        return task(step_arn, which.value, then=then, result=result, catch="CleanUp")

    return {
        "Comment": "Restores an RDS instance to a point in time beside its source, verifies it and says how it went",
        "TimeoutSeconds": timeout_seconds,
        "StartAt": "Restore",
        "States": {
            "Restore": step(PitrStep.RESTORE, then="WaitForInstance", result="restored"),
            **made_ready(step_arn=step_arn, then="Verify", catch="CleanUp", seconds=POLL_SECONDS),
            "Verify": task(
                verify_arn,
                VerifyStep.VERIFY.value,
                then="Seal",
                result="verification",
                catch="CleanUp",
                # A new endpoint's name and password take a while to be known everywhere.
                retries=(retry(Repeated.CONNECTION.value, *LAMBDA_ERRORS, seconds=30, attempts=5, rate=1.5),),
            ),
            "Seal": step(PitrStep.SEAL, then="Protect", result="sealed"),
            "Protect": task(
                step_arn,
                PitrStep.PROTECT.value,
                then="Report",
                result="protected",
                catch="Report",
                failure="unprotected",
            ),
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
                retries=UNTIL_IT_TAKES_ORDERS,
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


def _renamed(how: str) -> State:
    """For the message of a failure that is not undone."""
    did = {"done": True, "did": f"Both instances have their new names, {how}"}
    return {"Type": "Pass", "Result": did, "ResultPath": "$.undone", "Next": "ReportFailure"}


def swap_definition(*, swap_arn: str, verify_arn: str, timeout_seconds: int) -> dict[str, Any]:
    """Set the password, log in, move production aside, move the other in, log in; after a failure undo and fail."""

    def step(which: SwapStep, *, then: str, result: str, catch: str = "Undo") -> dict[str, Any]:
        return task(swap_arn, which.value, then=then, result=result, catch=catch)

    def wait(name: str, which: SwapStep, *, then: str, catch: str = "Undo") -> dict[str, Any]:
        look = step(which, then="", result="status", catch=catch)
        return poll(name, look, then=then, seconds=POLL_SECONDS, result="status")

    def log_in(then: str, catch: str) -> State:
        return task(
            verify_arn,
            VerifyStep.LOG_IN.value,
            then=then,
            result="logged_in",
            catch=catch,
            # A new endpoint's name and password take a while to be known everywhere.
            retries=(retry(Repeated.CONNECTION.value, *LAMBDA_ERRORS, seconds=30, attempts=5, rate=1.5),),
        )

    def set_password(then: str, catch: str) -> State:
        return step(SwapStep.SET_PASSWORD, then=then, result="password", catch=catch)

    # Production is away while this is tried: rather back in two minutes than here in ten.
    brief = retry(*CLIENT_ERRORS, *LAMBDA_ERRORS, *KILLED, seconds=10, attempts=4)
    undo = task(swap_arn, SwapStep.UNDO.value, then="", result="undone", catch="ReportFailure", failure="undo_failure")
    return {
        "Comment": "Makes another RDS instance production by renaming both, and undoes it where it cannot finish",
        "TimeoutSeconds": timeout_seconds,
        "StartAt": "Check",
        "States": {
            "Check": step(SwapStep.CHECK, then="SetPassword", result="checked", catch="NothingRenamed"),
            # Before anything is renamed: what cannot be logged in to does not become production.
            "SetPassword": set_password("WaitForPassword", "NothingRenamed"),
            **wait("Password", SwapStep.PASSWORD_STATUS, then="LogIn", catch="NothingRenamed"),
            "LogIn": log_in("RenameOrNot", "NothingRenamed"),
            "RenameOrNot": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.checked.renamed", "BooleanEquals": True, "Next": "Mark"}],
                "Default": "MoveAside",
            },
            "MoveAside": step(SwapStep.MOVE_ASIDE, then="WaitForAside", result="moved_aside"),
            **wait("Aside", SwapStep.ASIDE_STATUS, then="MoveIn"),
            "MoveIn": {**step(SwapStep.MOVE_IN, then="WaitForIn", result="moved_in"), "Retry": [brief]},
            **wait("In", SwapStep.IN_STATUS, then="Mark"),
            "Mark": step(SwapStep.MARK, then="LogInAsProduction", result="marked", catch="RenamedAnyway"),
            # The secret may have been rotated meanwhile, which changed the password of the instance before.
            "LogInAsProduction": log_in("Finish", "SetPasswordAgain"),
            "SetPasswordAgain": set_password("WaitForPasswordAgain", "NobodyGetsIn"),
            **wait("PasswordAgain", SwapStep.PASSWORD_STATUS, then="LogInOnceMore", catch="NobodyGetsIn"),
            "LogInOnceMore": log_in("Finish", "NobodyGetsIn"),
            "Finish": step(SwapStep.FINISH, then="Promoted", result="report", catch="Unreported"),
            "Promoted": {"Type": "Succeed", "OutputPath": "$.report"},
            "NobodyGetsIn": _renamed(
                "but nobody could log in with the secret: ask for the same once more, which sets "
                "the password and tries again."
            ),
            "Unreported": _renamed("and a log-in succeeded; only the report of it failed."),
            "NothingRenamed": {
                "Type": "Pass",
                "Result": {"done": True, "did": "Nothing was renamed."},
                "ResultPath": "$.undone",
                "Next": "ReportFailure",
            },
            "RenamedAnyway": _renamed(
                "and are available; only their tags are missing, which a rollback reads: the runbook "
                "says how to set them."
            ),
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
