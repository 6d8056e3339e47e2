"""What a deploy job asks before it migrates: is there a backup to go back to, of this, for this, and young enough?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.git_commit import SHOWN, GitCommit, Repository, is_same, relation
from dbbackup.core.ports import BackupStore, ClientTools, ProgressListener, no_progress
from dbbackup.core.receipt import Receipt, Status
from dbbackup.core.units import format_seconds, format_time
from dbbackup.operations.catalog import read_manifest
from dbbackup.operations.receipts import Found, databases, receipts
from dbbackup.operations.verify import Expected, verify_archive

_AHEAD: Final = timedelta(minutes=5)
"""Clocks differ; what was taken later than this from now was not taken, or a clock is wrong."""
_AGAIN: Final = "Take a backup for this migration: `dbbackup backup --tier pre-migration --commit COMMIT`."


@dataclass(frozen=True, slots=True)
class Demand:
    """What a receipt must be for.

    Attributes:
        database: whose backup.
        commit: what is migrated to; None where any will do.
        max_age: how old the data of the backup may be.
        now: the moment to judge from, with a zone.
    """

    database: str
    commit: GitCommit | None
    max_age: timedelta
    now: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason not to migrate.

    Attributes:
        code: stable word for scripts.
        why: what is wrong.
        action: what to do about it.
    """

    code: str
    why: str
    action: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it.

    Attributes:
        found: the newest receipt of the database; None where there is none.
        refusals: reasons not to migrate; empty where there are none.
    """

    found: Found | None
    refusals: tuple[Refusal, ...]


def check_receipt(
    demand: Demand,
    store: BackupStore,
    repository: Repository,
    *,
    tools: ClientTools | None = None,
    listener: ProgressListener = no_progress,
) -> Verdict:
    """Judge the newest receipt of a database.

    An older one that would fit does not count: something was about to be changed since then, so going back to it may
    undo that, too.

    Args:
        demand: what it must be for.
        store: where it lies.
        repository: tells older commits from newer ones, where it is at hand.
        tools: client programs to read the whole backup back with; None to look at its size and documents only.
        listener: told of what is read back.

    Raises:
        StorageError: the store cannot be listed or read.
    """
    found = next(receipts(store, demand.database), None)
    if found is None:
        others = ", ".join(repr(name) for name in databases(store))
        which = f", only of {others}" if others else ""
        missing = f"There is no receipt of the database {demand.database!r} in {store.location}{which}."
        return Verdict(None, (Refusal("no-receipt", missing, _AGAIN),))
    receipt = found.receipt
    if receipt is None:
        return Verdict(found, (Refusal("unreadable", found.problem, _AGAIN),))
    refusals = [*_about_receipt(receipt, demand, repository), *_about_backup(receipt, store)]
    if tools is not None and not refusals:
        refusals.extend(_about_content(receipt, store, tools, listener))
    return Verdict(found, tuple(refusals))


def _about_receipt(receipt: Receipt, demand: Demand, repository: Repository) -> Iterator[Refusal]:
    if receipt.backup.database != demand.database:
        why = f"The receipt is for the database {receipt.backup.database!r}, not for {demand.database!r}."
        yield Refusal("another-database", why, _AGAIN)
    if demand.commit is not None:
        if receipt.commit is None:
            why = f"The receipt names no commit, and {demand.commit.id[:SHOWN]} is about to be migrated to."
            yield Refusal("no-commit", why, _AGAIN)
        elif not is_same(receipt.commit.id, demand.commit.id):
            how = relation(receipt.commit.id, demand.commit.id, repository)
            why = f"The receipt is for the commit {receipt.commit.id[:SHOWN]}, {how}."
            yield Refusal("another-commit", why, _AGAIN)
    age = demand.now - receipt.backup.recovery_point
    if age > demand.max_age:
        old, most = format_seconds(age.total_seconds()), format_seconds(demand.max_age.total_seconds())
        why = f"The backup is {old} old, more than the {most} allowed: going back would lose all since."
        yield Refusal("too-old", why, _AGAIN)
    elif age < -_AHEAD:
        why = f"The backup is of {format_time(receipt.backup.recovery_point)}, which has not come yet."
        yield Refusal("of-the-future", why, "Set the clocks of this machine and of the one that took it.")
    yield from _about_command(receipt)


def _about_command(receipt: Receipt) -> Iterator[Refusal]:
    command = receipt.command
    if command is None:
        return
    if receipt.status is Status.FAILED:
        why = f"{command.program} has run on it already and failed with exit status {command.exit_status}."
        action = "Look at what it left and go back, or decide to go on; then take a new backup."
        yield Refusal("command-failed", why, action)
    elif receipt.status is Status.RUNNING:
        began = format_time(command.started_at)
        why = f"{command.program} was started on it at {began}, and its end is not recorded."
        action = "Wait for it if it runs. If it was killed, look at what it left, then take a new backup."
        yield Refusal("command-running", why, action)


def _about_backup(receipt: Receipt, store: BackupStore) -> Iterator[Refusal]:
    backup = receipt.backup
    url = store.url(backup.key)
    try:
        manifest = read_manifest(store, backup.key)
    except VerificationFailedError as error:
        yield Refusal("manifest-unreadable", error.what, _AGAIN)
        return
    if manifest is None:
        yield Refusal("no-manifest", f"There is no manifest beside {url}: nobody vouches for that backup.", _AGAIN)
    elif (manifest.archive.sha256, manifest.archive.size_bytes) != (backup.sha256, backup.size_bytes):
        yield Refusal("another-backup", f"The manifest of {url} is of another backup than the receipt.", _AGAIN)
    archive = store.find(backup.key)
    if archive is None:
        yield Refusal("no-backup", f"The backup {url} is gone.", _AGAIN)
    elif archive.size_bytes != backup.size_bytes:
        why = f"{url} has {archive.size_bytes} bytes, and {backup.size_bytes} were verified."
        yield Refusal("size-differs", why, _AGAIN)


def _about_content(
    receipt: Receipt, store: BackupStore, tools: ClientTools, listener: ProgressListener
) -> Iterator[Refusal]:
    backup = receipt.backup
    manifest = read_manifest(store, backup.key)
    expected = Expected(backup.size_bytes, backup.sha256, manifest.tables if manifest else ())
    try:
        verify_archive(store, backup.key, tools, expected=expected, listener=listener)
    except VerificationFailedError as error:
        yield Refusal("damaged", error.what, _AGAIN)
