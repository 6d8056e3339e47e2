"""Settings of who is told, besides the addresses that receive e-mail, and of who is to be called."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from stacks.settings.base import Group
from stacks.settings.names import KeyArn, SecretArn
from stacks.settings.refusal import accepted_by, refuse

MOST_CONTACTS: Final = 10


def _no_webhook(value: object) -> object:
    if isinstance(value, str) and "://" in value:
        # Not shown: whoever has a webhook can post.
        raise refuse(
            value="(a URL, not shown)",
            rule="the ARN of a secret: a webhook is a secret itself and does not belong into cdk.json",
            fix="leave it out, deploy, and put the webhook into the secret that the stack makes; and make a new "
            "webhook, as this one may be in the history of the repository",
        )
    return value


def _line_rule(longest: int, text: str) -> str | None:
    if not text.strip() or not text.isprintable() or len(text) > longest:
        return f"one line of 1 to {longest} characters that can be seen"
    if "hooks.slack.com" in text:
        return "this is a webhook, which is a secret and not a contact"
    return None


class ContactSettings(Group):
    """Whom to call, and for what."""

    role: Annotated[str, accepted_by(lambda text: _line_rule(60, text), fix="write for example DB Admin")] = Field(
        description="who it is, for example DB Admin"
    )
    contact: Annotated[
        str, accepted_by(lambda text: _line_rule(120, text), fix="write an address, a number or a channel")
    ] = Field(description="how to reach them: an address, a telephone number, a channel")
    responsibility: Annotated[
        str, accepted_by(lambda text: _line_rule(120, text), fix="write for example schema and restores")
    ] = Field(description="what they are called for")


class SlackSettings(Group):
    """The channel that messages go to."""

    secret_arn: Annotated[SecretArn | None, BeforeValidator(_no_webhook)] = Field(
        default=None, description="secret with the webhook; leave out to have an empty one made"
    )
    secret_key_arn: KeyArn | None = Field(default=None, description="key of that secret, if it has one of yours")
    successes: Literal["all", "first-after-failure", "none"] = Field(
        default="first-after-failure", description="which verified backups are told; failures always are"
    )

    @model_validator(mode="after")
    def _key_of_a_secret(self) -> Self:
        if self.secret_key_arn is not None and self.secret_arn is None:
            raise refuse(
                at="secret_key_arn",
                value=self.secret_key_arn,
                rule="the key of a secret that is named here; the one that is made has the key of the topic",
                fix="name the secret in secret_arn, or leave the key out",
            )
        return self


class NotificationSettings(Group):
    """Who is told."""

    slack: SlackSettings | None = Field(default=None, description="Slack; leave out for e-mail alone")
    contacts: tuple[ContactSettings, ...] = Field(
        default=(), strict=False, description="whom to call; shown with every failure and alarm"
    )

    @model_validator(mode="after")
    def _contacts_are_few(self) -> Self:
        if len(self.contacts) > MOST_CONTACTS:
            raise refuse(
                at="contacts",
                value=f"{len(self.contacts)} contacts",
                rule=f"up to {MOST_CONTACTS}: nobody reads more in an emergency",
                fix="keep those who are called first",
            )
        seen = set()
        for number, each in enumerate(self.contacts):
            if (each.role, each.contact) in seen:
                raise refuse(
                    at=f"contacts.{number}",
                    value=f"{each.role}: {each.contact}",
                    rule="each contact once",
                    fix="remove one of the two",
                )
            seen.add((each.role, each.contact))
        return self
