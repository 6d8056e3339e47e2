"""RDS instances. Every call starts something and returns; waiting is for whoever calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from dbbackup.adapters.aws_errors import code_of
from dbbackup.core.pitr_errors import (
    AwsRefusedError,
    AwsUnreachableError,
    InstanceBusyError,
    InstanceMissingError,
    TargetTakenError,
    ThrottledError,
)
from dbbackup.core.pitr_ports import Instance

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

_THROTTLED: Final = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"})
_MISSING: Final = frozenset({"DBInstanceNotFound", "DBInstanceNotFoundFault"})
_BUSY: Final = frozenset({"InvalidDBInstanceState", "InvalidDBInstanceStateFault"})
_TAKEN: Final = frozenset({"DBInstanceAlreadyExists", "DBInstanceAlreadyExistsFault"})
_UNTOUCHED: Final = "No data was changed."


def make_client(*, hurried: bool = False) -> RDSClient:
    """An RDS client that gives up soon enough to leave the repetition to the state machine.

    Args:
        hurried: give up within 15 s, for work that comes again in minutes.
    """
    config = (
        Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=2, read_timeout=5)
        if hurried
        else Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=30)
    )
    return boto3.client("rds", config=config)


@contextmanager
def calling(action: str, subject: str, *, secret: bool = False) -> Iterator[None]:
    """Turn the SDK's errors of one call into ours.

    Args:
        action: the API's name for what is done.
        subject: the identifier that it is done to.
        secret: whether the request held a secret: then neither its error's text nor its chain is shown.

    Raises:
        ThrottledError: too many calls; repeat later.
        InstanceBusyError: the instance takes no order in its present state; repeat later.
        InstanceMissingError: there is none.
        TargetTakenError: the new identifier belongs to something else.
        AwsUnreachableError: no answer, or a fault on AWS's side; it may have been carried out all the same.
        AwsRefusedError: anything else.
    """
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        said = "" if secret else f": {error.response.get('Error', {}).get('Message', '').rstrip('.')}"
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        failure = _failure(code, f"{action} of {subject} failed: {code}{said}", broken=status >= 500)
        cause: BaseException | None = None if secret else error
    except BotoCoreError as error:
        said = type(error).__name__ if secret else str(error)
        kind = AwsUnreachableError if isinstance(error, NoConnectionError | HTTPClientError) else AwsRefusedError
        failure = kind(
            f"{action} of {subject} failed: {said}.",
            untouched=_UNTOUCHED,
            action="Check credentials and the network path to the service, and repeat.",
        )
        cause = None if secret else error
    else:
        return
    raise failure from cause


def _failure(code: str, what: str, *, broken: bool) -> Exception:
    if code in _THROTTLED:
        return ThrottledError(f"{what}.", untouched=_UNTOUCHED, action="Repeat it in some minutes.")
    if code in _BUSY:
        return InstanceBusyError(f"{what}.", untouched=_UNTOUCHED, action="Repeat it when the instance is available.")
    if code in _MISSING:
        return InstanceMissingError(f"{what}.", untouched=_UNTOUCHED, action="Check the identifier.")
    if code in _TAKEN:
        return TargetTakenError(f"{what}.", untouched=_UNTOUCHED, action="Choose another identifier.")
    if broken:
        return AwsUnreachableError(f"{what}.", untouched=_UNTOUCHED, action="Look what became of it, and repeat it.")
    return AwsRefusedError(
        f"{what}.",
        untouched=_UNTOUCHED,
        action="Look at the reason: a permission, a quota, a key or a group that is gone. Then repeat.",
    )


class RdsInstances:
    """The instances of this account and region."""

    def __init__(self, client: RDSClient) -> None:
        self._client = client

    def find(self, identifier: str) -> Instance | None:
        """The instance of this identifier, or None.

        Raises:
            DbBackupError: RDS does not answer.
        """
        try:
            with calling("DescribeDBInstances", identifier):
                found = self._client.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
        except InstanceMissingError:
            return None
        return found[0] if found else None

    def all(self) -> list[Instance]:
        """All instances of this account and region.

        Raises:
            DbBackupError: RDS does not answer.
        """
        with calling("DescribeDBInstances", "all instances"):
            pages = self._client.get_paginator("describe_db_instances").paginate()
            return [instance for page in pages for instance in page["DBInstances"]]

    def automated_backup(self, identifier: str) -> Mapping[str, Any] | None:
        """The automated backup of the instance, or None.

        Raises:
            DbBackupError: RDS does not answer.
        """
        try:
            with calling("DescribeDBInstanceAutomatedBackups", identifier):
                found = self._client.describe_db_instance_automated_backups(DBInstanceIdentifier=identifier)
        except InstanceMissingError:
            return None
        backups = found.get("DBInstanceAutomatedBackups") or []
        return next((backup for backup in backups if backup.get("Status") == "active"), None)

    def restore(self, parameters: Mapping[str, Any]) -> None:
        """Start a restore to a point in time.

        https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceToPointInTime.html

        Raises:
            DbBackupError: RDS refuses.
        """
        with calling("RestoreDBInstanceToPointInTime", str(parameters["TargetDBInstanceIdentifier"])):
            self._client.restore_db_instance_to_point_in_time(**parameters)

    def modify(self, identifier: str, changes: Mapping[str, Any]) -> None:
        """Change an instance at once, not in its maintenance window.

        Raises:
            DbBackupError: RDS refuses.
        """
        with calling("ModifyDBInstance", identifier):
            self._client.modify_db_instance(DBInstanceIdentifier=identifier, ApplyImmediately=True, **changes)

    def set_password(self, identifier: str, password: str) -> None:
        """Change the master password; it is in no message, whatever happens.

        Raises:
            DbBackupError: RDS refuses.
        """
        with calling("ModifyDBInstance (password)", identifier, secret=True):
            self._client.modify_db_instance(
                DBInstanceIdentifier=identifier, ApplyImmediately=True, MasterUserPassword=password
            )

    def rename(self, identifier: str, new: str) -> None:
        """Give an instance another identifier, and with it another endpoint.

        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_RenameInstance.html

        Raises:
            DbBackupError: RDS refuses.
        """
        with calling("ModifyDBInstance (rename)", identifier):
            self._client.modify_db_instance(
                DBInstanceIdentifier=identifier, ApplyImmediately=True, NewDBInstanceIdentifier=new
            )

    def delete(self, identifier: str) -> None:
        """Delete an instance without a final snapshot, its automated backups too.

        Raises:
            DbBackupError: RDS refuses.
        """
        with calling("DeleteDBInstance", identifier):
            self._client.delete_db_instance(
                DBInstanceIdentifier=identifier, SkipFinalSnapshot=True, DeleteAutomatedBackups=True
            )

    def tag(self, instance: Instance, tags: Mapping[str, str]) -> None:
        """Set tags of an instance.

        Raises:
            DbBackupError: RDS refuses.
        """
        with calling("AddTagsToResource", str(instance["DBInstanceIdentifier"])):
            self._client.add_tags_to_resource(
                ResourceName=instance["DBInstanceArn"],
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
