"""Failures of point-in-time recovery. What the state machines repeat is in :class:`dbbackup.contract_pitr.Repeated`."""

from __future__ import annotations

from dbbackup.contract_pitr import Repeated
from dbbackup.core.errors import DbBackupError, InvalidRequestError


class OutsideWindowError(InvalidRequestError):
    """The time asked for is not one that the instance can be restored to."""

    code = "outside-window"


class SourceMissingError(DbBackupError):
    """There is no instance to restore from."""

    code = "source-missing"


class NotRestorableError(DbBackupError):
    """The instance is of a kind, or set up in a way, that is not restored by us."""

    code = "not-restorable"


class TargetTakenError(DbBackupError):
    """Something else has the identifier that the restored instance was to get."""

    code = "target-taken"


class InstanceFailedError(DbBackupError):
    """The instance ended in a status that it does not leave by itself."""

    code = "instance-failed"


class WaitExceededError(DbBackupError):
    """What was waited for did not happen in the time set for it."""

    code = "wait-exceeded"


class RestoredDataError(DbBackupError):
    """The restored instance does not hold what it should."""

    code = "restored-data"


class RehearsalFailedError(DbBackupError):
    """A rehearsal did not pass; its evidence says which check did not hold."""

    code = "rehearsal-failed"


class NotVerifiedError(DbBackupError):
    """The instance has not passed its verification, so it does not become production."""

    code = "not-verified"


class PromotionInProgressError(DbBackupError):
    """Another promotion or rollback of the same production instance is running."""

    code = "promotion-in-progress"
    exit_status = 75


class RenameFailedError(DbBackupError):
    """An instance could not be renamed, or is not where it should be."""

    code = "rename-failed"


class ThrottledError(DbBackupError):
    """AWS asks us to call less often; the state machine does, with growing pauses."""

    code = Repeated.THROTTLED.value


class AwsUnreachableError(DbBackupError):
    """AWS did not answer, or with a fault of its own; whether the call was carried out is not known."""

    code = Repeated.UNREACHABLE.value


class InstanceBusyError(DbBackupError):
    """The instance is changing and takes no order now; the state machine repeats it later."""

    code = Repeated.INSTANCE_BUSY.value


class InstanceMissingError(DbBackupError):
    """There is no instance of this identifier."""

    code = "instance-missing"


class AwsRefusedError(DbBackupError):
    """AWS refused a call, for a reason that a repetition does not change."""

    code = "aws-refused"


class FunctionFailedError(DbBackupError):
    """A deployed function ended with something that is no failure of ours; what it said is the message."""

    code = "function-failed"


class ExecutionFailedError(DbBackupError):
    """An execution of a state machine ended otherwise than well, and with no failure of ours."""

    code = "execution-failed"
