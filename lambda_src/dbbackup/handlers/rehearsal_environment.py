"""The environment of the functions of the rehearsal, as the infrastructure sets it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError

from dbbackup.contract import EnvKey
from dbbackup.contract_rehearsal import RehearsalEnvKey
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.problems import problems_of
from dbbackup.handlers.pitr_environment import Watched
from dbbackup.operations.drill import Query
from dbbackup.operations.rehearsal_planes import QueryOf


class CheckSetting(BaseModel):
    """One of :attr:`RehearsalEnvKey.CHECKS`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database: str
    name: str
    statement: str

    def as_query(self) -> QueryOf:
        """As the operations take it."""
        return QueryOf(self.database, Query(self.name, self.statement))


class RehearsalEnvironment(BaseModel):
    """What a function is told; each needs a part of it, and asks for that part with :meth:`need`."""

    model_config = ConfigDict(frozen=True)

    source: str = Field(alias=RehearsalEnvKey.SOURCE.value, min_length=1)
    environment: str = Field(alias=EnvKey.ENVIRONMENT.value, min_length=1)
    machine_arn: str | None = Field(default=None, alias=RehearsalEnvKey.MACHINE_ARN.value)
    topic_arn: str = Field(default="", alias=RehearsalEnvKey.TOPIC_ARN.value)
    instance_class: str | None = Field(default=None, alias=RehearsalEnvKey.INSTANCE_CLASS.value)
    time_limit_seconds: float = Field(default=4 * 3600, gt=0, alias=RehearsalEnvKey.TIME_LIMIT_SECONDS.value)
    removal_limit_seconds: float = Field(default=3600, gt=0, alias=RehearsalEnvKey.REMOVAL_LIMIT_SECONDS.value)
    objective_seconds: float = Field(default=7200, gt=0, alias=RehearsalEnvKey.OBJECTIVE_SECONDS.value)
    verify_tables: Json[tuple[Watched, ...]] = Field(default=(), alias=RehearsalEnvKey.VERIFY_TABLES.value)
    checks: Json[tuple[CheckSetting, ...]] = Field(default=(), alias=RehearsalEnvKey.CHECKS.value)
    template_version: str | None = Field(default=None, alias=RehearsalEnvKey.TEMPLATE_VERSION.value)
    bucket: str | None = Field(default=None, alias=EnvKey.BUCKET.value)
    names: Json[tuple[str, ...]] = Field(default=(), alias=EnvKey.DB_NAMES.value)
    host: str | None = Field(default=None, alias=EnvKey.DB_HOST.value)
    secret_arn: str | None = Field(default=None, alias=EnvKey.DB_SECRET_ARN.value)
    sslmode: str = Field(default="verify-full", alias=EnvKey.DB_SSLMODE.value)
    sslrootcert: str | None = Field(default=None, alias=EnvKey.DB_SSLROOTCERT.value)
    deadline_margin_seconds: float = Field(default=60, gt=0, alias=EnvKey.DEADLINE_MARGIN_SECONDS.value)

    def need(self, value: str | None, key: str) -> str:
        """A value that this function cannot do without.

        Raises:
            InvalidRequestError: it is not set.
        """
        if not value:
            raise _incomplete(f"{key}: it is not set")
        return value


def read_rehearsal_environment(variables: Mapping[str, str]) -> RehearsalEnvironment:
    """Read the environment.

    Raises:
        InvalidRequestError: a variable is missing or has an impossible value.
    """
    known = {key.value for key in (*EnvKey, *RehearsalEnvKey)}
    try:
        return RehearsalEnvironment.model_validate(
            {name: value for name, value in variables.items() if name in known and value != ""}
        )
    except ValidationError as error:
        problems = problems_of(error, "the environment")
    raise _incomplete(problems)


def _incomplete(problems: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"The function's environment is not complete: {problems}.",
        untouched="Nothing was restored and nothing was removed.",
        action="Deploy the rehearsal stack again; it sets these variables.",
    )
