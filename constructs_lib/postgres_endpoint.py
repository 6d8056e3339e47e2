"""Where a PostgreSQL server is and how to log in: the same for a new instance and for an existing one."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct


@dataclass(frozen=True, kw_only=True)
class PostgresEndpoint:
    """Everything that a client of the server needs to know."""

    instance_identifier: str
    host: str
    port: int
    security_group: ec2.ISecurityGroup
    secret: secretsmanager.ISecret
    """A JSON object with ``username`` and ``password``."""
    secret_key: kms.IKey | None = None
    """Key of the secret; None for the account's own ``aws/secretsmanager``, which needs no permission."""
    add_ingress_rule: bool = True
    """Whether clients may add a rule for themselves to the security group."""
    storage_key: kms.IKey | None = None
    """Key of the storage; None for the account's own ``aws/rds``, which needs no permission."""
    monitoring_role: iam.IRole | None = None
    """Role of enhanced monitoring, which a restored instance gets too; None where there is no such monitoring."""

    @classmethod
    def from_attributes(
        cls,
        scope: Construct,
        construct_id: str,
        *,
        instance_identifier: str,
        host: str,
        port: int,
        security_group_id: str,
        secret_arn: str,
        secret_key_arn: str | None = None,
        add_ingress_rule: bool = True,
        storage_key_arn: str | None = None,
        monitoring_role_arn: str | None = None,
    ) -> PostgresEndpoint:
        """A server that somebody else owns."""
        place = Construct(scope, construct_id)
        return cls(
            instance_identifier=instance_identifier,
            host=host,
            port=port,
            security_group=ec2.SecurityGroup.from_security_group_id(place, "SecurityGroup", security_group_id),
            secret=secretsmanager.Secret.from_secret_complete_arn(place, "Secret", secret_arn),
            secret_key=kms.Key.from_key_arn(place, "SecretKey", secret_key_arn) if secret_key_arn else None,
            add_ingress_rule=add_ingress_rule,
            storage_key=kms.Key.from_key_arn(place, "StorageKey", storage_key_arn) if storage_key_arn else None,
            monitoring_role=iam.Role.from_role_arn(place, "MonitoringRole", monitoring_role_arn, mutable=False)
            if monitoring_role_arn
            else None,
        )

    def allow_from(self, scope: Construct, *, client: ec2.ISecurityGroup, description: str) -> None:
        """Let a client in. The rules belong to the client's scope, so the server's stack knows nothing of it."""
        ec2.CfnSecurityGroupEgress(
            scope,
            "ToPostgres",
            group_id=client.security_group_id,
            ip_protocol="tcp",
            from_port=self.port,
            to_port=self.port,
            destination_security_group_id=self.security_group.security_group_id,
            description=description,
        )
        if self.add_ingress_rule:
            ec2.CfnSecurityGroupIngress(
                scope,
                "PostgresFrom",
                group_id=self.security_group.security_group_id,
                ip_protocol="tcp",
                from_port=self.port,
                to_port=self.port,
                source_security_group_id=client.security_group_id,
                description=description,
            )

    def grant_read_credentials(self, grantee: iam.IGrantable) -> None:
        """Let somebody read this one secret, by a policy of theirs: the key of the secret may be in another stack."""
        principal = grantee.grant_principal
        principal.add_to_principal_policy(
            iam.PolicyStatement(
                sid="ReadDatabaseCredentials",
                actions=["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
                resources=[self.secret.secret_arn],
            )
        )
        if self.secret_key is not None:
            region = Stack.of(self.secret).region
            principal.add_to_principal_policy(
                iam.PolicyStatement(
                    sid="DecryptDatabaseCredentials",
                    actions=["kms:Decrypt"],
                    resources=[self.secret_key.key_arn],
                    conditions={"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}},
                )
            )
