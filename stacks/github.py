"""The stack of GitHub Actions: roles for the workflows of one repository. Holds no data."""

from __future__ import annotations

from aws_cdk import CfnOutput
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib import GithubActionsAccess, GithubRepository
from stacks.backup import BackupStack
from stacks.base import RecoveryStack
from stacks.settings import Settings
from stacks.settings.github import GithubSettings
from stacks.storage import StorageStack


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
        owner, _, name = github.repository.partition("/")
        access = GithubActionsAccess(
            self,
            "Github",
            repository=GithubRepository(owner, name, github.owner_id, github.repository_id),
            provider_arn=github.provider_arn,
        )
        bucket, key = storage.backups.bucket, storage.backups.key
        making = access.role_for_branch(
            "Backup", branch=github.branch, description=f"Backups into {settings.prefix} by GitHub Actions"
        )
        access.grant_backup(making, bucket=bucket, key=key)
        self._tell("AWS_ROLE_ARN", making)
        migrating = access.role_for_environment(
            "Migration",
            environment=github.environment,
            description=f"Backups of {settings.prefix} and their receipts before migrations by GitHub Actions",
        )
        if github.migration_backup == "function":
            access.grant_guard(migrating, function=backup.function, bucket=bucket, key=key)
        else:
            access.grant_backup(migrating, bucket=bucket, key=key)
        self._tell("AWS_MIGRATION_ROLE_ARN", migrating)
        if github.deploys:
            looking = access.role_for_pull_requests(
                "Diff", description=f"Comparison of {settings.prefix} with pull requests"
            )
            access.grant_diff(looking)
            self._tell("AWS_DIFF_ROLE_ARN", looking)
            deploying = access.role_for_environment(
                "Deploy",
                environment=github.environment,
                description=f"Deployment of {settings.prefix} by GitHub Actions",
            )
            access.grant_deploy(deploying)
            self._tell("AWS_DEPLOY_ROLE_ARN", deploying)

    def _tell(self, variable: str, role: iam.Role) -> None:
        CfnOutput(
            self,
            variable.title().replace("_", ""),
            value=role.role_arn,
            description=f"Variable {variable} of the repository",
        )
