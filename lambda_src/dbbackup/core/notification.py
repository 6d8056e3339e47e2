"""What there is to tell when work has ended: one document, whoever carries it and whoever reads it."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from dbbackup.contract import Tier
from dbbackup.contract_notification import Kind, Outcome
from dbbackup.core.errors import Explained
from dbbackup.core.manifest import Manifest


class Failure(BaseModel):
    """Why something failed, in the words of its error."""

    model_config = ConfigDict(frozen=True)

    error: str
    what: str
    untouched: str = ""
    action: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """The failure of an exception; of one that nobody expected, its type alone: its text may hold anything."""
        if isinstance(error, Explained):
            return cls(**error.as_dict())
        return cls(error="unexpected", what=f"{type(error).__name__}, which nobody expected. The log has the rest.")


class Notification(BaseModel):
    """One end of one piece of work.

    What is not known, or does not apply, is None. Sizes are in bytes, durations in seconds.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    outcome: Outcome
    at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    started_at: AwareDatetime | None = Field(
        default=None, description="when the run began, no later than it was counted"
    )
    due_at: AwareDatetime | None = Field(default=None, description="when a schedule asked for it")
    environment: str | None = None
    database: str | None = None
    instance: str | None = None
    host: str | None = Field(default=None, description="machine of a local run")
    server: str | None = Field(default=None, description="what to call the server of the database")
    tier: Tier | None = None
    location: str | None = Field(default=None, description="URL or path of the archive or evidence")
    size_bytes: int | None = None
    database_size_bytes: int | None = None
    duration_seconds: float | None = None
    dump_seconds: float | None = None
    rows: int | None = None
    tables: int | None = None
    recovery_point: AwareDatetime | None = None
    execution: str | None = Field(default=None, description="ARN of the execution of a state machine that did it")
    previous_size_bytes: int | None = Field(default=None, description="of the backup before it, of the same tier")
    previous_at: AwareDatetime | None = Field(default=None, description="when the backup before it was finished")
    repeated: bool = Field(default=False, description="the backup had been made already by an earlier run")
    headline: str | None = Field(default=None, description="one line, where the fields above do not say it")
    details: tuple[str, ...] = Field(default=(), description="further lines")
    failure: Failure | None = None

    @property
    def size_ratio(self) -> float | None:
        """Size by the previous size."""
        if self.size_bytes is None or not self.previous_size_bytes:
            return None
        return self.size_bytes / self.previous_size_bytes

    @classmethod
    def of_backup(
        cls,
        manifest: Manifest,
        *,
        location: str,
        duration_seconds: float,
        started_at: datetime | None = None,
        environment: str | None = None,
        previous: Manifest | None = None,
        repeated: bool = False,
    ) -> Notification:
        """A verified backup."""
        return cls(
            kind=Kind.BACKUP,
            outcome=Outcome.SUCCEEDED,
            started_at=started_at,
            environment=environment,
            database=manifest.source.database,
            instance=manifest.source.instance,
            server=manifest.source.server,
            tier=manifest.tier,
            location=location,
            size_bytes=manifest.archive.size_bytes,
            database_size_bytes=manifest.source.database_size_bytes,
            duration_seconds=duration_seconds,
            dump_seconds=manifest.dump_seconds,
            rows=manifest.total_rows,
            tables=len(manifest.tables),
            recovery_point=manifest.snapshot_at,
            previous_size_bytes=previous.archive.size_bytes if previous else None,
            previous_at=previous.finished_at if previous else None,
            repeated=repeated,
        )
