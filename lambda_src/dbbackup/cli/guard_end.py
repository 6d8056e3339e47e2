"""What a guard says once its command has ended. Nobody may listen any more, and that changes nothing."""

from __future__ import annotations

import signal
import sys

from dbbackup.core.naming import receipt_key
from dbbackup.core.ports import BackupStore
from dbbackup.core.receipt import Receipt, Status
from dbbackup.core.way_back import ways_back
from dbbackup.operations.guard import Guarded


def say_ended(guarded: Guarded, *, system: str | None, restore: str) -> None:
    """How the command ended, and where that was not well, the ways back."""
    receipt, status = guarded.receipt, guarded.exit_status
    program = receipt.command.program if receipt.command else "The command"
    if guarded.not_started is not None:
        _say(
            f"❌ {guarded.not_started.what}", f"   {guarded.not_started.untouched}", f"   {guarded.not_started.action}"
        )
    elif receipt.status is Status.SUCCEEDED:
        _say(f"✅ {program} ended with exit status 0")
    else:
        how = f"was ended by {_signal_name(status - 128)}" if status > 128 else "failed"
        _say(f"❌ {program} {how}; its exit status {status} is ours.")
    if receipt.status is Status.FAILED:
        _say("   The way back:")
        for way in ways_back(receipt, system=system, restore=restore):
            _say(f"   - {way.purpose}:", f"       {way.command}")


def say_recorded(guarded: Guarded, store: BackupStore) -> None:
    """Whether the end is in the receipt."""
    key = receipt_key(guarded.receipt.backup.key)
    if guarded.unsaved is None:
        _say(f"   Receipt: {store.url(key)} (commit {_commit(guarded.receipt)})")
        return
    _say(
        f"⚠️  THE END OF THE COMMAND IS NOT IN ITS RECEIPT {store.url(key)}, which still says that it runs.",
        f"   {guarded.unsaved}",
        f"   The command itself ended with exit status {guarded.exit_status}. Do not run it again because of this.",
    )


def say_kept(problem: object) -> None:
    """That an old backup could not be removed."""
    _say(f"⚠️  {problem}")


def _say(*lines: str) -> None:
    """Standard output is the command's."""
    sys.stderr.write("".join(f"{line}\n" for line in lines))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _commit(receipt: Receipt) -> str:
    if receipt.commit is None:
        return "not known"
    return receipt.commit.id[:12] + (" with uncommitted changes" if receipt.commit.dirty else "")
