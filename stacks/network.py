"""The network stack: where the database and the functions live, and the key of all logs."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from constructs_lib import EncryptedLogGroup, LogKey, RecoveryNetwork
from constructs_lib.recovery_network import add_endpoints
from stacks.base import RecoveryStack
from stacks.settings import Settings


class NetworkStack(RecoveryStack):
    """A new VPC, or an existing one given by its attributes."""

    def __init__(self, scope: Construct, *, settings: Settings) -> None:
        super().__init__(
            scope,
            "network",
            settings=settings,
            description="Private network of the database and of the functions that back it up, and the key of all logs",
        )
        prefix = settings.prefix
        new_instance = settings.database.new_instance
        flow_log_name = f"/{prefix}/vpc-flow-log"
        self.log_key = LogKey(
            self,
            "LogKey",
            log_group_prefixes=[
                flow_log_name,
                f"/aws/lambda/{prefix}-",
                f"/aws/vendedlogs/states/{prefix}-",
                *([f"/aws/rds/instance/{new_instance.identifier}/"] if new_instance else []),
            ],
        )
        chosen = settings.network
        if chosen.existing_vpc is not None:
            existing = chosen.existing_vpc
            self.vpc: ec2.IVpc = RecoveryNetwork.from_attributes(
                self,
                "ExistingVpc",
                vpc_id=existing.vpc_id,
                cidr=existing.cidr,
                zones=existing.zones,
                subnet_ids=existing.subnet_ids,
                route_table_ids=existing.route_table_ids,
            )
            self.subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
            if existing.create_endpoints:
                add_endpoints(self, vpc=self.vpc, subnets=self.subnets, cidr=existing.cidr)
            return
        flow_log = (
            EncryptedLogGroup(
                self,
                "FlowLog",
                log_group_name=flow_log_name,
                retention_days=chosen.log_retention_days,
                encryption_key=self.log_key,
            )
            if chosen.flow_logs
            else None
        )
        network = RecoveryNetwork(self, "Network", cidr=chosen.cidr, zones=settings.zones, flow_log_group=flow_log)
        self.vpc = network.vpc
        self.subnets = network.subnets
