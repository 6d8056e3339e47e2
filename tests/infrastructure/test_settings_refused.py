"""Settings that would fail at deployment, or lose data later, are refused with the value, the rule and the fix."""

from __future__ import annotations

from typing import Any

import pytest

from stacks.settings import SettingsError
from stacks.settings.load import parse
from tests.infrastructure.synthesis import block_of, settings_of

VPC: dict[str, Any] = {
    "vpc_id": "vpc-0123456789abcdef0",
    "cidr": "10.9.0.0/16",
    "zones": ["us-east-1a", "us-east-1b"],
    "subnet_ids": ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"],
}
EXISTING: dict[str, Any] = {
    "identifier": "orders",
    "host": "orders.example",
    "engine_major": 18,
    "security_group_id": "sg-0123456789abcdef0",
    "secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders-AbCdEf",
}
NEW = "database__new_instance__"

REFUSED = [
    # setting that is changed, its value, path shown, part of the rule shown
    ("databse", {}, "databse", "only known settings"),
    (NEW + "backup_retention", 30, "database.new_instance.backup_retention", "only known settings"),
    (NEW + "backup_retention_days", 0, "database.new_instance.backup_retention_days", "1 to 35 days"),
    (NEW + "backup_retention_days", 36, "database.new_instance.backup_retention_days", "1 to 35 days"),
    (NEW + "backup_retention_days", "30", "database.new_instance.backup_retention_days", "valid integer"),
    (NEW + "multi_az", "yes", "database.new_instance.multi_az", "valid boolean"),
    ("backup__client_major", 17, "backup.client_major", "refuses a server newer than itself"),
    (NEW + "engine_version", "19.0", "backup.client_major", "refuses a server newer than itself"),
    (NEW + "engine_version", "18", "database.new_instance.engine_version", "major.minor"),
    (NEW + "engine_version", "13.9", "database.new_instance.engine_version", "oldest major"),
    (NEW + "maintenance_window", "sun:02:30-sun:03:30", "database.new_instance.maintenance_window", "overlaps"),
    (NEW + "maintenance_window", "sun:01:00-sun:04:00", "database.new_instance.maintenance_window", "overlaps"),
    (NEW + "maintenance_window", "sun:23:50-mon:02:10", "database.new_instance.maintenance_window", "overlaps"),
    (NEW + "maintenance_window", "sun:05:00-sun:05:20", "database.new_instance.maintenance_window", "30 minutes"),
    (NEW + "maintenance_window", "Sunday 5am", "database.new_instance.maintenance_window", "ddd:hh:mm-ddd:hh:mm"),
    (NEW + "backup_window", "02:00-02:20", "database.new_instance.backup_window", "30 minutes"),
    (NEW + "backup_window", "25:00-26:00", "database.new_instance.backup_window", "hh:mm-hh:mm"),
    (NEW + "storage_limit_gib", 40, "database.new_instance.storage_limit_gib", "a tenth above"),
    (NEW + "storage_limit_gib", 54, "database.new_instance.storage_limit_gib", "a tenth above"),
    (NEW + "allocated_storage_gib", 10, "database.new_instance.allocated_storage_gib", "20 to 65536 GiB"),
    (NEW + "identifier", "Ftry", "database.new_instance.identifier", "lower-case"),
    (NEW + "identifier", "1ftry", "database.new_instance.identifier", "begins with a letter"),
    (NEW + "identifier", "ftry-", "database.new_instance.identifier", "ends with a hyphen"),
    (NEW + "identifier", "ftry--prod", "database.new_instance.identifier", "two in a row"),
    (NEW + "identifier", "f" * 64, "database.new_instance.identifier", "1 to 63"),
    (NEW + "identifier", "", "database.new_instance.identifier", "1 to 63"),
    (NEW + "instance_class", "t4g.medium", "database.new_instance.instance_class", "db.FAMILY.SIZE"),
    (NEW + "master_user", "admin", "database.new_instance.master_user", "reserved"),
    (NEW + "master_user", "pg_me", "database.new_instance.master_user", "reserved"),
    (NEW + "monitoring_interval_seconds", 45, "database.new_instance.monitoring_interval_seconds", "one of"),
    (NEW + "log_retention_days", 91, "database.new_instance.log_retention_days", "CloudWatch Logs offers"),
    (NEW + "parameters", {"rds.force_ssl": "0"}, "database.new_instance.parameters.rds.force_ssl", "encrypted"),
    (NEW + "on_removal", "delete", "database.new_instance.on_removal", "snapshot"),
    ("database__names", [], "database.names", "at least one"),
    ("database__names", ["a", "a"], "database.names", "named once"),
    ("database__names", ["my-db"], "database.names.0", "letters, digits and underscores"),
    ("database__names", ["ftry", "d" * 64], "database.names.1", "63 bytes"),
    ("database__names", ["ftry", "bücher"], "database.names.1", "printable ASCII"),
    ("database__names", ["ftry", "two\nlines"], "database.names.1", "printable ASCII"),
    ("database__names", ["ftry", " "], "database.names.1", "not blank"),
    ("database__names", ["ftry", ":memory:"], "database.names.1", "colon"),
    ("database__names", ["ftry", "rdsadmin"], "database.names.1", "belongs to RDS"),
    ("database__names", ["template1"], "database.names.0", "belongs to RDS"),
    ("database__new_instance", None, "database.new_instance", "exactly one"),
    ("database__existing_instance", EXISTING, "database.new_instance", "exactly one"),
    ("storage__tiers__weekly", {"kept_days": 89, "storage_class": "GLACIER"}, "storage.tiers.weekly.kept_days", "90"),
    (
        "storage__tiers__monthly",
        {"kept_days": 179, "storage_class": "DEEP_ARCHIVE"},
        "storage.tiers.monthly.kept_days",
        "bills DEEP_ARCHIVE for 180 days",
    ),
    ("storage__tiers__daily", {"kept_days": 89, "storage_class": "GLACIER_IR"}, "storage.tiers.daily.kept_days", "90"),
    (
        "storage__tiers__daily",
        {"kept_days": 59, "storage_class": "STANDARD_IA"},
        "storage.tiers.daily.kept_days",
        "30 days at least, after 30 in STANDARD",
    ),
    ("storage__tiers__hourly", {"kept_days": 1}, "storage.tiers.hourly", "only known settings"),
    ("storage__lock", {"mode": "GOVERNANCE", "days": 8}, "storage.lock.days", "longer than a tier"),
    ("storage__noncurrent_days", 0, "storage.noncurrent_days", "at least a day"),
    ("storage__bucket_name", "Ftry", "storage.bucket_name", "lower-case"),
    ("storage__bucket_name", "ab", "storage.bucket_name", "3 to 63"),
    ("storage__bucket_name", "b" * 64, "storage.bucket_name", "3 to 63"),
    ("storage__bucket_name", "ftry.backups", "storage.bucket_name", "break TLS"),
    ("storage__bucket_name", "ftry-", "storage.bucket_name", "begins and ends"),
    ("storage__bucket_name", "xn--ftry", "storage.bucket_name", "prefix xn--"),
    ("storage__bucket_name", "sthree-ftry", "storage.bucket_name", "prefix sthree-"),
    ("storage__bucket_name", "ftry-s3alias", "storage.bucket_name", "suffix -s3alias"),
    ("network__existing_vpc", {**VPC, "zones": ["us-east-1a"] * 2}, "network.existing_vpc.subnet_ids", "two"),
    ("network__existing_vpc", {**VPC, "zones": ["us-east-1a"]}, "network.existing_vpc.zones", "at the same place"),
    ("network__existing_vpc", {**VPC, "vpc_id": "my-vpc"}, "network.existing_vpc.vpc_id", "a VPC id is"),
    ("network__existing_vpc", {**VPC, "create_endpoints": True}, "network.existing_vpc.route_table_ids", "a route"),
    ("network__cidr", "10.0.0.0/8", "network.cidr", "/16 to /24"),
    ("network__cidr", "10.0.0.1/16", "network.cidr", "IPv4 range"),
    ("network__cidr", "8.8.0.0/16", "network.cidr", "private range"),
    ("account", "1234", "account", "12 digits"),
    ("region", "useast1", "region", "us-east-1"),
    ("zones", ["us-east-1a"], "zones", "at least two zones"),
    ("zones", ["us-east-1a", "eu-west-1a"], "zones", "zones of the region us-east-1"),
    ("region", None, "zones", "zones of the region (none is given)"),
    ("name", "FTRY", "name", "lower-case"),
    ("backup__timeout_seconds", 901, "backup.timeout_seconds", "15 minutes"),
    ("backup__memory_mib", 128, "backup.memory_mib", "512 to 10240"),
    ("backup__reserved_concurrency", 0, "backup.reserved_concurrency", "no backup would ever run"),
    ("backup__compression_level", 19, "backup.compression_level", "gzip has levels 1 to 9"),
    ("backup__architecture", "arm", "backup.architecture", "arm64"),
    ("backup__schedules", {"daily": "0 2 * * *"}, "backup.schedules.daily", "six fields"),
    ("backup__schedules", {"daily": "cron(0 2 * * * *)"}, "backup.schedules.daily", "exactly one"),
    ("backup__schedules", {"daily": "cron(99 99 99 99 ? *)"}, "backup.schedules.daily", "minutes is from 0 to 59"),
    ("backup__schedules", {"daily": "cron(0 2 ? * SUN *)"}, "backup.schedules.daily", "rings after 25 hours"),
    ("backup__schedules", {"daily": "cron(0 2,3 ? * MON-FRI *)"}, "backup.schedules.daily", "rings after 25 hours"),
    ("backup__schedules", {"weekly": "cron(0 3 1,15 * ? *)"}, "backup.schedules.weekly", "rings after 8 days"),
    ("backup__schedules", {"monthly": "cron(0 4 1 1 ? *)"}, "backup.schedules.monthly", "rings after 32 days"),
    ("backup__schedules", {"monthly": "cron(0 4 31 * ? *)"}, "backup.schedules.monthly", "rings after 32 days"),
    ("rehearsal__schedule", "cron(0 6 1 */3 ? *)", "rehearsal.missing_days", "must not ring"),
    ("rehearsal__missing_days", 2, "rehearsal.missing_days", "must not ring"),
    ("rehearsal__missing_days", 31, "rehearsal.missing_days", "must not ring"),
    ("rehearsal__watch_schedule", "cron(0 7 ? * MON *)", "rehearsal.watch_schedule", "each day needs a look"),
    ("storage__tiers__monthly", {"kept_days": 31}, "storage.tiers.monthly.kept_days", "after 32 days"),
    (NEW + "instance_class", "db.t4g.micro", "monitoring.instance.most_connections", "never be raised"),
    (NEW + "parameters", {"max_connections": "200"}, "monitoring.instance.most_connections", "never be raised"),
    ("monitoring__instance", {"most_connections": 5000}, "monitoring.instance.most_connections", "never be raised"),
    ("monitoring__instance", {"least_memory_mib": 2049}, "monitoring.instance.least_memory_mib", "never end"),
    ("monitoring__missing_backup_hours", 24, "monitoring.missing_backup_hours", "run's own duration"),
    ("monitoring__missing_backup_hours", 169, "monitoring.missing_backup_hours", "no more than a week"),
    ("monitoring__missing_weekly_days", 7, "monitoring.missing_weekly_days", "7 days and a run's own"),
    ("monitoring__missing_monthly_days", 31, "monitoring.missing_monthly_days", "up to 31 days"),
    ("monitoring__least_size_ratio", 0, "monitoring.least_size_ratio", "with 0 the alarm never rings"),
    ("monitoring__least_size_ratio", 1.5, "monitoring.least_size_ratio", "between 0 and 1"),
    ("monitoring__size_deviations", 0, "monitoring.size_deviations", "1 to 10"),
    ("monitoring__slow_backup_percent", 100, "monitoring.slow_backup_percent", "given up already"),
    ("monitoring__recovery_point_minutes", 5, "monitoring.recovery_point_minutes", "every five minutes"),
    ("monitoring__instance", {"least_storage_gib": 50}, "monitoring.instance.least_storage_gib", "never end"),
    ("monitoring__instance", {"most_cpu_percent": 100}, "monitoring.instance.most_cpu_percent", "never be raised"),
    ("monitoring__instance", {"most_connections": 0}, "monitoring.instance.most_connections", "max_connections"),
    ("monitoring__instance", {"least_memory_mib": 1}, "monitoring.instance.least_memory_mib", "ended already"),
    ("monitoring__alert_rehearsal", {"weekday": "wednesday"}, "monitoring.alert_rehearsal.weekday", "days of the week"),
    ("monitoring__alert_rehearsal", {"hour": 24}, "monitoring.alert_rehearsal.hour", "hours of a day"),
    ("monitoring__alert_rehearsal", {"minutes": 20}, "monitoring.alert_rehearsal.minutes", "CloudWatch needs"),
    ("monitoring__max_backup_bytes", 0, "monitoring.max_backup_bytes", "bytes"),
    ("monitoring__max_backup_bytes", -1, "monitoring.max_backup_bytes", "bytes"),
    ("monitoring__emails", ["nobody"], "monitoring.emails.0", "name@domain"),
    ("monitoring__runbook_base_url", "not a url {}", "monitoring.runbook_base_url", "an URL without blanks"),
    ("monitoring__runbook_base_url", "", "monitoring.runbook_base_url", "an URL without blanks"),
    ("monitoring__runbook_base_url", "wiki/runbooks", "monitoring.runbook_base_url", "an URL without blanks"),
    ("monitoring__runbook_base_url", "ftp://wiki.example.com", "monitoring.runbook_base_url", "an URL without"),
    ("monitoring__runbook_base_url", "https://", "monitoring.runbook_base_url", "an URL without"),
    ("monitoring__runbook_base_url", "https://a:b@c.example/x", "monitoring.runbook_base_url", "user"),
    ("monitoring__runbook_base_url", "https://c.example/x?page=1", "monitoring.runbook_base_url", "query"),
    ("monitoring__runbook_base_url", "https://c.example/x#top", "monitoring.runbook_base_url", "fragment"),
    ("monitoring__runbook_base_url", "https://c.example/<x>", "monitoring.runbook_base_url", "an URL without"),
]


