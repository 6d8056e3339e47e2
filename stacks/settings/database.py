"""Settings of the database: a new RDS instance, or one that is already there."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from stacks.settings.base import Group
from stacks.settings.logs import LogRetentionDays
from stacks.settings.names import (
    CreatedDatabase,
    DatabaseName,
    InstanceIdentifier,
    KeyArn,
    MasterUser,
    RoleArn,
    SecretArn,
    SecurityGroupId,
    created_database_rule,
)
from stacks.settings.refusal import accepted_by, between, one_of, refuse
from stacks.settings.windows import DailyWindow, WeeklyWindow, overlap

OLDEST_MAJOR: Final = 14
"""Oldest major version that the PostgreSQL project maintains at the time of this release."""


def engine_version_rule(text: str) -> str | None:
    """Rule that a version of the engine breaks."""
    if not re.fullmatch(r"\d{2}\.\d{1,2}", text):
        return "a PostgreSQL version is major.minor, as in 18.2"
    if int(text.split(".")[0]) < OLDEST_MAJOR:
        return f"PostgreSQL {OLDEST_MAJOR} is the oldest major version that its project still maintains"
    return None


def instance_class_rule(text: str) -> str | None:
    """Rule that an instance class breaks."""
    return None if re.fullmatch(r"db\.[a-z0-9-]+\.[a-z0-9-]+", text) else "an RDS class is db.FAMILY.SIZE"


EngineVersion = Annotated[str, accepted_by(engine_version_rule, fix="write for example 18.2")]
InstanceClass = Annotated[str, accepted_by(instance_class_rule, fix="write for example db.t4g.medium")]
Port = Annotated[int, between(1150, 65535, unit="(TCP port)", why="RDS takes no lower port")]


class NewInstance(Group):
    """An RDS instance that this app creates."""

    identifier: InstanceIdentifier = Field(description="RDS instance identifier, which becomes part of the endpoint")
    engine_version: EngineVersion = Field(default="18.2", description="PostgreSQL version, major.minor")
    instance_class: InstanceClass = Field(default="db.t4g.medium", description="RDS instance class")
    port: Port = Field(default=5432, description="TCP port")
    master_user: MasterUser = Field(default="postgres", description="user whose password is generated and rotated")
    multi_az: bool = Field(default=True, description="whether a standby runs in a second zone; doubles the price")
    allocated_storage_gib: Annotated[
        int, between(20, 65536, unit="GiB", why="what RDS offers for gp3 with PostgreSQL")
    ] = Field(default=50, description="storage at the start, in GiB")
    storage_limit_gib: Annotated[int, between(22, 65536, unit="GiB", why="what RDS offers for gp3 with PostgreSQL")] = (
        Field(default=200, description="storage up to which RDS grows by itself, in GiB")
    )
    backup_retention_days: Annotated[
        int, between(1, 35, unit="days", why="RDS keeps automated backups no longer, and with 0 there is no recovery")
    ] = Field(default=30, description="days that point-in-time recovery reaches back")
    backup_window: DailyWindow = Field(default="02:00-03:00", description="daily window of the snapshot, UTC")
    maintenance_window: WeeklyWindow = Field(default="sun:05:00-sun:06:00", description="weekly window, UTC")
    auto_minor_version_upgrade: bool = Field(
        default=False, description="whether RDS upgrades the minor version by itself; see decision record 0013"
    )
    deletion_protection: bool = Field(default=True, description="whether RDS refuses to delete the instance")
    on_removal: Literal["snapshot", "retain", "destroy"] = Field(
        default="snapshot", description="what becomes of the instance when it leaves the template"
    )
    parameters: dict[str, str] = Field(default_factory=dict, description="further parameters of the parameter group")
    rotation_days: Annotated[
        int, between(1, 365, unit="days", why="a password older than a year counts as unrotated")
    ] = Field(default=30, description="days between two rotations of the master password")
    monitoring_interval_seconds: Annotated[
        int, one_of(1, 5, 10, 15, 30, 60, why="the intervals of RDS Enhanced Monitoring")
    ] = Field(default=60, description="seconds between two samples of the operating system")
    log_retention_days: LogRetentionDays = Field(default=90, description="days that PostgreSQL's own log is kept")

    @property
    def engine_major(self) -> int:
        """Major version of the engine."""
        return int(self.engine_version.split(".")[0])

    @model_validator(mode="after")
    def _windows_apart(self) -> Self:
        if overlap(self.backup_window, self.maintenance_window):
            raise refuse(
                at="maintenance_window",
                value=f"{self.maintenance_window} (backup window {self.backup_window})",
                rule="RDS refuses a maintenance window that overlaps the backup window",
                fix="move one of them, for example maintenance to sun:05:00-sun:06:00",
            )
        return self

    @model_validator(mode="after")
    def _room_to_grow(self) -> Self:
        # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
        least = -(-self.allocated_storage_gib * 110 // 100)
        if self.storage_limit_gib < least:
            raise refuse(
                at="storage_limit_gib",
                value=f"{self.storage_limit_gib} GiB with {self.allocated_storage_gib} GiB allocated",
                rule="RDS wants the limit at least a tenth above the allocated storage, or it can't grow",
                fix=f"write {least} or more; a full disk stops PostgreSQL",
            )
        return self

    @model_validator(mode="after")
    def _tls_stays_on(self) -> Self:
        if self.parameters.get("rds.force_ssl", "1") != "1":
            raise refuse(
                at="parameters.rds.force_ssl",
                value=self.parameters["rds.force_ssl"],
                rule="every connection is encrypted",
                fix="leave rds.force_ssl out; it is always 1",
            )
        return self


class ExistingInstance(Group):
    """An RDS instance that somebody else owns: nothing about it is created or changed."""

    identifier: InstanceIdentifier = Field(description="RDS instance identifier")
    host: str = Field(min_length=1, description="endpoint, without the port")
    port: Port = Field(default=5432, description="TCP port")
    engine_major: Annotated[
        int, between(OLDEST_MAJOR, 99, unit="(major version)", why="older ones are no longer maintained")
    ] = Field(description="major version of PostgreSQL")
    security_group_id: SecurityGroupId = Field(description="security group of the instance")
    add_ingress_rule: bool = Field(
        default=True, description="whether to let the backup function in; false where its owner adds the rule"
    )
    secret_arn: SecretArn = Field(description="complete ARN of a secret with username and password")
    secret_key_arn: KeyArn | None = Field(
        default=None, description="KMS key of the secret; leave out for the key aws/secretsmanager"
    )
    storage_key_arn: KeyArn | None = Field(
        default=None, description="KMS key of the storage, for restores; leave out for the key aws/rds"
    )
    monitoring_role_arn: RoleArn | None = Field(
        default=None, description="role of enhanced monitoring, for restores; leave out where there is none"
    )


class DatabaseSettings(Group):
    """The databases that are backed up, and the instance that they are on."""

    names: tuple[DatabaseName, ...] = Field(
        strict=False, description="databases to back up; the first is created with a new instance"
    )
    new_instance: NewInstance | None = Field(default=None, description="create this instance")
    existing_instance: ExistingInstance | None = Field(default=None, description="use this instance and create none")

    @property
    def instance(self) -> NewInstance | ExistingInstance:
        """The instance, whichever of the two it is."""
        chosen = self.new_instance or self.existing_instance
        assert chosen is not None, "the validator lets exactly one through"
        return chosen

    @property
    def created_database(self) -> CreatedDatabase:
        """The database that RDS creates with a new instance."""
        return self.names[0]

    @model_validator(mode="after")
    def _names(self) -> Self:
        if not self.names or len(set(self.names)) != len(self.names):
            raise refuse(
                at="names",
                value=list(self.names),
                rule="at least one database, each named once",
                fix='write for example ["ftry"]',
            )
        broken = created_database_rule(self.names[0]) if self.new_instance else None
        if broken is not None:
            raise refuse(at="names.0", value=self.names[0], rule=broken, fix="write a name such as ftry")
        return self

    @model_validator(mode="after")
    def _one_instance(self) -> Self:
        if (self.new_instance is None) == (self.existing_instance is None):
            raise refuse(
                at="new_instance",
                value="both are given" if self.new_instance else "none is given",
                rule="exactly one of new_instance and existing_instance",
                fix="remove one, or describe the instance under one of them",
            )
        return self
