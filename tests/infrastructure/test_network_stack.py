"""The network: private, without a way out but to what is needed."""

from __future__ import annotations

import pytest

from tests.infrastructure.synthesis import Synthesized, Template


@pytest.fixture(scope="module")
def network(prod: Synthesized) -> Template:
    return prod["network"]


def test_two_private_subnets_in_two_zones(network: Template) -> None:
    subnets = network.all("AWS::EC2::Subnet")
    assert [subnet["AvailabilityZone"] for subnet in subnets] == ["us-east-1a", "us-east-1b"]
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)


@pytest.mark.parametrize("kind", ["InternetGateway", "NatGateway", "EgressOnlyInternetGateway", "Route", "EIP"])
def test_no_way_out(network: Template, kind: str) -> None:
    assert not network.all(f"AWS::EC2::{kind}")


def test_s3_is_reached_over_a_route(network: Template) -> None:
    (endpoint,) = [found for found in network.all("AWS::EC2::VPCEndpoint") if found["VpcEndpointType"] == "Gateway"]
    assert endpoint["ServiceName"]["Fn::Join"][1][-1] == ".s3"
    assert len(endpoint["RouteTableIds"]) == 2


def test_secrets_manager_is_reached_over_the_one_endpoint_that_costs(network: Template) -> None:
    (endpoint,) = [found for found in network.all("AWS::EC2::VPCEndpoint") if found["VpcEndpointType"] == "Interface"]
    assert endpoint["ServiceName"] == "com.amazonaws.us-east-1.secretsmanager"
    assert endpoint["PrivateDnsEnabled"] is True


def test_the_endpoint_is_for_the_vpc_only(network: Template) -> None:
    group = network.only("AWS::EC2::SecurityGroup")
    (rule,) = group["SecurityGroupIngress"]
    assert (rule["CidrIp"], rule["FromPort"], rule["ToPort"]) == ("10.42.0.0/16", 443, 443)


def test_flow_logs_are_kept_encrypted_and_end(network: Template) -> None:
    assert network.only("AWS::EC2::FlowLog")["TrafficType"] == "ALL"
    group = network.only("AWS::Logs::LogGroup")
    assert group["RetentionInDays"] == 90
    assert group["KmsKeyId"] == {"Fn::GetAtt": ["LogKeyE83D0C1B", "Arn"]}


def test_the_log_key_serves_our_log_groups_only(network: Template) -> None:
    key = network.only("AWS::KMS::Key")
    assert key["EnableKeyRotation"] is True
    (service,) = [found for found in key["KeyPolicy"]["Statement"] if "Service" in found["Principal"]]
    assert service["Principal"]["Service"] == "logs.us-east-1.amazonaws.com"
    allowed = str(service["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])
    for prefix in (
        "/ftry-prod/vpc-flow-log*",
        "/aws/lambda/ftry-prod-*",
        "/aws/rds/instance/ftry-prod/*",
        "/aws/vendedlogs/states/ftry-prod-*",
    ):
        assert f":log-group:{prefix}" in allowed
