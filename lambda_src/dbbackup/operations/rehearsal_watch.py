"""Whether rehearsals happen, and whether they tidy up: looked at every day, as an alarm sees no further than a week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dbbackup.contract_rehearsal import LEFTOVER_HOURS, NAME_INFIX
from dbbackup.core.pitr_ports import Instance
from dbbackup.core.ports import BackupStore
from dbbackup.core.rehearsal_plan import is_temporary
from dbbackup.operations.evidence import Chain, read_chain


@dataclass(frozen=True, slots=True)
class Watch:
    """What was seen.

    Attributes:
        age_days: days since the newest rehearsal that passed; None where there is none.
        newest: key of its evidence.
        leftovers: identifiers of temporary instances older than a day.
        chain_problems: what is wrong with the evidence.
    """

    age_days: float | None
    newest: str | None
    leftovers: tuple[str, ...]
    chain_problems: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The answer of the function."""
        return {
            "age_days": self.age_days,
            "newest": self.newest,
            "leftovers": list(self.leftovers),
            "chain_problems": list(self.chain_problems),
        }


def watch(store: BackupStore, instances: Sequence[Instance], *, source: str, now: datetime) -> Watch:
    """Look at the evidence and at the instances.

    Evidence whose content does not have its digest counts as none.

    Raises:
        StorageError: the evidence cannot be read.
    """
    chain = read_chain(store)
    newest = _newest_passed(chain)
    age = None if newest is None else round((now - newest[1]).total_seconds() / 86400, 3)
    return Watch(
        age_days=None if age is None else max(0.0, age),
        newest=newest[0] if newest else None,
        leftovers=tuple(sorted(_leftovers(instances, source, now))),
        chain_problems=chain.problems,
    )


def _newest_passed(chain: Chain) -> tuple[str, datetime] | None:
    for stored in reversed(chain.documents):
        evidence = stored.evidence
        # What `dbbackup drill` leaves on a bucket is evidence of the dump plane alone.
        kinds = {plane.kind for plane in evidence.planes}
        if evidence.passed and evidence.digest() == stored.digest and kinds == {"dump", "point-in-time"}:
            return stored.key, evidence.finished_at
    return None


def _leftovers(instances: Sequence[Instance], source: str, now: datetime) -> list[str]:
    found = []
    for instance in instances:
        name, created = str(instance["DBInstanceIdentifier"]), instance.get("InstanceCreateTime")
        old = created is not None and now - created > timedelta(hours=LEFTOVER_HOURS)
        if old and name.startswith(f"{source}{NAME_INFIX}") and is_temporary(instance):
            found.append(name)
    return found
