"""What ``dbbackup restore`` shows and asks, before and after."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass

import typer

from dbbackup.cli.output import print_json, say
from dbbackup.core.errors import RefusedError
from dbbackup.core.leftovers import State
from dbbackup.core.ports import ProgressListener
from dbbackup.core.restore_plan import Plan, Skip
from dbbackup.core.units import format_bytes, format_seconds, format_time
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.leftovers import Resumed, Tidied
from dbbackup.operations.restore import RestoreOutcome
from dbbackup.operations.restore_proposal import Proposal

AGREED = "yes"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """How to agree with a proposal."""

    yes: bool
    stop_after_plan: bool
    as_json: bool
    last_backup: str | None

    def agree_with(self, listener: ProgressListener) -> Callable[[Proposal], None]:
        """The question, for a run whose progress goes to this listener."""
        pause: Callable[[], None] = getattr(listener, "pause", lambda: None)

        def agree(proposal: Proposal) -> None:
            pause()
            self._show(proposal)
            if self.stop_after_plan:
                raise typer.Exit(RefusedError.exit_status if proposal.plan.blockers else 0)
            if proposal.plan.blockers or proposal.server.existing is None or self.yes:
                return
            self._ask(proposal.options.target)

        return agree

    def _write(self, line: str) -> None:
        (sys.stderr if self.as_json else sys.stdout).write(line + "\n")

    def _show(self, proposal: Proposal) -> None:
        manifest, existing = proposal.source.manifest, proposal.server.existing
        self._write(f"Restore {proposal.source.url}")
        if manifest:
            self._write(
                f"   of {manifest.source.database!r} as it was at {format_time(manifest.snapshot_at)}: "
                f"{len(manifest.tables)} tables, {manifest.total_rows:,} rows, "
                f"{format_bytes(manifest.source.database_size_bytes)}"
            )
            self._write(f"   of the server {manifest.source.origin}")
        else:
            self._write("   ⚠️  it has no manifest: nobody vouches for its content")
        target = proposal.options.target
        if existing is None:
            self._write(f"Into a new database {target!r} on PostgreSQL {proposal.server.version}")
        else:
            self._write(f"Over the database {target!r} on PostgreSQL {proposal.server.version}")
            self._write(
                f"   {existing.tables} tables, {format_bytes(existing.size_bytes)}, "
                f"last backup here: {self.last_backup or 'none'}"
            )
            for session in existing.sessions:
                will = "may not" if session in existing.stubborn else "will"
                self._write(f"   connected, {will} be disconnected: {session}")
        show_plan(proposal.plan, self._write)

    def _ask(self, target: str) -> None:
        if not sys.stdin.isatty():
            raise RefusedError(
                f"The database {target!r} exists, and nobody is here to confirm that it may be replaced.",
                untouched="Nothing was changed.",
                action="Give --yes, or restore into another database with --to.",
            )
        self._write(f"⚠️  ALL CURRENT DATA OF {target!r} WILL BE REPLACED. (It is backed up first.)")
        stream = sys.stderr if self.as_json else sys.stdout
        stream.write(f"Type {AGREED!r} to go on: ")
        stream.flush()
        if sys.stdin.readline().strip() != AGREED:
            raise RefusedError("Not confirmed.", untouched="Nothing was changed.")


def show_plan(plan: Plan, write: Callable[[str], None]) -> None:
    """What will be left out, created, and what stands in the way."""
    for role in plan.roles_to_create:
        write(f"   will create the role {role!r}, without a password")
    for skip in plan.skips:
        write(f"   will skip {_explained(skip)}")
    for note in plan.notes:
        write(f"   note: {note}")
    for blocker in plan.blockers:
        write(f"   ❌ {blocker}")


def show_outcome(outcome: RestoreOutcome, source: ArchiveSource, *, as_json: bool) -> None:
    """What was restored, what was skipped, and where what it replaced is."""
    safety = outcome.safety_backup
    if as_json:
        print_json(
            {
                "status": "incomplete" if outcome.failures else "restored",
                "database": outcome.target,
                "backup": source.url,
                "tables": outcome.comparison.tables,
                "rows": outcome.comparison.rows,
                "notes": list(outcome.comparison.notes),
                "skipped": [_as_document(skip) for skip in outcome.plan.skips],
                "refused": [_as_document(skip) for skip in outcome.refused],
                "failures": [failure.as_dict() for failure in outcome.failures],
                "ownership": list(outcome.ownership),
                "script": outcome.script,
                "safety_backup": source.store.url(safety.archive.key) if safety else None,
                "old_database": outcome.old_database,
                "removed_leftovers": outcome.tidied.names,
                "durations_seconds": outcome.durations,
            }
        )
        return
    for leftover in outcome.tidied.databases:
        say(f"   removed {leftover.name!r}, left by a restore that was stopped ({leftover.mark.state.value})")
    _show_roles(outcome.tidied)
    if safety:
        say(f"✅ Safety backup: {source.store.url(safety.archive.key)} ({format_bytes(safety.archive.size_bytes)})")
    counts = f"{outcome.comparison.tables} tables, {outcome.comparison.rows:,} rows"
    checked = "as in the manifest" if source.manifest else "nothing to compare with"
    if outcome.failures:
        say(f"⚠️  Database {outcome.target!r} restored INCOMPLETE: {len(outcome.failures)} entries missing ({counts})")
    else:
        say(f"✅ Database {outcome.target!r} restored ({counts}, {checked})")
    for failure in outcome.failures:
        say(f"   ❌ {failure.what}: {failure.error}")
    if outcome.script:
        say(f"   what is missing is in {outcome.script}: mend the causes, then run it with psql")
    for line in outcome.ownership:
        say(f"   ⚠️  {line}")
    for skip in outcome.plan.skips:
        say(f"   skipped {_explained(skip)}")
    _show_refused(outcome.refused)
    for note in outcome.comparison.notes:
        say(f"   note: {note}")
    if outcome.old_database:
        say(f"   what it replaced is kept as {outcome.old_database!r}; DROP DATABASE removes it")
    took = ", ".join(f"{phase} {format_seconds(seconds)}" for phase, seconds in outcome.durations.items())
    say(f"   {took}")


def _explained(skip: Skip) -> str:
    """What is not there and why, with its statement as it is: in a name, a text or a comment a new line counts."""
    later = f"\n      later: {skip.statement}" if skip.statement else ""
    return f"{skip.what}: {skip.why}{later}"


def _as_document(skip: Skip) -> dict[str, str]:
    return {"what": skip.what, "why": skip.why, **({"statement": skip.statement} if skip.statement else {})}


def _show_refused(refused: tuple[Skip, ...]) -> None:
    for skip in refused:
        say(f"   ⚠️  {_explained(skip)}{';' if skip.statement else ''}")


def _show_roles(tidied: Tidied) -> None:
    for role in tidied.roles:
        say(f"   removed the role {role!r}: the memberships that a restore that was stopped had taken are given back")


def show_resumed(resumed: Resumed, target: str, *, as_json: bool) -> None:
    """What a resumption has done."""
    if as_json:
        print_json(
            {
                "status": "resumed",
                "database": target,
                "finished": resumed.finished.mark.backup if resumed.finished else None,
                "removed": resumed.removed.names,
                "old_database": resumed.old_database,
                "refused": [_as_document(skip) for skip in resumed.refused],
                "left_alone": list(resumed.left_alone),
                "without": list(resumed.without),
            }
        )
        return
    if resumed.finished:
        backup = resumed.finished.mark.backup
        before = resumed.finished.mark.state is State.REPLACED
        say(f"✅ Database {target!r} is {'already' if before else 'now'} the copy restored from {backup}")
        for entry in resumed.without:
            say(f"   {'perhaps ' if before else ''}without {entry}")
        if resumed.without:
            say(f"   why, and which statements bring it: dbbackup restore {shlex.quote(backup)} --plan")
    elif resumed.removed.databases:
        say(f"✅ Database {target!r} is as it was before the restore that was stopped")
    else:
        say(f"✅ No copy of a restore into {target!r} waits to be finished; the database was left as it is")
    _show_refused(resumed.refused)
    for sentence in resumed.left_alone:
        say(f"   {sentence}")
    for leftover in resumed.removed.databases:
        say(f"   removed {leftover.name!r} ({leftover.mark.state.value})")
    _show_roles(resumed.removed)
    if resumed.old_database:
        say(f"   what it replaced is kept as {resumed.old_database!r}: it may have been written to since its safety")
        say("   backup. DROP DATABASE removes it when nothing in it is missed")
