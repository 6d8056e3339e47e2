"""Another team's app: its own stack and network, our database and our bucket, and nothing else of ours."""

from __future__ import annotations

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from constructs_lib import BackupBucket, LogKey, PostgresInstance


class OrdersStack(Stack):
    """The orders team keeps its data in a database that can be got back."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="Database of the orders team, and the bucket of its backups")
        vpc = ec2.Vpc(self, "Vpc", max_azs=2, nat_gateways=0)
        backups = BackupBucket(self, "Backups", noncurrent_days=14)
        database = PostgresInstance(
            self,
            "Orders",
            vpc=vpc,
            subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            identifier="orders",
            database_name="orders",
            engine_version="17.9",
            log_key=LogKey(self, "LogKey", log_group_prefixes=["/aws/rds/instance/orders/"]),
        )
        CfnOutput(self, "Host", value=database.endpoint.host)
        CfnOutput(self, "BackupBucketName", value=backups.bucket.bucket_name)


def main() -> None:
    """Write the template."""
    app = App()
    OrdersStack(app, "orders")
    app.synth()


if __name__ == "__main__":
    main()
