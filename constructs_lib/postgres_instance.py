"""A new RDS instance of PostgreSQL, made to be got back: encrypted, private, backed up, hard to delete."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from constructs import Construct

from constructs_lib.log_group import EncryptedLogGroup
from constructs_lib.postgres_endpoint import PostgresEndpoint

EXPORTED_LOGS = ("postgresql", "upgrade")


class PostgresInstance(Construct):
    """An RDS instance with its key, its generated and rotated secret, its parameters and its logs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        identifier: str,
        database_name: str,
        engine_version: str,
        log_key: kms.IKey,
        instance_class: str = "db.t4g.medium",
        port: int = 5432,
        master_user: str = "postgres",
        multi_az: bool = True,
        allocated_storage_gib: int = 50,
        storage_limit_gib: int = 200,
        backup_retention_days: int = 30,
        backup_window: str = "02:00-03:00",
        maintenance_window: str = "sun:05:00-sun:06:00",
        auto_minor_version_upgrade: bool = False,
        deletion_protection: bool = True,
        removal_policy: RemovalPolicy = RemovalPolicy.SNAPSHOT,
        parameters: Mapping[str, str] | None = None,
        rotation_days: int = 30,
        monitoring_interval_seconds: int = 60,
        log_retention_days: int = 90,
    ) -> None:
        super().__init__(scope, construct_id)
        self.key: kms.IKey = kms.Key(
            self,
            "Key",
            description=f"Encrypts the storage, the insights and the credentials of {identifier}",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.security_group: ec2.ISecurityGroup = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=vpc,
            description=f"Who may connect to {identifier}; each client adds its own rule",
            allow_all_outbound=False,
        )
        engine = rds.DatabaseInstanceEngine.postgres(
            # By number, since the CDK's own list lags behind what RDS offers.
            version=rds.PostgresEngineVersion.of(engine_version, engine_version.split(".")[0])
        )
        secret = rds.DatabaseSecret(self, "Secret", username=master_user, encryption_key=self.key)
        if removal_policy != RemovalPolicy.DESTROY:
            # An instance that outlives its stack is of no use to somebody who can't log in.
            secret.apply_removal_policy(RemovalPolicy.RETAIN)
        instance = rds.DatabaseInstance(
            self,
            "Instance",
            engine=engine,
            instance_identifier=identifier,
            database_name=database_name,
            instance_type=ec2.InstanceType(instance_class.removeprefix("db.")),
            vpc=vpc,
            vpc_subnets=subnets,
            security_groups=[self.security_group],
            port=port,
            publicly_accessible=False,
            multi_az=multi_az,
            credentials=rds.Credentials.from_secret(secret, master_user),
            iam_authentication=True,
            parameter_group=rds.ParameterGroup(
                self,
                "Parameters",
                engine=engine,
                description=f"Parameters of {identifier}",
                # Last, so that nobody turns it off by accident.
                parameters={**(parameters or {}), "rds.force_ssl": "1"},
            ),
            storage_type=rds.StorageType.GP3,
            allocated_storage=allocated_storage_gib,
            max_allocated_storage=storage_limit_gib,
            storage_encrypted=True,
            storage_encryption_key=self.key,
            backup_retention=Duration.days(backup_retention_days),
            preferred_backup_window=backup_window,
            preferred_maintenance_window=maintenance_window,
            copy_tags_to_snapshot=True,
            delete_automated_backups=False,
            deletion_protection=deletion_protection,
            removal_policy=removal_policy,
            auto_minor_version_upgrade=auto_minor_version_upgrade,
            allow_major_version_upgrade=False,
            enable_performance_insights=True,
            performance_insight_encryption_key=self.key,
            performance_insight_retention=rds.PerformanceInsightRetention.DEFAULT,
            monitoring_interval=Duration.seconds(monitoring_interval_seconds),
            cloudwatch_logs_exports=list(EXPORTED_LOGS),
        )
        self._create_log_groups(instance, identifier, log_key, log_retention_days)
        self._rotate(instance, vpc, subnets, rotation_days)
        self.instance: rds.IDatabaseInstance = instance
        self.endpoint = PostgresEndpoint(
            instance_identifier=identifier,
            host=instance.db_instance_endpoint_address,
            port=port,
            security_group=self.security_group,
            secret=instance.secret or secret,
            secret_key=self.key,
            storage_key=self.key,
            monitoring_role=_monitoring_role(instance),
        )

    def _create_log_groups(
        self, instance: rds.DatabaseInstance, identifier: str, log_key: kms.IKey, retention_days: int
    ) -> None:
        """Create the log groups that RDS would otherwise create by itself, unencrypted and kept for ever."""
        resource = instance.node.find_child("Resource")
        for log in EXPORTED_LOGS:
            group = EncryptedLogGroup(
                self,
                f"{log.capitalize()}Log",
                log_group_name=f"/aws/rds/instance/{identifier}/{log}",
                retention_days=retention_days,
                encryption_key=log_key,
            )
            resource.node.add_dependency(group)

    def _rotate(self, instance: rds.DatabaseInstance, vpc: ec2.IVpc, subnets: ec2.SubnetSelection, days: int) -> None:
        """Change the master password by AWS's own rotation function, from inside the VPC."""
        group = ec2.SecurityGroup(
            self,
            "RotationSecurityGroup",
            vpc=vpc,
            description="Rotation of the master password: to the database and Secrets Manager",
            allow_all_outbound=False,
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "HTTPS to the endpoints of the VPC")
        instance.add_rotation_single_user(
            automatically_after=Duration.days(days), vpc_subnets=subnets, security_group=group
        )


def _monitoring_role(instance: rds.DatabaseInstance) -> iam.IRole | None:
    """The role that the CDK makes where there is enhanced monitoring."""
    role = instance.node.try_find_child("MonitoringRole")
    return role if isinstance(role, iam.Role) else None
