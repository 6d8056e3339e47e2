"""The end of a rehearsal: its evidence, stored and chained, and who is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from dbbackup.contract import SERVICE
from dbbackup.core.evidence import Evidence, Stored
from dbbackup.core.pitr_errors import RehearsalFailedError
from dbbackup.core.pitr_ports import Topic
from dbbackup.core.ports import BackupStore
from dbbackup.core.rehearsal_evidence import evidence_of, problems_of, unlike_of
from dbbackup.core.units import format_seconds
from dbbackup.operations.evidence import append, read_chain
from dbbackup.operations.notification_of import rehearsed
from dbbackup.operations.pitr_end import reason_of, tell


@dataclass(frozen=True, slots=True)
class Record:
    """What an execution has come to.

    Attributes:
        state: the state of the machine.
        server: the production instance.
        databases: all that were to be rehearsed.
        target: the temporary instance.
        started: when the execution began.
        now: when its last task began.
        template_version: of what it was deployed from.
    """

    state: Mapping[str, Any]
    server: str
    databases: Sequence[str]
    target: str
    started: datetime
    now: datetime
    template_version: str | None

    def failures(self) -> list[str]:
        """What kept it from its end, and what could not be removed."""
        found = []
        if failure := self.state.get("failure"):
            reason = reason_of(failure)
            found.append(f"{reason['error']}: {reason['what']}")
        if failure := self.state.get("clean_up_failure"):
            reason = reason_of(failure)
            found.append(f"{self.target} may be left behind. {reason['error']}: {reason['what']}")
        if said := (self.state.get("gone") or {}).get("said"):
            found.append(str(said))
        return found


def store_evidence(record: Record, store: BackupStore) -> Stored:
    """Store the evidence, once for each execution.

    Raises:
        StorageError: it could not be stored.
    """
    evidence = evidence_of(
        record.state,
        server=record.server,
        databases=record.databases,
        started=record.started,
        finished=record.now,
        failures=record.failures(),
        unmatched=reason_of(record.state["unmatched"])["what"] if "unmatched" in record.state else None,
        software_version=version(SERVICE),
        template_version=record.template_version,
    )
    for stored in read_chain(store).documents:
        if _same(stored.evidence, evidence):
            return stored  # an earlier try of this task has stored it, and its answer was lost
    return append(store, evidence)


def _same(stored: Evidence, ours: Evidence) -> bool:
    # Storing may have moved the start by a second, to keep two of the same second in order.
    links = {"previous_key": None, "previous_digest": None, "started_at": ours.started_at}
    return stored.model_copy(update=links) == ours.model_copy(update=links)


def report(stored: Stored, *, location: str, topic: Topic, objective_seconds: float) -> dict[str, Any]:
    """Tell people, and say how the execution is to end; ``location`` is the URL of the evidence."""
    evidence = stored.evidence
    problems = problems_of(evidence)
    lines = [
        f"{plane.kind}: {plane.tables} tables, {plane.rows:,} rows of {plane.restored_from} in "
        f"{format_seconds(plane.recovery_seconds)} (objective {format_seconds(objective_seconds)}); the data was "
        f"{format_seconds(plane.recovery_point_age_seconds)} old."
        for plane in evidence.planes
    ]
    lines += [f"Not as {evidence.server}: {line}." for line in unlike_of(evidence)]
    subject = f"Rehearsal {'passed' if evidence.passed else 'failed'}: {evidence.database}"
    text = "\n".join([*lines, *problems, f"Evidence: {stored.key}", "Production was only read."])
    told = tell(topic, subject, text, rehearsed(stored, location))
    return {
        "passed": evidence.passed,
        "key": stored.key,
        "digest": stored.digest,
        "differences": unlike_of(evidence),
        "objective_met": all(plane.recovery_seconds <= objective_seconds for plane in evidence.planes),
        "error": "" if evidence.passed else RehearsalFailedError.code,
        "cause": " ".join(problems) or "Every check held.",
        "notification": told,
    }
