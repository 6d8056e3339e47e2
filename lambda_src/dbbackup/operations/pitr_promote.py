"""A request to promote a restored instance, or to go back: checked, and handed to the state machine that renames."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dbbackup.contract_pitr import (
    ROLE_REPLACED,
    ROLE_RESTORED,
    TAG_EXECUTION,
    TAG_REPLACED,
    TAG_RESTORED_AS,
    TAG_ROLE,
    TAG_VERIFIED,
)
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.instance_status import SETTLED, USABLE
from dbbackup.core.pitr_errors import (
    InstanceBusyError,
    InstanceMissingError,
    NotVerifiedError,
    PromotionInProgressError,
    TargetTakenError,
)
from dbbackup.core.pitr_names import aside_name, belongs_to, execution_name
from dbbackup.core.pitr_plan import tags_of
from dbbackup.core.pitr_ports import Execution, Executions, Instance, Instances
from dbbackup.core.pitr_request import PromoteRequest, RollbackRequest

UNTOUCHED: Final = "Nothing was renamed; production is as it was."
ATTEMPTS: Final = 50


@dataclass(frozen=True, slots=True)
class StartedSwap:
    """The execution that renames."""

    execution: Execution
    already: bool

    def as_dict(self) -> dict[str, Any]:
        """The answer to the request."""
        planned = self.execution.input
        status = "already-running" if self.execution.running else "already-done"
        return {
            "status": status if self.already else "started",
            "execution_arn": self.execution.arn,
            "action": planned["action"],
            "production": planned["production"],
            "becomes_production": planned["incoming"],
            "production_becomes": planned["aside"],
        }


def start_swap(
    request: PromoteRequest | RollbackRequest,
    *,
    production: str,
    instances: Instances,
    executions: Executions,
    now: datetime,
) -> StartedSwap:
    """Start the renaming that a request asks for, or find the one that was started for it.

    Raises:
        PromotionInProgressError: another renaming is under way.
        DbBackupError: it cannot be carried out; nothing was renamed.
    """
    current = _there(production, instances)
    running = executions.running()
    if running:
        asked = (_action(request), request.target or running[0].input.get("incoming"))
        if (running[0].input.get("action"), running[0].input.get("incoming")) == asked:
            return StartedSwap(running[0], already=True)
        raise in_progress(production, running[0])
    if isinstance(request, PromoteRequest):
        incoming, aside = request.target, aside_name(production, now)
    else:
        incoming, aside = _replaced_by(current, request.target, now, production, instances)
    done = is_done(current, incoming, instances)
    if done:
        aside = tags_of(current).get(TAG_REPLACED) or aside
    if not belongs_to(production, incoming):
        raise InvalidRequestError(
            f"{incoming} is not one that this system may rename: it does not begin with {production}-.",
            untouched=UNTOUCHED,
            action="Name an instance that this system restored.",
        )
    # The instance itself is part of the name: after a rollback, promoting it once more is another request.
    parts = (_action(request), incoming, str(current.get("DbiResourceId")))
    for attempt in range(1, ATTEMPTS + 1):
        name = execution_name(f"{_action(request)}-{incoming}"[:65].rstrip("-"), *parts, attempt=attempt)
        execution = executions.find(name)
        if execution is None:
            break
    else:
        raise InvalidRequestError(
            f"This request has failed {ATTEMPTS} times.", untouched=UNTOUCHED, action="Look at why it fails."
        )
    if not done:
        check_instances(_action(request), production, incoming, aside, instances=instances)
    document = {"action": _action(request), "production": production, "incoming": incoming, "aside": aside}
    return StartedSwap(executions.start(name, document), already=False)


def is_done(current: Instance, incoming: str, instances: Instances) -> bool:
    """Whether production is that instance already, renamed by an earlier request of the same kind.

    What is left to do then is to let people in: to set the password and to see that it works.
    """
    return tags_of(current).get(TAG_RESTORED_AS) == incoming and instances.find(incoming) is None


def in_progress(production: str, other: Execution) -> PromotionInProgressError:
    """The refusal of a second renaming at the same time."""
    return PromotionInProgressError(
        f"Another renaming of {production} is under way: {other.name}.",
        untouched="This request renamed nothing, and the other one goes on.",
        action="Wait for its end (`dbbackup pitr status`), look at the result, and decide anew.",
    )


def check_instances(
    action: str, production: str, incoming: str, aside: str, *, instances: Instances
) -> tuple[Instance, Instance]:
    """Production and the instance that is to replace it, if that may be.

    Raises:
        InstanceMissingError: one is not there.
        InstanceBusyError: one is not available.
        NotVerifiedError: the incoming one was not verified, or is not the one that was replaced.
        TargetTakenError: the name to move production aside to is taken.
    """
    current, coming = _there(production, instances), _there(incoming, instances)
    tags = tags_of(coming)
    if action == "promote":
        verified = tags.get(TAG_VERIFIED)
        if not verified or verified != tags.get(TAG_EXECUTION):
            raise NotVerifiedError(
                f"{incoming} has not passed the verification of this system.",
                untouched=UNTOUCHED,
                action="Wait until its execution has ended well (`dbbackup pitr status`), or restore anew.",
            )
    elif tags.get(TAG_ROLE) != ROLE_REPLACED:
        raise NotVerifiedError(
            f"{incoming} is not an instance that a promotion replaced.",
            untouched=UNTOUCHED,
            action=f"Name the one that the tag {TAG_REPLACED} of {production} names. A restored one is promoted: "
            f"dbbackup pitr promote {incoming} --confirm {production}.",
        )
    for each in (current, coming):
        if each.get("DBInstanceStatus") not in USABLE:
            raise _busy(each)
    if instances.find(aside) is not None:
        raise TargetTakenError(
            f"The name {aside}, for the present production instance, is taken.",
            untouched=UNTOUCHED,
            action="Repeat in a second, or rename or delete that instance.",
        )
    return current, coming


def check_settled(instance: Instance) -> None:
    """Refuse what takes no orders for a moment; the state machine asks again.

    Raises:
        InstanceBusyError: it does not.
    """
    if instance.get("DBInstanceStatus") not in SETTLED:
        raise _busy(instance)


def _busy(instance: Instance) -> InstanceBusyError:
    return InstanceBusyError(
        f"{instance['DBInstanceIdentifier']} is {instance.get('DBInstanceStatus')}, not available.",
        untouched=UNTOUCHED,
        action="Wait until it is available, and repeat. For a production instance that will not recover, the runbook "
        "says how to rename by hand.",
    )


def _action(request: PromoteRequest | RollbackRequest) -> str:
    return "promote" if isinstance(request, PromoteRequest) else "rollback"


def _there(identifier: str, instances: Instances) -> Instance:
    found = instances.find(identifier)
    if found is None:
        raise InstanceMissingError(
            f"There is no instance {identifier}.",
            untouched=UNTOUCHED,
            action="Check the identifier: aws rds describe-db-instances. If production itself is missing, follow "
            '"production is not there" in the runbook.',
        )
    return found


def _replaced_by(
    current: Instance, named: str | None, now: datetime, production: str, instances: Instances
) -> tuple[str, str]:
    """What a rollback brings back, and where production goes."""
    tags = tags_of(current)
    before, was = tags.get(TAG_REPLACED), tags.get(TAG_RESTORED_AS)
    if before is None and named is None:
        raise InvalidRequestError(
            f"{production} has not replaced another instance, as far as its tags tell.",
            untouched=UNTOUCHED,
            action='There is nothing to go back to; or name the instance with "target".',
        )
    other = instances.find(before) if before else None
    back = other is not None and tags_of(other).get(TAG_ROLE) == ROLE_RESTORED
    if back and was is not None and before is not None and named in (None, was):
        # The last thing that happened was this rollback: asked for once more, it is the same, and no way forward.
        return was, before
    incoming = named or before
    assert incoming is not None, "refused above"
    return incoming, was or aside_name(production, now)
