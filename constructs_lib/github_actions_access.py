"""What jobs of GitHub Actions may do in the account, without a key that somebody must keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.backup_function import BackupFunction
from constructs_lib.backup_lifecycle import tier_prefix
from constructs_lib.backup_permissions import grant_backup
from constructs_lib.write_once import RECEIPTS, creating, replacing_seen
from dbbackup.contract import Tier

ISSUER: Final = "token.actions.githubusercontent.com"
AUDIENCE: Final = "sts.amazonaws.com"
DEFAULT_QUALIFIER: Final = "hnb659fds"
"""What `cdk bootstrap` puts into the names of its roles unless it is told otherwise."""
LOOKING: Final = ("lookup",)
DEPLOYING: Final = ("deploy", "file-publishing", "image-publishing", "lookup")
"""Roles of the bootstrap that `cdk deploy` assumes. The one that creates resources is CloudFormation's alone."""


@dataclass(frozen=True, slots=True)
class GithubRepository:
    """A repository, as the tokens of its jobs name it.

    Tokens of repositories made since the summer of 2026, and of those that chose it, hold numbers beside the names: a
    name can be had again after a repository was removed, a number never. Both numbers or none.
    https://docs.github.com/en/actions/reference/security/oidc
    """

    owner: str
    name: str
    owner_id: int | None = None
    repository_id: int | None = None

    def subject(self, rest: str) -> str:
        """The subject of a token: this repository, and the branch, environment or event that the job belongs to."""
        if self.owner_id is None or self.repository_id is None:
            return f"repo:{self.owner}/{self.name}:{rest}"
        return f"repo:{self.owner}@{self.owner_id}/{self.name}@{self.repository_id}:{rest}"


class GithubActionsAccess(Construct):
    """Roles that jobs of a repository assume with the token that GitHub gives them (OpenID Connect).

    Each is trusted for one branch, one environment or the pull requests of one repository, by equality and without a
    wildcard: neither a fork nor another branch gets it.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, repository: GithubRepository, provider_arn: str | None = None
    ) -> None:
        """
        Args:
            scope: where the construct is put.
            construct_id: its id there.
            repository: whose jobs are trusted.
            provider_arn: GitHub's identity provider in this account, where there is one already: a second is refused.
        """
        super().__init__(scope, construct_id)
        self.repository = repository
        self.provider_arn = provider_arn or self._provider()

    def role_for_branch(
        self, construct_id: str, *, branch: str, description: str, longest: Duration | None = None
    ) -> iam.Role:
        """A role for jobs that run on one branch and in no environment: their tokens would name that instead."""
        return self._role(construct_id, f"ref:refs/heads/{branch}", description, longest)

    def role_for_environment(
        self,
        construct_id: str,
        *,
        environment: str,
        description: str,
        longest: Duration | None = None,
        repository: GithubRepository | None = None,
    ) -> iam.Role:
        """A role for jobs in one environment, whose protection rules thereby guard the role.

        Args:
            construct_id: its id.
            environment: of GitHub.
            description: what it is for.
            longest: of its sessions; an hour unless said otherwise.
            repository: another one than the construct's: the token of a called workflow names who calls it.
        """
        return self._role(construct_id, f"environment:{environment}", description, longest, repository)

    def role_for_pull_requests(
        self, construct_id: str, *, description: str, longest: Duration | None = None
    ) -> iam.Role:
        """A role for any pull request out of the repository itself: for what everybody who may push may do."""
        return self._role(construct_id, "pull_request", description, longest)

    def grant_backup(self, role: iam.Role, *, bucket: s3.IBucket, key: kms.IKey) -> None:
        """Let jobs dump into the bucket and verify, and neither delete backups nor shorten their locks."""
        grant_backup(role, bucket=bucket, key=key)

    def grant_guard(self, role: iam.Role, *, function: BackupFunction, bucket: s3.IBucket, key: kms.IKey) -> None:
        """Let jobs have a backup made by the function before a migration, and read and write its receipt.

        They cannot write a backup themselves.
        """
        function.grant_invoke(role)
        prefix = tier_prefix(Tier.PRE_MIGRATION)
        role.add_to_policy(
            iam.PolicyStatement(
                sid="ReadBackupsBeforeMigrations",
                actions=["s3:GetObject", "s3:GetObjectVersion"],
                resources=[bucket.arn_for_objects(f"{prefix}*")],
            )
        )
        for sid, condition in (("CreateReceipts", creating()), ("WriteReceiptsOn", replacing_seen())):
            role.add_to_policy(
                iam.PolicyStatement(
                    sid=sid,
                    actions=["s3:PutObject"],
                    resources=[bucket.arn_for_objects(RECEIPTS)],
                    conditions=condition,
                )
            )
        role.add_to_policy(
            iam.PolicyStatement(
                sid="TagReceipts", actions=["s3:PutObjectTagging"], resources=[bucket.arn_for_objects(RECEIPTS)]
            )
        )
        role.add_to_policy(
            # On the whole bucket, as for the backup function: with a condition, "not there" becomes "forbidden".
            iam.PolicyStatement(sid="FindReceipts", actions=["s3:ListBucket"], resources=[bucket.bucket_arn])
        )
        role.add_to_policy(
            iam.PolicyStatement(
                sid="EncryptAndReadReceipts",
                actions=["kms:GenerateDataKey", "kms:Decrypt"],
                resources=[key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": f"s3.{Stack.of(role).region}.amazonaws.com"}},
            )
        )

    def grant_diff(self, role: iam.Role) -> None:
        """Let jobs compare templates with what is deployed, by the role of the bootstrap that only reads."""
        self._assume(role, "LookWithTheBootstrapsRole", LOOKING)

    def grant_deploy(self, role: iam.Role) -> None:
        """Let jobs deploy, by the roles of the bootstrap: with whatever rights CloudFormation was given there."""
        self._assume(role, "DeployWithTheBootstrapsRoles", DEPLOYING)

    def _assume(self, role: iam.Role, sid: str, parts: tuple[str, ...]) -> None:
        stack = Stack.of(self)
        qualifier = self.node.try_get_context("@aws-cdk/core:bootstrapQualifier") or DEFAULT_QUALIFIER
        names = [f"cdk-{qualifier}-{part}-role-{stack.account}-{stack.region}" for part in parts]
        role.add_to_policy(
            iam.PolicyStatement(
                sid=sid,
                actions=["sts:AssumeRole"],
                resources=[
                    stack.format_arn(service="iam", region="", resource="role", resource_name=name) for name in names
                ],
            )
        )

    def _provider(self) -> str:
        # AWS checks GitHub's certificate by its own authorities, so no thumbprint is to be kept up to date.
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_verify-thumbprint.html
        provider = iam.OidcProviderNative(self, "Provider", url=f"https://{ISSUER}", client_ids=[AUDIENCE])
        return provider.oidc_provider_arn

    def _role(
        self,
        construct_id: str,
        rest: str,
        description: str,
        longest: Duration | None,
        repository: GithubRepository | None = None,
    ) -> iam.Role:
        equal = {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": (repository or self.repository).subject(rest)}
        return iam.Role(
            self,
            construct_id,
            description=description,
            assumed_by=iam.FederatedPrincipal(
                self.provider_arn, {"StringEquals": equal}, "sts:AssumeRoleWithWebIdentity"
            ),
            max_session_duration=longest or Duration.hours(1),
        )
