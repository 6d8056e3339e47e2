"""Settings of what GitHub Actions may do in the account."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.settings.base import Group
from stacks.settings.refusal import accepted_by, refuse


def repository_rule(text: str) -> str | None:
    """Rule of GitHub that the name of a repository breaks; a wildcard would trust somebody else's."""
    if re.fullmatch(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[A-Za-z0-9._-]{1,100}", text):
        return None
    return "owner/name, with letters, digits, hyphens (and, in the name, dots and underscores), and no wildcard"


def branch_rule(text: str) -> str | None:
    """Rule that the name of a branch breaks, here or in git."""
    if text.startswith("refs/"):
        return "the name alone: refs/heads/ is put in front of it"
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*", text) and ".." not in text:
        return None
    return "the name of one branch: letters, digits and . _ - /, and no wildcard"


def environment_rule(text: str) -> str | None:
    """Rule that the name of an environment of GitHub breaks; a colon would be written in another way in tokens."""
    if re.fullmatch(r"[A-Za-z0-9._-]{1,255}", text):
        return None
    return "the name of one environment: letters, digits and . _ -, and no wildcard"


def provider_rule(text: str) -> str | None:
    """Rule that the ARN of GitHub's identity provider breaks."""
    if re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:oidc-provider/token\.actions\.githubusercontent\.com", text):
        return None
    return "the ARN of GitHub's own provider ends with :oidc-provider/token.actions.githubusercontent.com"


class GithubSettings(Group):
    """Which repository is trusted, and for what. Without this group, GitHub may do nothing in the account."""

    repository: Annotated[str, accepted_by(repository_rule, fix="write for example acme/orders")] = Field(
        description="repository whose jobs are trusted, owner/name in the spelling of its address"
    )
    owner_id: int | None = Field(
        default=None, ge=1, description="number of the owner, where the repository's tokens hold it"
    )
    repository_id: int | None = Field(
        default=None, ge=1, description="number of the repository, where its tokens hold it"
    )
    branch: Annotated[str, accepted_by(branch_rule, fix="write for example main")] = Field(
        default="main", description="branch whose jobs may make backups"
    )
    environment: Annotated[str, accepted_by(environment_rule, fix="write for example production")] = Field(
        default="production", description="environment of GitHub whose jobs may migrate and, if allowed, deploy"
    )
    migration_backup: Literal["function", "runner"] = Field(
        default="function",
        description="who makes the backup before a migration: the deployed function, or the job itself by pg_dump",
    )
    deploys: bool = Field(
        default=False, description="whether jobs may deploy, with all the rights that the bootstrap gave CloudFormation"
    )
    provider_arn: (
        Annotated[str, accepted_by(provider_rule, fix="copy it from IAM, Identity providers, or leave it out")] | None
    ) = Field(
        default=None,
        description="GitHub's identity provider, where the account has it already: it takes one, so a second "
        "environment in the account names that of the first",
    )

    @model_validator(mode="after")
    def _numbers_come_together(self) -> Self:
        if (self.owner_id is None) != (self.repository_id is None):
            lacking = "owner_id" if self.owner_id is None else "repository_id"
            raise refuse(
                at=lacking,
                value="(missing)",
                rule="a token holds both numbers or none, and the role trusts exactly what it holds",
                fix="write both, as `gh api repos/OWNER/NAME --jq '.owner.id, .id'` prints them, or leave both out",
            )
        return self
