"""Settings of the network: a new VPC, or one that is already there."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Self

from pydantic import Field, model_validator

from stacks.settings.base import Group
from stacks.settings.logs import LogRetentionDays
from stacks.settings.names import RouteTableId, SubnetId, VpcId
from stacks.settings.refusal import accepted_by, refuse


def cidr_rule(text: str) -> str | None:
    """Rule of EC2 that an address range of a VPC breaks."""
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as problem:
        return f"an IPv4 range such as 10.42.0.0/16 ({problem})"
    if not 16 <= network.prefixlen <= 24:
        return "a VPC here has a range of /16 to /24: EC2 takes no larger one, and a smaller one leaves no room"
    if not network.is_private:
        return "a private range (RFC 1918): nothing here is reached from the internet"
    return None


Cidr = Annotated[str, accepted_by(cidr_rule, fix="write for example 10.42.0.0/16, a range that no other network uses")]


class ExistingVpc(Group):
    """A VPC given by its attributes, so that synthesizing asks AWS nothing."""

    vpc_id: VpcId = Field(description="identifier of the VPC")
    cidr: Cidr = Field(description="its primary IPv4 range")
    zones: tuple[str, ...] = Field(strict=False, description="availability zone of each subnet, in the same order")
    subnet_ids: tuple[SubnetId, ...] = Field(strict=False, description="private subnets, one for each zone")
    route_table_ids: tuple[RouteTableId, ...] = Field(
        default=(), strict=False, description="route table of each subnet, needed to add the S3 endpoint"
    )
    create_endpoints: bool = Field(
        default=False, description="whether to add the S3 and Secrets Manager endpoints; false where the VPC has them"
    )

    @model_validator(mode="after")
    def _subnets_in_two_zones(self) -> Self:
        if len(self.zones) != len(self.subnet_ids):
            raise refuse(
                at="zones",
                value=f"{len(self.zones)} zones for {len(self.subnet_ids)} subnets",
                rule="each subnet has its zone at the same place in the list",
                fix="list the zone of each subnet, repeated where two subnets share one",
            )
        if len(set(self.zones)) < 2:
            raise refuse(
                at="subnet_ids",
                value=f"subnets in {', '.join(sorted(set(self.zones))) or 'no zone'}",
                rule="RDS wants subnets in at least two availability zones, so that it can move after a failure",
                fix="add a private subnet in a second zone",
            )
        if self.create_endpoints and len(self.route_table_ids) != len(self.subnet_ids):
            raise refuse(
                at="route_table_ids",
                value=f"{len(self.route_table_ids)} route tables for {len(self.subnet_ids)} subnets",
                rule="the S3 endpoint is a route, so each subnet's route table must be known",
                fix="list the route table of each subnet, or set create_endpoints to false",
            )
        return self


class NetworkSettings(Group):
    """Where the database and the functions live."""

    cidr: Cidr = Field(default="10.42.0.0/16", description="IPv4 range of the new VPC")
    flow_logs: bool = Field(default=True, description="whether to log rejected and accepted connections of the new VPC")
    log_retention_days: LogRetentionDays = Field(default=90, description="days that flow logs are kept")
    existing_vpc: ExistingVpc | None = Field(default=None, description="use this VPC and create none")
