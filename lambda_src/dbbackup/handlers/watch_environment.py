"""The environment of the probe, as the infrastructure sets it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError

from dbbackup.contract import EnvKey
from dbbackup.contract_watch import WatchEnvKey
from dbbackup.core.alert_rehearsal import AlertRehearsal
from dbbackup.core.declared import Declared
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.problems import problems_of
from dbbackup.operations.watch import WatchOrder


class WatchEnvironment(BaseModel):
    """What the probe is told."""

    model_config = ConfigDict(frozen=True)

    bucket: str = Field(alias=EnvKey.BUCKET.value, min_length=3)
    environment: str = Field(alias=EnvKey.ENVIRONMENT.value, min_length=1)
    names: Json[Annotated[tuple[str, ...], Field(min_length=1)]] = Field(alias=EnvKey.DB_NAMES.value)
    instance: str = Field(alias=WatchEnvKey.INSTANCE.value, min_length=1)
    declared: Json[Declared] = Field(default=Declared(), alias=WatchEnvKey.DECLARED.value)
    rehearsal: Json[AlertRehearsal] | None = Field(default=None, alias=WatchEnvKey.ALERT_REHEARSAL.value)

    def order(self, now: datetime) -> WatchOrder:
        """What to look for at this moment."""
        return WatchOrder(
            instance=self.instance, databases=self.names, declared=self.declared, rehearsal=self.rehearsal, now=now
        )


def read_watch_environment(variables: Mapping[str, str]) -> WatchEnvironment:
    """Read the environment.

    Raises:
        InvalidRequestError: a variable is missing or has an impossible value.
    """
    known = {key.value for key in (*EnvKey, *WatchEnvKey)}
    try:
        return WatchEnvironment.model_validate(
            {name: value for name, value in variables.items() if name in known and value != ""}
        )
    except ValidationError as error:
        problems = problems_of(error, "the environment")
    raise InvalidRequestError(
        f"The function's environment is not complete: {problems}.",
        untouched="Nothing was looked at and nothing was changed.",
        action="Deploy the monitoring stack again; it sets these variables.",
    )
