"""The stack of GitHub Actions: roles for the workflows of a repository. Holds no data."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib import GithubActionsAccess, GithubRepository
from stacks.backup import BackupStack
from stacks.base import RecoveryStack
from stacks.settings import Settings
from stacks.settings.github import GithubSettings, MigrationSettings, RepositorySettings
from stacks.storage import StorageStack

LONGEST_DEPLOYMENT: Final = Duration.hours(2)
"""As long as the job may take: the first Multi-AZ instance alone can take most of an hour."""


class GithubStack(RecoveryStack):
    """A role for each workflow; its outputs are the variables that the repository is given."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: Settings,
        github: GithubSettings,
        storage: StorageStack,
        backup: BackupStack,
    ) -> None:
        super().__init__(
            scope,
            "github",
            settings=settings,
            description="Roles that jobs of GitHub Actions assume to back up, migrate, compare and deploy",
        )
        access = GithubActionsAccess(self, "Github", repository=_repository(github), provider_arn=github.provider_arn)
        bucket, key = storage.backups.bucket, storage.backups.key
        making = access.role_for_branch(
            "Backup", branch=github.branch, description=f"Backups into {settings.prefix} by GitHub Actions"
        )
        access.grant_backup(making, bucket=bucket, key=key)
        self._tell("AWS_ROLE_ARN", making)
        for migration in github.migrating:
            own = migration.place == github.own_migrations.place
            # The same whatever else is in the list, and in whatever order.
            suffix = "" if own else _digest(migration)
            migrating = access.role_for_environment(
                f"Migration{suffix}",
                environment=migration.environment,
                description=f"Backups of {settings.prefix} and their receipts before migrations by GitHub Actions",
                repository=_repository(migration),
            )
            if github.migration_backup == "function":
                access.grant_guard(migrating, function=backup.function, bucket=bucket, key=key)
            else:
                access.grant_backup(migrating, bucket=bucket, key=key)
            where = "" if own else f"{migration.repository}, environment {migration.environment}"
            self._tell("AWS_MIGRATION_ROLE_ARN", migrating, suffix=suffix, where=where)
        if github.deploys:
            looking = access.role_for_pull_requests(
                "Diff", description=f"Comparison of {settings.prefix} with pull requests"
            )
            access.grant_diff(looking)
            self._tell("AWS_DIFF_ROLE_ARN", looking)
            deploying = access.role_for_environment(
                "Deploy",
                environment=github.deploy_environment,
                description=f"Deployment of {settings.prefix} by GitHub Actions",
                longest=LONGEST_DEPLOYMENT,
            )
            access.grant_deploy(deploying)
            self._tell("AWS_DEPLOY_ROLE_ARN", deploying)

    def _tell(self, variable: str, role: iam.Role, *, suffix: str = "", where: str = "") -> None:
        CfnOutput(
            self,
            f"{variable.title().replace('_', '')}{suffix}",
            value=role.role_arn,
            description=f"Variable {variable} of the repository {where}".rstrip(),
        )


def _repository(settings: RepositorySettings) -> GithubRepository:
    owner, _, name = settings.repository.partition("/")
    return GithubRepository(owner, name, settings.owner_id, settings.repository_id)


def _digest(migration: MigrationSettings) -> str:
    return sha256(":".join(migration.place).encode()).hexdigest()[:8].upper()
