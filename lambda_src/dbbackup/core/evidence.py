"""Evidence of a rehearsal: what was restored, how long it took, what was checked; each chained to the one before.

Every document holds the digest of its predecessor and its own. One that was altered no longer has its digest, and
one that is missing leaves a successor whose predecessor is not there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from dbbackup.contract_rehearsal import EVIDENCE_PREFIX, LOCK_DAYS
from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.naming import TIME_FORMAT

PREFIX: Final = EVIDENCE_PREFIX
KEPT_DAYS: Final = LOCK_DAYS
"""Days that a document is locked in a bucket."""


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Check(_Document):
    """One thing that was looked at."""

    name: str
    expected: str
    found: str
    passed: bool


class Unlike(_Document):
    """One setting of the source that a restored instance was to have and has not."""

    setting: str
    source: str
    restored: str
    why: str | None = Field(default=None, description="what AWS said, where it refused")


class Plane(_Document):
    """One way back that was rehearsed."""

    kind: Literal["dump", "point-in-time"]
    restored_from: str = Field(description="the archive, or the instance")
    restored_into: str = Field(description="the temporary database or instance, removed afterwards")
    recovery_point: AwareDatetime = Field(description="the moment whose data was got back")
    recovery_point_age_seconds: float = Field(ge=0, description="its age when the rehearsal began: what would be lost")
    recovery_seconds: float = Field(ge=0, description="from the start of the restore to a compared database")
    tables: int = Field(ge=0)
    rows: int = Field(ge=0)
    checks: tuple[Check, ...]
    removed: bool = Field(description="whether everything temporary was removed")
    unlike: tuple[Unlike, ...] = Field(default=(), description="settings in which the instance was not as its source")

    @property
    def passed(self) -> bool:
        """Whether every check held and nothing was left behind."""
        return self.removed and all(check.passed for check in self.checks)


class Evidence(_Document):
    """One rehearsal."""

    format_version: Literal[1] = 1
    database: str = Field(description="the database, or all of them, for people")
    databases: tuple[str, ...] = Field(default=(), description="each of them, where there are several")
    server: str | None = Field(default=None, description="what to call the server that was backed up")
    started_at: AwareDatetime
    finished_at: AwareDatetime
    planes: tuple[Plane, ...]
    failure: str | None = Field(default=None, description="what kept the rehearsal from its end")
    software_version: str
    template_version: str | None = None
    previous_key: str | None = None
    previous_digest: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the database could be got back, every way that was tried."""
        return self.failure is None and bool(self.planes) and all(plane.passed for plane in self.planes)

    @property
    def names(self) -> tuple[str, ...]:
        """The databases that were rehearsed."""
        if not self.databases and self.server is None:
            return tuple(self.database.split(", "))  # of a version that wrote several in one
        return self.databases or (self.database,)

    @property
    def key(self) -> str:
        """Where the document lies: in the order of time."""
        return f"{PREFIX}rehearsal_{self.started_at.astimezone(UTC).strftime(TIME_FORMAT)}.json"

    def content(self) -> dict[str, Any]:
        """The document as JSON. A field that is younger than the format is left out where it says nothing.

        So the digest of a document that was stored before there was the field stays what it was.
        """
        unsaid = {field for field in ("databases", "server") if not getattr(self, field)}
        content = self.model_dump(mode="json", exclude=unsaid)
        for plane in content["planes"]:
            if not plane["unlike"]:
                del plane["unlike"]
        return content

    def digest(self) -> str:
        """SHA-256 of the content, in a form that does not depend on how it is written down."""
        text = json.dumps(self.content(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_bytes(self) -> bytes:
        """The document as it is stored, with its digest and its verdict."""
        stored = {**self.content(), "passed": self.passed, "digest": self.digest()}
        return json.dumps(stored, indent=2, ensure_ascii=False).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as it was found."""

    key: str
    evidence: Evidence
    digest: str
    """The digest that it says it has."""


def parse_evidence(key: str, body: bytes) -> Stored:
    """Read a stored document.

    Raises:
        VerificationFailedError: it is not one.
    """
    problem = "it is not a JSON object"
    try:
        content = json.loads(body)
        digest = content.pop("digest")
        content.pop("passed")
        return Stored(key, Evidence.model_validate(content), digest)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        problem = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        problem = f"{type(error).__name__}: {error}"
    raise VerificationFailedError(
        f"The evidence {key} cannot be read: {problem}.",
        untouched="It was only read.",
        action="Compare it with an earlier version of the object, where the store keeps them.",
    )


def chain_problems(documents: Sequence[Stored]) -> list[str]:
    """What is wrong with documents in the order of their keys: altered, missing or out of order ones.

    That the newest were removed cannot be seen from those that are left; the lock of the bucket prevents it.
    """
    problems = []
    previous: Stored | None = None
    for stored in documents:
        if stored.evidence.digest() != stored.digest:
            problems.append(f"{stored.key} was altered: its content does not have its digest")
        if stored.evidence.key != stored.key:
            problems.append(f"{stored.key} is of another time: it belongs under {stored.evidence.key}")
        expected = (previous.key, previous.digest) if previous else (None, None)
        named = (stored.evidence.previous_key, stored.evidence.previous_digest)
        if named != expected:
            before = stored.evidence.previous_key
            if before is not None and before not in {document.key for document in documents}:
                problems.append(f"{before}, the one before {stored.key}, is missing")
            else:
                problems.append(
                    f"{stored.key} follows {expected[0] or 'nothing'}, and was chained to {before or 'nothing'}"
                )
        previous = stored
    return problems


def moment_of(key: str) -> datetime | None:
    """The time in a document's key."""
    name = key.removeprefix(f"{PREFIX}rehearsal_").removesuffix(".json")
    try:
        return datetime.strptime(name, TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
