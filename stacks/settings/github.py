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


RepositoryName = Annotated[str, accepted_by(repository_rule, fix="write for example acme/orders")]
EnvironmentName = Annotated[str, accepted_by(environment_rule, fix="write for example production")]


class RepositorySettings(Group):
    """A repository of GitHub, as the tokens of its jobs name it."""

    repository: RepositoryName = Field(
        description="repository whose jobs are trusted, owner/name in the spelling of its address"
    )
    owner_id: int | None = Field(
        default=None, ge=1, description="number of the owner, where the repository's tokens hold it"
    )
    repository_id: int | None = Field(
        default=None, ge=1, description="number of the repository, where its tokens hold it"
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


class MigrationSettings(RepositorySettings):
    """A repository whose jobs migrate: the token of a called workflow names the repository that calls it."""

    environment: EnvironmentName = Field(
        default="production", description="environment of GitHub in that repository whose jobs may migrate"
    )

    @property
    def place(self) -> tuple[str, str]:
        """What its tokens are told apart by; GitHub takes no notice of capitals in these names."""
        return self.repository.lower(), self.environment.lower()


class GithubSettings(RepositorySettings):
    """Which repository is trusted, and for what. Without this group, GitHub may do nothing in the account."""

    branch: Annotated[str, accepted_by(branch_rule, fix="write for example main")] = Field(
        default="main", description="branch whose jobs may make backups"
    )
    environment: EnvironmentName = Field(
        default="production", description="environment of GitHub whose jobs may migrate, where migrations are not set"
    )
    migrations: tuple[MigrationSettings, ...] = Field(
        default=(),
        strict=False,
        description="repositories whose jobs may migrate, each with a role, in place of the repository itself",
    )
    migration_backup: Literal["function", "runner"] = Field(
        default="function",
        description="who makes the backup before a migration: the deployed function, or the job itself by pg_dump",
    )
    deploys: bool = Field(
        default=False, description="whether jobs may deploy, with all the rights that the bootstrap gave CloudFormation"
    )
    deploy_environment: EnvironmentName = Field(
        default="deployment",
        description="environment of GitHub whose jobs may deploy, where any may; no migration runs in it",
    )
    provider_arn: (
        Annotated[str, accepted_by(provider_rule, fix="copy it from IAM, Identity providers, or leave it out")] | None
    ) = Field(
        default=None,
        description="GitHub's identity provider, where the account has it already: it takes one, so a second "
        "environment in the account names that of the first",
    )

    @property
    def migrating(self) -> tuple[MigrationSettings, ...]:
        """Every repository and environment whose jobs may migrate."""
        return self.migrations or (self.own_migrations,)

    @property
    def own_migrations(self) -> MigrationSettings:
        """The repository itself, as one that migrates."""
        return MigrationSettings(
            repository=self.repository,
            owner_id=self.owner_id,
            repository_id=self.repository_id,
            environment=self.environment,
        )

    @model_validator(mode="after")
    def _each_migration_once(self) -> Self:
        places = [migration.place for migration in self.migrations]
        for number, place in enumerate(places):
            if place in places[:number]:
                raise refuse(
                    at=f"migrations.{number}",
                    value="/".join(place),
                    rule="a role for each repository and environment, and this pair is there already",
                    fix="remove it, or name another environment",
                )
        return self

    @model_validator(mode="after")
    def _deployments_apart(self) -> Self:
        # A migration runs what the application installs, and every step of a job can have the job's token.
        deploying = (self.repository.lower(), self.deploy_environment.lower())
        if self.deploys and deploying in {migration.place for migration in self.migrating}:
            raise refuse(
                at="deploy_environment",
                value=self.deploy_environment,
                rule="another environment than the one of migrations: jobs of one could take the role that deploys",
                fix="make an environment of its own for deployments, with reviewers, and name that",
            )
        return self
