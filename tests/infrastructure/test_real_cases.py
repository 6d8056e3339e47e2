"""The cases that platform teams come with, each synthesized."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dbbackup.contract import BUILD_ARG_PG_MAJOR, EnvKey
from dbbackup.contract_watch import REHEARSED_DATABASE, WatchEnvKey
from tests.infrastructure.synthesis import Synthesized, role_statements, settings_of, synthesize

ODD_NAME = 'The "Sales"/2026 db'
EXISTING_VPC: dict[str, Any] = {
    "vpc_id": "vpc-0123456789abcdef0",
    "cidr": "10.9.0.0/16",
    "zones": ["us-east-1a", "us-east-1c"],
    "subnet_ids": ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"],
}
EXISTING_INSTANCE: dict[str, Any] = {
    "identifier": "orders-main",
    "host": "orders-main.abc123.us-east-1.rds.amazonaws.com",
    "port": 6432,
    "engine_major": 17,
    "security_group_id": "sg-0123456789abcdef0",
    "secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders-AbCdEf",
    "secret_key_arn": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
}


@pytest.fixture(scope="module")
def in_existing_vpc(no_aws_account: None) -> Synthesized:
    return synthesize(settings_of("prod", network__existing_vpc=EXISTING_VPC))


@pytest.fixture(scope="module")
def for_existing_instance(no_aws_account: None) -> Synthesized:
    return synthesize(
        settings_of(
            "prod",
            database__new_instance=None,
            database__existing_instance=EXISTING_INSTANCE,
            database__names=["orders", ODD_NAME],
            backup__client_major=17,
        )
    )


def test_an_existing_vpc_is_used_and_left_as_it_is(in_existing_vpc: Synthesized) -> None:
    kinds = {found["Type"] for found in in_existing_vpc["network"].body["Resources"].values()}
    assert kinds == {"AWS::KMS::Key"}, "the key of the logs, and nothing inside somebody else's VPC"
    assert in_existing_vpc["database"].only("AWS::RDS::DBSubnetGroup")["SubnetIds"] == EXISTING_VPC["subnet_ids"]
    place = in_existing_vpc["backup"].only("AWS::Lambda::Function")["VpcConfig"]
    assert place["SubnetIds"] == EXISTING_VPC["subnet_ids"]
    assert in_existing_vpc["backup"].only("AWS::EC2::SecurityGroup")["VpcId"] == EXISTING_VPC["vpc_id"]


def test_an_existing_vpc_is_not_looked_up(in_existing_vpc: Synthesized) -> None:
    assert not in_existing_vpc.manifest.get("missing")


def test_an_existing_vpc_gets_endpoints_where_it_wants_them() -> None:
    wanted = {**EXISTING_VPC, "create_endpoints": True, "route_table_ids": ["rtb-0aaaaaaaa", "rtb-0bbbbbbbb"]}
    network = synthesize(settings_of("prod", network__existing_vpc=wanted))["network"]
    endpoints = {found["VpcEndpointType"]: found for found in network.all("AWS::EC2::VPCEndpoint")}
    assert set(endpoints) == {"Gateway", "Interface"}
    assert endpoints["Gateway"]["RouteTableIds"] == wanted["route_table_ids"]
    assert endpoints["Interface"]["SubnetIds"] == EXISTING_VPC["subnet_ids"]
    (rule,) = network.only("AWS::EC2::SecurityGroup")["SecurityGroupIngress"]
    assert rule["CidrIp"] == EXISTING_VPC["cidr"]


def test_an_existing_instance_means_no_new_one(for_existing_instance: Synthesized) -> None:
    parts = {"network", "storage", "notification", "backup", "monitoring", "restore", "restore-dump", "rehearsal"}
    assert for_existing_instance.parts == parts
    for part in for_existing_instance.parts:
        assert not for_existing_instance[part].all("AWS::RDS::DBInstance")


def test_the_function_connects_to_the_existing_instance(for_existing_instance: Synthesized) -> None:
    variables = for_existing_instance["backup"].only("AWS::Lambda::Function")["Environment"]["Variables"]
    assert variables[EnvKey.DB_HOST.value] == EXISTING_INSTANCE["host"]
    assert variables[EnvKey.DB_PORT.value] == "6432"
    assert variables[EnvKey.DB_INSTANCE.value] == "orders-main"
    assert variables[EnvKey.DB_SECRET_ARN.value] == EXISTING_INSTANCE["secret_arn"]


def test_the_function_is_let_in_by_the_existing_security_group(for_existing_instance: Synthesized) -> None:
    rule = for_existing_instance["backup"].only("AWS::EC2::SecurityGroupIngress")
    assert rule["GroupId"] == EXISTING_INSTANCE["security_group_id"]
    assert (rule["FromPort"], rule["ToPort"]) == (6432, 6432)


def test_the_owner_of_the_security_group_may_add_the_rule() -> None:
    existing = {**EXISTING_INSTANCE, "add_ingress_rule": False}
    backup = synthesize(settings_of("prod", database__new_instance=None, database__existing_instance=existing))[
        "backup"
    ]
    assert not backup.all("AWS::EC2::SecurityGroupIngress")
    assert backup.only("AWS::EC2::SecurityGroupEgress")["DestinationSecurityGroupId"] == existing["security_group_id"]


def test_the_function_may_read_the_existing_secret(for_existing_instance: Synthesized) -> None:
    backup = for_existing_instance["backup"]
    (role,) = [name for name in backup.resources("AWS::IAM::Role") if name.startswith("BackupRole")]
    statements = {found.get("Sid"): found for found in role_statements(backup, role)}
    assert statements["ReadDatabaseCredentials"]["Resource"] == [EXISTING_INSTANCE["secret_arn"]]
    assert statements["DecryptDatabaseCredentials"]["Resource"] == [EXISTING_INSTANCE["secret_key_arn"]]


def test_every_database_has_its_schedules(for_existing_instance: Synthesized) -> None:
    schedules = for_existing_instance["backup"].all("AWS::Scheduler::Schedule")
    events = [json.loads(found["Target"]["Input"]) for found in schedules]
    assert sorted((event["database"], event["tier"]) for event in events) == [
        (database, tier) for database in (ODD_NAME, "orders") for tier in ("daily", "monthly", "weekly")
    ]
    names = [found["Name"] for found in schedules]
    assert len(set(names)) == 6
    assert all(len(name) <= 64 and name.isascii() and " " not in name for name in names)


def test_every_database_has_its_alarms(for_existing_instance: Synthesized) -> None:
    alarms = for_existing_instance["monitoring"].all("AWS::CloudWatch::Alarm")
    watched: dict[str, list[str]] = {}
    for alarm in alarms:
        metrics = [
            alarm,
            *(found["MetricStat"]["Metric"] for found in alarm.get("Metrics", []) if "MetricStat" in found),
        ]
        for found in metrics:
            for dimension in found.get("Dimensions", []):
                if dimension["Name"] == "Database" and dimension["Value"] != REHEARSED_DATABASE:
                    watched.setdefault(dimension["Value"], []).append(alarm["AlarmName"])
    assert set(watched) == {ODD_NAME, "orders"}
    assert len(set(watched[ODD_NAME])) == len(set(watched["orders"])) == 9
    assert not set(watched[ODD_NAME]) & set(watched["orders"])


def test_of_an_existing_instance_only_what_this_system_asks_of_it_is_watched(
    for_existing_instance: Synthesized,
) -> None:
    monitoring = for_existing_instance["monitoring"]
    (variables,) = [
        found["Environment"]["Variables"]
        for found in monitoring.all("AWS::Lambda::Function")
        if found["FunctionName"] == "ftry-prod-watch"
    ]
    declared = json.loads(variables[WatchEnvKey.DECLARED.value])
    assert set(declared) == {
        "public-access",
        "bucket-versioning",
        "bucket-lock",
        "bucket-lifecycle",
        "bucket-public-access",
    }
    drifted = {
        found["AlarmName"].removeprefix("ftry-prod-setting-drifted-")
        for found in monitoring.all("AWS::CloudWatch::Alarm")
        if "setting-drifted" in found["AlarmName"]
    }
    assert drifted == set(declared)


def test_the_function_is_told_all_databases(for_existing_instance: Synthesized) -> None:
    variables = for_existing_instance["backup"].only("AWS::Lambda::Function")["Environment"]["Variables"]
    assert json.loads(variables[EnvKey.DB_NAMES.value]) == ["orders", ODD_NAME]


def test_of_several_databases_the_first_is_created_with_the_instance() -> None:
    several = synthesize(settings_of("prod", database__names=["ftry", "audit"]))
    assert several["database"].only("AWS::RDS::DBInstance")["DBName"] == "ftry"
    assert len(several["backup"].all("AWS::Scheduler::Schedule")) == 6


@pytest.mark.parametrize("client", [17, 18])
def test_another_major_of_postgresql(client: int) -> None:
    other = synthesize(settings_of("prod", database__new_instance__engine_version="17.9", backup__client_major=client))
    instance = other["database"].only("AWS::RDS::DBInstance")
    assert instance["EngineVersion"] == "17.9"
    assert other["database"].only("AWS::RDS::DBParameterGroup")["Family"] == "postgres17"
    assets = json.loads((other.folder / "ftry-prod-backup.assets.json").read_text())["dockerImages"]
    (image,) = assets.values()
    assert image["source"]["dockerBuildArgs"] == {BUILD_ARG_PG_MAJOR: str(client)}


def test_intel_by_setting() -> None:
    intel = synthesize(settings_of("prod", backup__architecture="x86_64"))
    assert intel["backup"].only("AWS::Lambda::Function")["Architectures"] == ["x86_64"]
    (image,) = json.loads((intel.folder / "ftry-prod-backup.assets.json").read_text())["dockerImages"].values()
    assert image["source"]["platform"] == "linux/amd64"


def test_an_account_by_setting_is_not_asked_for_its_zones() -> None:
    placed = synthesize(settings_of("prod", account="123456789012"))
    assert not placed.manifest.get("missing")
    zones = [found["AvailabilityZone"] for found in placed["network"].all("AWS::EC2::Subnet")]
    assert zones == ["us-east-1a", "us-east-1b"]


def test_neither_account_nor_region() -> None:
    anywhere = synthesize(settings_of("prod", region=None, zones=None))
    assert not anywhere.manifest.get("missing")
    assert len(anywhere["network"].all("AWS::EC2::Subnet")) == 2


def test_a_lock_that_nobody_can_lift_by_setting() -> None:
    locked = synthesize(settings_of("prod", storage__lock={"mode": "COMPLIANCE", "days": 5}))
    bucket = locked["storage"].body["Resources"]["BackupsBucket2936A3AA"]["Properties"]
    assert bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {"Mode": "COMPLIANCE", "Days": 5}


def test_named_buckets_and_addresses_by_setting() -> None:
    named = synthesize(
        settings_of(
            "prod",
            storage__bucket_name="ftry-backups",
            storage__access_log_bucket_name="ftry-backups-log",
            monitoring__emails=["dba@example.com"],
            monitoring__runbook_base_url="https://wiki.example.com/runbooks/",
        )
    )
    assert [found["BucketName"] for found in named["storage"].all("AWS::S3::Bucket")] == [
        "ftry-backups-log",
        "ftry-backups",
    ]
    subscriptions = {found["Protocol"]: found for found in named["notification"].all("AWS::SNS::Subscription")}
    assert subscriptions["email"]["Endpoint"] == "dba@example.com"
    descriptions = [found["AlarmDescription"] for found in named["monitoring"].all("AWS::CloudWatch::Alarm")]
    assert all("https://wiki.example.com/runbooks/" in text for text in descriptions)
