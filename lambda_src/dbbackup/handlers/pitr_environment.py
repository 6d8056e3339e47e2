"""The environment of the functions of point-in-time recovery, as the infrastructure sets it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError

from dbbackup.contract import EnvKey
from dbbackup.contract_pitr import PitrEnvKey
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.pitr_ports import WatchedTable
from dbbackup.core.problems import problems_of


class Watched(BaseModel):
    """One of :attr:`PitrEnvKey.VERIFY_TABLES`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database: str
    table: str
    timestamp_column: str

    def as_port(self) -> WatchedTable:
        """As the operations take it."""
        return WatchedTable(self.database, self.table, self.timestamp_column)


class PitrEnvironment(BaseModel):
    """What a function is told; each needs a part of it, and asks for that part with :meth:`need`."""

    model_config = ConfigDict(frozen=True)

    source: str = Field(alias=PitrEnvKey.SOURCE.value, min_length=1)
    environment: str = Field(alias=EnvKey.ENVIRONMENT.value, min_length=1)
    machine_arn: str | None = Field(default=None, alias=PitrEnvKey.MACHINE_ARN.value)
    promotion_machine_arn: str | None = Field(default=None, alias=PitrEnvKey.PROMOTION_MACHINE_ARN.value)
    topic_arn: str = Field(default="", alias=PitrEnvKey.TOPIC_ARN.value)
    time_limit_seconds: float = Field(default=6 * 3600, gt=0, alias=PitrEnvKey.TIME_LIMIT_SECONDS.value)
    rename_limit_seconds: float = Field(default=1800, gt=0, alias=PitrEnvKey.RENAME_LIMIT_SECONDS.value)
    objective_seconds: float = Field(default=7200, gt=0, alias=PitrEnvKey.OBJECTIVE_SECONDS.value)
    keep_failed: bool = Field(default=False, alias=PitrEnvKey.KEEP_FAILED.value)
    verify_tables: Json[tuple[Watched, ...]] = Field(default=(), alias=PitrEnvKey.VERIFY_TABLES.value)
    names: Json[tuple[str, ...]] = Field(default=(), alias=EnvKey.DB_NAMES.value)
    secret_arn: str | None = Field(default=None, alias=EnvKey.DB_SECRET_ARN.value)
    sslmode: str = Field(default="verify-full", alias=EnvKey.DB_SSLMODE.value)
    sslrootcert: str | None = Field(default=None, alias=EnvKey.DB_SSLROOTCERT.value)

    def need(self, value: str | None, key: str) -> str:
        """A value that this function cannot do without.

        Raises:
            InvalidRequestError: it is not set.
        """
        if not value:
            raise _incomplete(f"{key}: it is not set")
        return value


def read_pitr_environment(variables: Mapping[str, str]) -> PitrEnvironment:
    """Read the environment.

    Raises:
        InvalidRequestError: a variable is missing or has an impossible value.
    """
    known = {key.value for key in (*EnvKey, *PitrEnvKey)}
    try:
        return PitrEnvironment.model_validate({name: value for name, value in variables.items() if name in known})
    except ValidationError as error:
        problems = problems_of(error, "the environment")
    raise _incomplete(problems)


def _incomplete(problems: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"The function's environment is not complete: {problems}.",
        untouched="Nothing was restored and nothing was renamed.",
        action="Deploy the restore stack again; it sets these variables.",
    )
