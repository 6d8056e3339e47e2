"""How to go back to the moment before a migration, as commands that can be run as they are."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import UTC
from typing import Final

from dbbackup.core.receipt import Receipt
from dbbackup.core.server_name import rds_instance
from dbbackup.core.units import format_time

RESTORE: Final = "dbbackup restore"
_IDENTIFIER_MAX: Final = 63
_OURS: Final = re.compile(r"(?P<system>.+)-backup")


@dataclass(frozen=True, slots=True)
class Way:
    """One way back.

    Attributes:
        purpose: what it gets back.
        command: one line for a shell.
    """

    purpose: str
    command: str


def instance_of(receipt: Receipt) -> str | None:
    """The RDS instance that was backed up: as the function says, else as its host name says."""
    return receipt.backup.instance or rds_instance(receipt.backup.host)


def system_of(function: str) -> str | None:
    """Name and environment that our stacks begin with, from the name or ARN of the backup function."""
    name = function.partition(":function:")[2] or function
    match = _OURS.fullmatch(name.partition(":")[0])
    return match["system"] if match else None


def ways_back(receipt: Receipt, *, system: str | None, restore: str = RESTORE) -> list[Way]:
    """The dump first, which replaces the database; then, of an RDS instance, the moment, beside production.

    Args:
        receipt: of the backup that guarded the command.
        system: name and environment of our stacks, where they are known.
        restore: begin of the line that restores, for a shell.
    """
    backup = receipt.backup
    dump = f"{restore} {shlex.join((backup.location, '--to', backup.database))}"
    where = backup.host or backup.instance or "the default host"
    moment = format_time(backup.recovery_point)
    ways = [Way(f"the database {backup.database!r} on {where} as it was at {moment}, from the backup", dump)]
    instance = instance_of(receipt)
    if instance is None:
        return ways
    moment = format_time(receipt.point_in_time)
    if system is not None:
        command = shlex.join(("dbbackup", "pitr", "restore", moment, "--source", instance, "--system", system))
    else:
        suffix = f"-before-{receipt.point_in_time.astimezone(UTC):%Y%m%d-%H%M%S}"
        target = instance[: _IDENTIFIER_MAX - len(suffix)].rstrip("-") + suffix
        words = {"source-db-instance-identifier": instance, "target-db-instance-identifier": target}
        options = [word for name, value in words.items() for word in (f"--{name}", value)]
        command = shlex.join(("aws", "rds", "restore-db-instance-to-point-in-time", *options, "--restore-time", moment))
    return [*ways, Way(f"the whole instance as it was at {moment}, beside it; some five minutes from now", command)]
