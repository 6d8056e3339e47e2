"""All settings of one environment, and the rules that span several groups."""

from __future__ import annotations

import re
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from stacks.settings.backup import BackupSettings
from stacks.settings.base import Group
from stacks.settings.cadence import check_cadences
from stacks.settings.database import DatabaseSettings
from stacks.settings.github import GithubSettings
from stacks.settings.instance_size import check_limits
from stacks.settings.monitoring import RUNBOOKS_HERE, MonitoringSettings
from stacks.settings.network import NetworkSettings
from stacks.settings.notification import NotificationSettings
from stacks.settings.refusal import accepted_by, refuse
from stacks.settings.rehearsal import RehearsalSettings
from stacks.settings.restore import RestoreSettings
from stacks.settings.storage import StorageSettings


def _short_name_rule(text: str) -> str | None:
    if re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", text) and len(text) <= 20:
        return None
    return "up to 20 lower-case letters, digits and single hyphens, beginning with a letter: it begins every name"


LONGEST_REHEARSED: Final = 42
ShortName = Annotated[str, accepted_by(_short_name_rule, fix="write a short name such as ftry or prod")]
AccountId = Annotated[
    str,
    accepted_by(
        lambda text: None if re.fullmatch(r"\d{12}", text) else "an AWS account is a text of 12 digits",
        fix='write it in quotes, "123456789012", or leave it out to use the account of the credentials',
    ),
]
Region = Annotated[
    str,
    accepted_by(
        lambda text: None if re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", text) else "an AWS region is like us-east-1",
        fix="write for example us-east-1",
    ),
]


class Settings(Group):
    """One environment."""

    environment: ShortName = Field(description="name of the environment, the key of its block in cdk.json")
    name: ShortName = Field(description="name of the system, with which every name begins")
    account: AccountId | None = Field(default=None, description="AWS account; leave out to take it from credentials")
    region: Region | None = Field(default=None, description="AWS region; leave out to take it from credentials")
    zones: tuple[str, ...] = Field(default=(), strict=False, description="zones of a new VPC, two or three")
    termination_protection: bool = Field(
        default=True, description="whether CloudFormation refuses to delete the database and storage stacks"
    )
    tags: dict[str, str] = Field(default_factory=dict, description="tags of every resource, besides our own")
    network: NetworkSettings = NetworkSettings()
    database: DatabaseSettings = Field(description="the databases to back up, and the instance that they are on")
    storage: StorageSettings = StorageSettings()
    backup: BackupSettings = BackupSettings()
    restore: RestoreSettings = RestoreSettings()
    rehearsal: RehearsalSettings = RehearsalSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    notification: NotificationSettings = NotificationSettings()
    github: GithubSettings | None = Field(
        default=None, description="what jobs of GitHub Actions may do; nothing by default"
    )

    @property
    def prefix(self) -> str:
        """What every name of this environment begins with."""
        return f"{self.name}-{self.environment}"

    @property
    def runbook_base_url(self) -> str:
        """Where runbooks are read: as written, else in the repository on GitHub, else a path that is no address."""
        written = self.monitoring.runbook_base_url.rstrip("/")
        if written != RUNBOOKS_HERE or self.github is None:
            return written
        return f"https://github.com/{self.github.repository}/blob/{self.github.branch}/{RUNBOOKS_HERE}"

    @model_validator(mode="after")
    def _client_reads_the_engine(self) -> Self:
        engine = self.database.instance.engine_major
        if self.backup.client_major < engine:
            raise refuse(
                at="backup.client_major",
                value=f"{self.backup.client_major} for an engine of major version {engine}",
                rule="pg_dump refuses a server newer than itself, so every backup would fail",
                fix=f"write {engine} or later",
            )
        return self

    @model_validator(mode="after")
    def _backups_come_before_they_are_missed(self) -> Self:
        check_cadences(self.backup, self.monitoring, self.storage)
        return self

    @model_validator(mode="after")
    def _watched_databases_are_known(self) -> Self:
        for number, table in enumerate(self.restore.verify_tables):
            if table.database not in self.database.names:
                raise refuse(
                    at=f"restore.verify_tables.{number}.database",
                    value=table.database,
                    rule=f"one of database.names: {', '.join(self.database.names)}",
                    fix="name one of them",
                )
        return self

    @model_validator(mode="after")
    def _rehearsal_fits(self) -> Self:
        for number, check in enumerate(self.rehearsal.checks):
            if check.database not in self.database.names:
                raise refuse(
                    at=f"rehearsal.checks.{number}.database",
                    value=check.database,
                    rule=f"one of database.names: {', '.join(self.database.names)}",
                    fix="name one of them",
                )
        identifier = self.database.instance.identifier
        if self.rehearsal.enabled and len(identifier) > LONGEST_REHEARSED:
            raise refuse(
                at="rehearsal.enabled",
                value=f"true, for the instance {identifier}",
                rule="a temporary instance is called <instance>-rehearsal-<time>, in 63 characters: up to "
                f"{LONGEST_REHEARSED} are the instance's",
                fix="give the instance a shorter identifier, or write false and rehearse by hand",
            )
        return self

    @model_validator(mode="after")
    def _storage_alarm_below_storage(self) -> Self:
        new = self.database.new_instance
        least = self.monitoring.instance.least_storage_gib
        if new is not None and least >= new.allocated_storage_gib:
            raise refuse(
                at="monitoring.instance.least_storage_gib",
                value=f"{least} GiB of {new.allocated_storage_gib} GiB allocated",
                rule="an empty instance would have less than that free, and the alarm would never end",
                fix=f"write for example {max(1, new.allocated_storage_gib // 10)}",
            )
        return self

    @model_validator(mode="after")
    def _alarms_within_the_class(self) -> Self:
        if self.database.new_instance is not None:
            check_limits(self.database.new_instance, self.monitoring.instance)
        return self

    @model_validator(mode="after")
    def _zones_are_known(self) -> Self:
        if self.network.existing_vpc is not None:
            return self
        if self.account and self.region and not self.zones:
            raise refuse(
                at="zones",
                value="none, with an account and a region",
                rule="the CDK would ask AWS for the zones of this account; synthesizing asks nobody",
                fix=f'write for example ["{self.region}a", "{self.region}b"]',
            )
        if self.zones and not 2 <= len(set(self.zones)) <= 3:
            raise refuse(
                at="zones",
                value=list(self.zones),
                rule="RDS wants subnets in at least two zones, and more than three only cost",
                fix="name two or three different zones",
            )
        strangers = [zone for zone in self.zones if self.region and not zone.startswith(self.region)]
        if strangers or (self.zones and not self.region):
            raise refuse(
                at="zones",
                value=list(self.zones),
                rule=f"zones of the region {self.region or '(none is given)'}",
                fix="name the region, and zones that begin with its name",
            )
        return self