@pytest.mark.parametrize(("setting", "value", "path", "rule"), REFUSED)
def test_refused(setting: str, value: Any, path: str, rule: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings_of("prod", **{setting: value})
    text = str(refused.value)
    blocks = [block.splitlines() for block in text.split("\n\n")[1:]]
    (block,) = [found for found in blocks if found[0].strip() == path]
    labels = dict(line.strip().split(":", 1) for line in block[1:])
    assert rule in labels["rule"]
    assert labels["value"].strip()
    assert labels["fix"].strip()


@pytest.mark.parametrize(
    ("tier", "days", "more"),
    [
        ("daily", 1, {}),
        ("weekly", 5, {}),
        ("weekly", 30, {"monitoring__missing_weekly_days": 31}),
        ("monthly", 14, {}),
    ],
)
def test_a_tier_that_expires_before_it_is_missed(tier: str, days: int, more: dict[str, Any]) -> None:
    changes = {f"storage__tiers__{tier}": {"kept_days": days}, "storage__lock__days": 1, **more}
    with pytest.raises(SettingsError, match=rf"storage\.tiers\.{tier}\.kept_days\n.*{days} days"):
        settings_of("prod", **changes)
    settings_of("prod", **{**changes, f"storage__tiers__{tier}": {"kept_days": 32}})


def test_a_schedule_that_comes_more_often_or_is_missed_later_is_the_way_out() -> None:
    with pytest.raises(SettingsError, match=r"or write 73 for monitoring\.missing_backup_hours"):
        settings_of("prod", backup__schedules={"daily": "cron(0 2 ? * MON-FRI *)"})
    settings_of("prod", backup__schedules={"daily": "cron(0 2 ? * MON-FRI *)"}, monitoring__missing_backup_hours=73)
    with pytest.raises(SettingsError, match="fix:   let it come more often\n"):
        settings_of("prod", backup__schedules={"daily": "cron(0 2 ? * SUN *)"}, monitoring__missing_backup_hours=168)


def test_what_is_not_rehearsed_is_not_missed() -> None:
    settings_of(
        "prod", rehearsal__enabled=False, rehearsal__missing_days=2, rehearsal__watch_schedule="cron(0 7 ? * 2 *)"
    )


def test_no_time_left_for_the_dump() -> None:
    with pytest.raises(SettingsError, match="at least half of the time is for the dump"):
        settings_of("prod", backup__timeout_seconds=100, backup__deadline_margin_seconds=60)


def test_an_account_without_zones() -> None:
    with pytest.raises(SettingsError, match="synthesizing asks nobody"):
        settings_of("prod", account="123456789012", zones=None)


def test_access_logs_in_the_same_bucket() -> None:
    with pytest.raises(SettingsError, match="never stops growing"):
        settings_of("prod", storage__bucket_name="ftry-b", storage__access_log_bucket_name="ftry-b")


def test_an_incomplete_secret_arn() -> None:
    partial = {**EXISTING, "secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders"}
    with pytest.raises(SettingsError, match="six characters"):
        settings_of("prod", database__new_instance=None, database__existing_instance=partial)


def test_an_existing_instance_newer_than_the_client() -> None:
    with pytest.raises(SettingsError, match="refuses a server newer than itself"):
        settings_of(
            "prod",
            database__new_instance=None,
            database__existing_instance={**EXISTING, "engine_major": 18},
            backup__client_major=17,
        )


def test_a_missing_setting_says_what_it_is() -> None:
    with pytest.raises(SettingsError) as refused:
        settings_of("prod", database__new_instance={})
    assert "database.new_instance.identifier" in str(refused.value)
    assert "(missing)" in str(refused.value)
    assert "fix:   add it: RDS instance identifier" in str(refused.value)


def test_a_missing_group_says_what_it_is() -> None:
    with pytest.raises(SettingsError, match="add it: the databases to back up"):
        settings_of("prod", database=None)


def test_a_misspelt_setting_gets_the_right_one_proposed() -> None:
    with pytest.raises(SettingsError, match=r"did you mean database\?"):
        settings_of("prod", databse={})


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        settings_of("prod", backup__memory_mib=1, monitoring__emails=["x"], storage__noncurrent_days=0)
    assert str(refused.value).count("rule:") == 3


@pytest.mark.parametrize("environment", ["qa", "", None, 7])
def test_an_unknown_environment(environment: object) -> None:
    with pytest.raises(SettingsError, match="with one of: dev, prod"):
        parse(environment, {"dev": block_of("dev"), "prod": block_of("prod")})


@pytest.mark.parametrize("blocks", [None, {}, [], "prod"])
def test_no_settings_at_all(blocks: object) -> None:
    with pytest.raises(SettingsError, match=r"context\.environments"):
        parse("prod", blocks)


def test_a_block_that_is_none() -> None:
    with pytest.raises(SettingsError, match="a block of settings"):
        parse("prod", {"prod": "yes"})


def test_an_environment_is_named_by_its_block_only() -> None:
    with pytest.raises(SettingsError, match="only known settings"):
        parse("prod", {"prod": {**block_of("prod"), "environment": "dev"}})


def test_an_environment_that_no_stack_could_be_named_after() -> None:
    with pytest.raises(SettingsError, match="it begins every name"):
        parse("Prod_1", {"Prod_1": block_of("prod")})
