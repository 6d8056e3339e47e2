"""The environment of the notifier, as the infrastructure sets it. The webhook is not in it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError

from dbbackup.contract import EnvKey
from dbbackup.contract_notification import NotifyEnvKey, Successes
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.message import Contact
from dbbackup.core.problems import problems_of


class ContactSetting(BaseModel):
    """One of :attr:`NotifyEnvKey.CONTACTS`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    contact: str
    responsibility: str = ""

    def as_contact(self) -> Contact:
        """As messages take it."""
        return Contact(self.role, self.contact, self.responsibility)


class NotifyEnvironment(BaseModel):
    """What the notifier is told."""

    model_config = ConfigDict(frozen=True)

    environment: str = Field(alias=EnvKey.ENVIRONMENT.value, min_length=1)
    secret_arn: str = Field(alias=NotifyEnvKey.SECRET_ARN.value, min_length=1)
    successes: Successes = Field(default=Successes.FIRST_AFTER_FAILURE, alias=NotifyEnvKey.SUCCESSES.value)
    runbook_base_url: str | None = Field(default=None, alias=NotifyEnvKey.RUNBOOK_BASE_URL.value)
    contacts: Json[tuple[ContactSetting, ...]] = Field(default=(), alias=NotifyEnvKey.CONTACTS.value)
    queue_url: str = Field(alias=NotifyEnvKey.QUEUE_URL.value, min_length=1)
    region: str | None = Field(default=None, alias="AWS_REGION", description="set by Lambda itself")


def read_notify_environment(variables: Mapping[str, str]) -> NotifyEnvironment:
    """Read the environment.

    Raises:
        InvalidRequestError: a variable is missing or has an impossible value.
    """
    known = {EnvKey.ENVIRONMENT.value, "AWS_REGION", *(key.value for key in NotifyEnvKey)}
    try:
        return NotifyEnvironment.model_validate({name: value for name, value in variables.items() if name in known})
    except ValidationError as error:
        problems = problems_of(error, "the environment")
    raise InvalidRequestError(
        f"The notifier's environment is not complete: {problems}.",
        untouched="Nothing was sent.",
        action="Deploy the notification stack again; it sets these variables.",
    )
