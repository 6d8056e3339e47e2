"""The master password of now, for an instance that has the one of another time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbbackup.core.pitr_errors import NotRestorableError
from dbbackup.core.pitr_ports import Instance, Instances


def set_password(
    instance: Instance, *, instances: Instances, secret: str, read_credentials: Callable[[], tuple[str, str]]
) -> dict[str, Any]:
    """Give an instance the password that the secret has now. It may be repeated.

    Where RDS manages the password itself, it does so in a secret of that one instance, which nothing moves to another:
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html

    Args:
        instance: its description.
        instances: RDS.
        secret: ARN of the secret, which may be read as long as nobody logs it.
        read_credentials: user and password of now.

    Returns:
        Whether it was set, and why not.

    Raises:
        NotRestorableError: RDS manages the password, in another secret.
        InstanceBusyError: the instance takes no order now; repeat later.
        DbBackupError: the secret cannot be read, or RDS refuses. The password is in no message.
    """
    name = str(instance["DBInstanceIdentifier"])
    managed = (instance.get("MasterUserSecret") or {}).get("SecretArn")
    if managed == secret:
        return {"set": False, "why": "RDS itself keeps that secret and the password alike"}
    if managed:
        raise NotRestorableError(
            f"RDS manages the master password of {name}, in the secret {managed}; those who read {secret} would not "
            "get in.",
            untouched="Nothing was renamed.",
            action="Point them and this system to that secret; or give the instance a password of your own first: aws "
            f"rds modify-db-instance --db-instance-identifier {name} --no-manage-master-user-password "
            "--master-user-password ...",
        )
    user, password = read_credentials()
    if user != instance.get("MasterUsername"):
        # Another user's password is none of RDS's business; whether it is right, the log-in shows.
        return {"set": False, "why": "the secret is not that of the master user"}
    instances.set_password(name, password)
    return {"set": True}
