"""The function's environment, as the infrastructure sets it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError

from dbbackup.contract import EnvKey, Tier
from dbbackup.core.compression import Method
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.object_lock import ObjectLock
from dbbackup.core.problems import problems_of


class FunctionEnvironment(BaseModel):
    """What a backup function is told about its surroundings."""

    model_config = ConfigDict(frozen=True)

    bucket: str = Field(alias=EnvKey.BUCKET.value, min_length=3)
    environment: str = Field(alias=EnvKey.ENVIRONMENT.value, min_length=1)
    compression: Method = Field(default=Method.AUTO, alias=EnvKey.COMPRESSION.value)
    compression_level: int = Field(default=9, alias=EnvKey.COMPRESSION_LEVEL.value)
    deadline_margin_seconds: float = Field(default=60, gt=0, alias=EnvKey.DEADLINE_MARGIN_SECONDS.value)
    kept_days: Json[dict[Tier, Annotated[int, Field(ge=1)]]] = Field(default={}, alias=EnvKey.KEPT_DAYS.value)
    lock: Json[ObjectLock] | None = Field(default=None, alias=EnvKey.LOCK.value)
    host: str = Field(alias=EnvKey.DB_HOST.value, min_length=1)
    port: int = Field(default=5432, ge=1, le=65535, alias=EnvKey.DB_PORT.value)
    names: tuple[str, ...] = Field(alias=EnvKey.DB_NAMES.value, min_length=1)
    instance: str | None = Field(default=None, alias=EnvKey.DB_INSTANCE.value)
    secret_arn: str = Field(alias=EnvKey.DB_SECRET_ARN.value, min_length=1)
    sslmode: str = Field(default="verify-full", alias=EnvKey.DB_SSLMODE.value)
    sslrootcert: str | None = Field(default=None, alias=EnvKey.DB_SSLROOTCERT.value)

    def database(self, named: str | None) -> str:
        """The database an event means.

        Raises:
            InvalidRequestError: it names one that this function does not back up.
        """
        if named is None:
            return self.names[0]
        if named not in self.names:
            raise InvalidRequestError(
                f"The database {named!r} is not one of those this function backs up: {', '.join(self.names)}.",
                untouched="Nothing was connected to and nothing was written.",
                action="Correct the event, or add the database to the settings and deploy.",
            )
        return named


def read_environment(variables: Mapping[str, str]) -> FunctionEnvironment:
    """Read the environment.

    Raises:
        InvalidRequestError: a variable is missing or has an impossible value.
    """
    known = {key.value for key in EnvKey}
    values: dict[str, object] = {name: value for name, value in variables.items() if name in known}
    try:
        values[EnvKey.DB_NAMES.value] = json.loads(variables.get(EnvKey.DB_NAMES.value, "null"))
        return FunctionEnvironment.model_validate(values)
    except ValidationError as error:
        problems = problems_of(error, "the environment")
    except ValueError as error:
        problems = f"{EnvKey.DB_NAMES.value} is not JSON: {error}"
    raise InvalidRequestError(
        f"The function's environment is not complete: {problems}.",
        untouched="Nothing was connected to and nothing was written.",
        action="Deploy the backup stack again; it sets these variables.",
    )
