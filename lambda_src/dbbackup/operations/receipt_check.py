"""What a deploy job asks before it migrates: is there a backup to go back to, of this, for this, and young enough?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dbbackup.core.command_target import Place, is_same_host
from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.git_commit import SHOWN, GitCommit, Repository, is_same, relation
from dbbackup.core.naming import receipt_key
from dbbackup.core.ports import BackupStore, ClientTools, ProgressListener, no_progress
from dbbackup.core.receipt import BackupRecord, Receipt, Status
from dbbackup.core.units import format_seconds, format_time
from dbbackup.operations.catalog import read_manifest
from dbbackup.operations.receipt_agreement import AGAIN, Refusal, about_backup
from dbbackup.operations.receipts import Found, databases, receipts, unsettled
from dbbackup.operations.verify import Expected, verify_archive

_AHEAD: Final = timedelta(minutes=5)
"""Clocks differ; what was taken later than this from now was not taken, or a clock is wrong."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a receipt must be for.

    Attributes:
        database: whose backup.
        commit: what is migrated to; None where any will do.
        max_age: how old the data of the backup may be.
        now: the moment to judge from, with a zone.
        host: where the database is, as the environment says; None where it does not, or says it otherwise.
        unused: whether no command may have run on it.
        key: of the backup whose receipt it must be; None for the newest there is.
    """

    database: str
    commit: GitCommit | None
    max_age: timedelta
    now: datetime
    host: str | None = None
    unused: bool = False
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it.

    Attributes:
        found: the newest receipt of the database; None where there is none.
        refusals: reasons not to migrate; empty where there are none.
        before: receipt of the migration before, where that failed or its end is not known.
    """

    found: Found | None
    refusals: tuple[Refusal, ...]
    before: Found | None = None


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

    def of_ours(backup: BackupRecord) -> bool:
        return is_same_host(demand.host, Place.of(backup))

    # Of several servers that have a database of this name, ours counts; where there is none of it, that is said.
    found = next(receipts(store, demand.database, of=of_ours), None) or next(receipts(store, demand.database), None)
    if found is None:
        others = ", ".join(repr(name) for name in databases(store))
        which = f", only of {others}" if others else ""
        missing = f"There is no receipt of the database {demand.database!r} in {store.location}{which}."
        return Verdict(None, (Refusal("no-receipt", missing, AGAIN),))
    receipt = found.receipt
    if receipt is None:
        return Verdict(found, (Refusal("unreadable", found.problem, AGAIN),))
    if demand.key is not None and receipt_key(demand.key) != found.key:
        why = f"{store.url(receipt_key(demand.key))} is not the newest receipt: {store.url(found.key)} is."
        return Verdict(found, (Refusal("not-the-newest", why, AGAIN),))
    refusals = [*_about_receipt(receipt, demand, repository), *about_backup(receipt, found.key, store)]
    if tools is not None and not refusals:
        refusals.extend(_about_content(receipt, store, tools, listener))
    return Verdict(found, tuple(refusals), unsettled(store, demand.database, before=found.key, of=of_ours))


def _about_receipt(receipt: Receipt, demand: Demand, repository: Repository) -> Iterator[Refusal]:
    if receipt.backup.database != demand.database:
        why = f"The receipt is for the database {receipt.backup.database!r}, not for {demand.database!r}."
        yield Refusal("another-database", why, AGAIN)
    if not is_same_host(demand.host, Place.of(receipt.backup)):
        server = receipt.backup.host or receipt.backup.instance
        why = f"The backup was taken of {server}, and the environment leads to {demand.host}."
        yield Refusal("another-server", why, f"{AGAIN} Where both are the same, add --through-proxy.")
    if demand.commit is not None:
        if receipt.commit is None:
            why = f"The receipt names no commit, and {demand.commit.id[:SHOWN]} is about to be migrated to."
            yield Refusal("no-commit", why, AGAIN)
        elif not is_same(receipt.commit.id, demand.commit.id):
            how = relation(receipt.commit.id, demand.commit.id, repository)
            why = f"The receipt is for the commit {receipt.commit.id[:SHOWN]}, {how}."
            yield Refusal("another-commit", why, AGAIN)
    age = demand.now - receipt.backup.recovery_point
    if age > demand.max_age:
        old, most = format_seconds(age.total_seconds()), format_seconds(demand.max_age.total_seconds())
        why = f"The backup is {old} old, more than the {most} allowed: going back would lose all since."
        yield Refusal("too-old", why, AGAIN)
    elif age < -_AHEAD:
        why = f"The backup is of {format_time(receipt.backup.recovery_point)}, which has not come yet."
        yield Refusal("of-the-future", why, "Set the clocks of this machine and of the one that took it.")
    yield from _about_command(receipt, unused=demand.unused)


def _about_command(receipt: Receipt, *, unused: bool) -> Iterator[Refusal]:
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
    elif unused and receipt.status is not Status.NOT_STARTED:
        why = f"{command.program} has run on it already: going back would undo that, too."
        yield Refusal("already-used", why, AGAIN)


def _about_content(
    receipt: Receipt, store: BackupStore, tools: ClientTools, listener: ProgressListener
) -> Iterator[Refusal]:
    backup = receipt.backup
    manifest = read_manifest(store, backup.key)
    expected = Expected(backup.size_bytes, backup.sha256, manifest.tables if manifest else ())
    try:
        verify_archive(store, backup.key, tools, expected=expected, listener=listener)
    except VerificationFailedError as error:
        yield Refusal("damaged", error.what, AGAIN)
