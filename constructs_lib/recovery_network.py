"""The network: private subnets without a way out, and endpoints for what the functions must reach."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from constructs_lib.log_group import EncryptedLogGroup


class RecoveryNetwork(Construct):
    """A VPC of isolated subnets: nothing in it is reached from the internet, or reaches it.

    The S3 endpoint is free and always there. The one for Secrets Manager costs about 0.01 USD an hour in each
    zone; the backup function and the rotation of the password need it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cidr: str,
        zones: Sequence[str] = (),
        flow_log_group: EncryptedLogGroup | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        chosen = {"availability_zones": list(zones)} if zones else {"max_azs": 2}
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            nat_gateways=0,
            create_internet_gateway=False,
            # The default security group lets its members talk to each other. Nothing here is a member, and the CDK
            # would restrict it with a function of its own that we should have to audit.
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
            ],
            **chosen,
        )
        if zones:
            Validations.of(vpc).acknowledge(
                Acknowledgment(
                    id="CloudFormation-Validate::W3010",
                    reason="Zones are a setting: to ask AWS needs credentials, and a zone must not change later",
                )
            )
        if flow_log_group is not None:
            vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(flow_log_group))
        self.vpc: ec2.IVpc = vpc
        self.subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        add_endpoints(self, vpc=self.vpc, subnets=self.subnets, cidr=cidr)

    @staticmethod
    def from_attributes(
        scope: Construct,
        construct_id: str,
        *,
        vpc_id: str,
        cidr: str,
        zones: Sequence[str],
        subnet_ids: Sequence[str],
        route_table_ids: Sequence[str] = (),
    ) -> ec2.IVpc:
        """A VPC that somebody else owns; nothing is looked up, so what is not given here is not known."""
        vpc = ec2.Vpc.from_vpc_attributes(
            scope,
            construct_id,
            vpc_id=vpc_id,
            vpc_cidr_block=cidr,
            availability_zones=list(zones),
            isolated_subnet_ids=list(subnet_ids),
            isolated_subnet_route_table_ids=list(route_table_ids) or None,
        )
        if not route_table_ids:
            Validations.of(vpc).acknowledge(
                Acknowledgment(
                    id="Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId",
                    reason="Nothing is added to the routes of a VPC whose route tables are not given",
                )
            )
        return vpc


def add_endpoints(scope: Construct, *, vpc: ec2.IVpc, subnets: ec2.SubnetSelection, cidr: str) -> None:
    """Ways to S3 and to Secrets Manager that don't leave AWS's network."""
    ec2.GatewayVpcEndpoint(scope, "S3Endpoint", vpc=vpc, service=ec2.GatewayVpcEndpointAwsService.S3, subnets=[subnets])
    group = ec2.SecurityGroup(
        scope,
        "SecretsEndpointSecurityGroup",
        vpc=vpc,
        description="Secrets Manager endpoint: HTTPS from inside the VPC",
        allow_all_outbound=False,
    )
    group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(443), "HTTPS from inside the VPC")
    ec2.InterfaceVpcEndpoint(
        scope,
        "SecretsEndpoint",
        vpc=vpc,
        service=ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
        subnets=subnets,
        security_groups=[group],
        open=False,
    )
