"""What a deploy job is told when it asks for a receipt, and how people read one."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.adapters.git_repository import GitRepository
from dbbackup.contract import Tier
from dbbackup.core.git_commit import GitCommit
from dbbackup.core.manifest import Manifest
from dbbackup.core.naming import manifest_key, receipt_key
from dbbackup.core.receipt import Receipt, Status
from dbbackup.operations.receipt_check import Demand, check_receipt
from dbbackup.operations.receipts import leave_receipt, write_receipt
from tests.guard.conftest import COMMIT
from tests.support.archives import flip
from tests.support.backups import take
from tests.support.buckets import Bucket
from tests.support.command import Ended
from tests.support.databases import Database
from tests.support.restores import cli


@dataclass(frozen=True)
class Kept:
    """A backup before a migration, and its receipt, in a folder."""

    database: Database
    folder: Path
    manifest: Manifest
    receipt: Receipt

    @property
    def store(self) -> DirectoryStore:
        """The folder."""
        return DirectoryStore(self.folder)

    @property
    def key(self) -> str:
        """Of the archive."""
        return self.manifest.archive.key

    def rewrite(self, **changes: Any) -> None:
        """Store another receipt in its place."""
        write_receipt(self.store, self.receipt.model_copy(update=changes))

    def verify(self, *options: str, commit: str | None = COMMIT, database: str | None = None) -> Ended:
        """Ask as a deploy job does."""
        named = () if commit is None else ("--commit", commit)
        words = ("receipt", "verify", *named, "--database", database or self.database.name, *options)
        return cli(*words, "--directory", self.folder, environment=self.database.environment())

    def refused(self, *options: str, commit: str | None = COMMIT, database: str | None = None) -> list[str]:
        """The codes it is refused with."""
        done = self.verify("--json", *options, commit=commit, database=database)
        assert done.status == 1, done.out
        assert done.err.startswith("❌")
        assert done.document["status"] == "refused"
        return [each["code"] for each in done.document["refusals"]]

    def ended(self, status: Status, exit_status: int | None) -> None:
        """Say that a command was run on it."""
        now = datetime.now(UTC)
        started = self.receipt.starting("migrate", now)
        write_receipt(self.store, started if exit_status is None else started.ended(status, exit_status, now))


@pytest.fixture
def kept(database: Database, tmp_path: Path) -> Kept:
    """A backup of just now, for the commit."""
    store = DirectoryStore(tmp_path / "kept")
    manifest = take(database, store, tier=Tier.PRE_MIGRATION).manifest
    receipt = leave_receipt(store, manifest, commit=GitCommit(COMMIT, dirty=False), requested_by="somebody")
    return Kept(database, tmp_path / "kept", manifest, receipt)


def test_a_fresh_receipt_for_the_commit_lets_the_migration_go_on(kept: Kept) -> None:
    done = kept.verify()
    assert done.status == 0, done.err
    assert done.out.startswith("✅")
    assert kept.verify(commit=COMMIT[:7]).status == 0
    document = kept.verify("--json", "--read-back").document
    assert (document["status"], document["refusals"]) == ("verified", [])
    assert document["receipt"]["backup"]["sha256"] == kept.manifest.archive.sha256


def test_a_missing_receipt(kept: Kept) -> None:
    (kept.folder / receipt_key(kept.key)).unlink()
    assert kept.refused() == ["no-receipt"]


def test_a_receipt_for_another_database(kept: Kept) -> None:
    assert kept.refused(database="another") == ["no-receipt"]
    assert f"only of '{kept.database.name}'" in kept.verify(database="another").err
    backup = kept.receipt.backup.model_copy(update={"database": "other"})
    kept.rewrite(backup=backup)
    assert kept.refused() == ["another-database", "another-backup"], "its name says one, its content the other"


def test_a_receipt_for_another_commit(kept: Kept) -> None:
    assert kept.refused(commit="f" * 40) == ["another-commit"]
    kept.rewrite(commit=None)
    assert kept.refused() == ["no-commit"]
    assert kept.verify("--any-commit", commit=None).status == 0


def test_an_old_receipt(kept: Kept) -> None:
    def age(minutes: float) -> None:
        moment = datetime.now(UTC) - timedelta(minutes=minutes)
        manifest = kept.manifest.model_copy(update={"snapshot_at": moment})
        (kept.folder / manifest_key(kept.key)).write_bytes(manifest.to_bytes())
        kept.rewrite(backup=kept.receipt.backup.model_copy(update={"recovery_point": moment}))

    age(59)
    assert kept.verify().status == 0
    age(61)
    assert kept.refused() == ["too-old"]
    assert kept.verify("--max-age", "2h").status == 0
    age(-60)
    assert kept.refused() == ["of-the-future"]


def test_a_command_that_failed_or_may_still_run(kept: Kept) -> None:
    kept.ended(Status.FAILED, 3)
    assert kept.refused() == ["command-failed"]
    kept.ended(Status.RUNNING, None)
    assert kept.refused() == ["command-running"]
    kept.ended(Status.NOT_STARTED, 127)
    assert kept.verify().status == 0
    kept.ended(Status.SUCCEEDED, 0)
    done = kept.verify()
    assert done.status == 0
    assert "has run on it already" in done.out


def test_a_backup_that_is_gone_or_another(kept: Kept) -> None:
    archive, manifest = kept.folder / kept.key, kept.folder / manifest_key(kept.key)
    whole, vouching = archive.read_bytes(), manifest.read_bytes()
    archive.write_bytes(whole[:-1])
    assert kept.refused() == ["size-differs"]
    archive.unlink()
    assert kept.refused() == ["no-backup"]
    archive.write_bytes(whole)
    other = kept.manifest.archive.model_copy(update={"sha256": "0" * 64})
    manifest.write_bytes(kept.manifest.model_copy(update={"archive": other}).to_bytes())
    assert kept.refused() == ["another-backup"]
    manifest.write_bytes(vouching[:100])
    assert kept.refused() == ["manifest-unreadable"]
    manifest.unlink()
    assert kept.refused() == ["no-manifest"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recovery_point", datetime(2026, 1, 11, 2, 0, tzinfo=UTC)),
        ("host", "db.example.org"),
        ("instance", "ftry-prod"),
        ("size_bytes", 1),
        ("sha256", "0" * 64),
        ("version_id", "another"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() and len(value) < 20 else "value",
)
def test_a_receipt_that_says_otherwise_than_the_manifest(kept: Kept, field: str, value: object) -> None:
    kept.rewrite(backup=kept.receipt.backup.model_copy(update={field: value}))
    assert "another-backup" in kept.refused("--max-age", "999999d", "--through-proxy")
    assert field.replace("_", " ") in kept.verify("--through-proxy").err


def test_a_receipt_that_speaks_of_another_backup_than_the_one_beside_it(kept: Kept) -> None:
    other = take(kept.database, kept.store, tier=Tier.PRE_MIGRATION).manifest
    stray = Receipt.of(
        other, str(kept.folder / other.archive.key), commit=None, requested_by=None, at=datetime.now(UTC)
    )
    (kept.folder / receipt_key(kept.key)).write_bytes(stray.to_bytes())
    assert kept.refused("--any-commit", commit=None) == ["another-backup"]


def test_a_way_back_that_leads_elsewhere(kept: Kept) -> None:
    decoy = kept.folder.parent / kept.key
    decoy.write_bytes((kept.folder / kept.key).read_bytes())
    kept.rewrite(backup=kept.receipt.backup.model_copy(update={"location": str(decoy)}))
    assert kept.refused() == ["another-location"]
    link = kept.folder.parent / "link"
    link.symlink_to(kept.folder)
    kept.rewrite(backup=kept.receipt.backup.model_copy(update={"location": str(link / kept.key)}))
    assert kept.verify().status == 0, "the same file under another name"


def test_a_backup_of_another_server(kept: Kept) -> None:
    def verified(*options: str, host: str) -> Ended:
        environment = {**kept.database.environment(), "POSTGRES_HOST": host}
        words = ("receipt", "verify", "--commit", COMMIT, *options)
        return cli(*words, "--directory", kept.folder, environment=environment)

    refused = verified(host="db.example.org")
    assert refused.status == 1
    assert "taken of 127.0.0.1, and the environment leads to db.example.org" in refused.err
    assert verified("--through-proxy", host="db.example.org").status == 0
    assert verified(host="LOCALHOST").status == 0


def test_an_archive_that_was_written_again(database: Database, bucket: Bucket) -> None:
    store = bucket.store()
    manifest = take(database, store, tier=Tier.PRE_MIGRATION).manifest
    leave_receipt(store, manifest, commit=GitCommit(COMMIT), requested_by=None)
    key = manifest.archive.key
    demand = Demand(database.name, GitCommit(COMMIT), timedelta(hours=1), datetime.now(UTC))
    assert check_receipt(demand, store, GitRepository(Path("/"))).refusals == ()
    bucket.put(key, bucket.body(key))
    (refusal,) = check_receipt(demand, store, GitRepository(Path("/"))).refusals
    assert refusal.code == "another-version"


def test_a_receipt_that_a_command_has_used(kept: Kept) -> None:
    assert kept.verify("--unused").status == 0
    kept.ended(Status.NOT_STARTED, 127)
    assert kept.verify("--unused").status == 0, "nothing was changed on it"
    kept.ended(Status.SUCCEEDED, 0)
    assert kept.refused("--unused") == ["already-used"]


@pytest.mark.parametrize(
    ("status", "exit_status", "said"),
    [(Status.FAILED, 3, "migrate failed with exit status 3"), (Status.RUNNING, None, "its end is not recorded")],
    ids=["failed", "running"],
)
def test_the_migration_before_that_did_not_end_well_is_named(
    kept: Kept, status: Status, exit_status: int | None, said: str
) -> None:
    kept.ended(status, exit_status)
    for _ in range(2):  # the second has one between, on which nothing was run
        newer = take(kept.database, kept.store, tier=Tier.PRE_MIGRATION).manifest
        leave_receipt(kept.store, newer, commit=GitCommit(COMMIT), requested_by=None)
        done = kept.verify()
        assert done.status == 0, "a warning, not a refusal"
        assert said in done.err
        assert receipt_key(kept.key) in done.err
    assert kept.verify("--json").document["unsettled"] == receipt_key(kept.key)


def test_a_damaged_backup_is_found_when_it_is_read_back(kept: Kept) -> None:
    archive = kept.folder / kept.key
    archive.write_bytes(flip(archive.read_bytes(), 60))
    assert kept.verify().status == 0, "its size is the same"
    assert kept.refused("--read-back") == ["damaged"]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"format_version": 2}', b"[1]"])
def test_a_receipt_that_cannot_be_read(kept: Kept, body: bytes) -> None:
    (kept.folder / receipt_key(kept.key)).write_bytes(body)
    assert kept.refused() == ["unreadable"]


def test_an_older_receipt_that_would_fit_does_not_count(kept: Kept) -> None:
    newer = take(kept.database, kept.store, tier=Tier.PRE_MIGRATION).manifest
    leave_receipt(kept.store, newer, commit=GitCommit("f" * 40), requested_by=None)
    assert kept.refused() == ["another-commit"]


def test_all_reasons_are_told_at_once(kept: Kept) -> None:
    kept.ended(Status.FAILED, 1)
    (kept.folder / kept.key).unlink()
    assert kept.refused(commit="f" * 40) == ["another-commit", "command-failed", "no-backup"]


@pytest.mark.parametrize(
    "options",
    [
        ("--commit", "main"),
        ("--commit", ""),
        ("--commit", "abcdef"),
        ("--max-age", "60", "--any-commit"),
        ("--max-age", "0m", "--any-commit"),
        ("--any-commit", "--commit", COMMIT),
    ],
)
def test_what_is_not_understood_has_status_2(kept: Kept, options: tuple[str, ...]) -> None:
    done = kept.verify(*options, commit=None)
    assert done.status == 2
    assert done.err.startswith("❌")


def _git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(("git", "-C", folder, *identity, *words), capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def history(tmp_path: Path) -> tuple[Path, list[str]]:
    """A repository with three commits, oldest first."""
    folder = tmp_path / "repository"
    folder.mkdir()
    _git(folder, "init", "--quiet")
    commits = []
    for number in range(3):
        (folder / "file").write_text(str(number))
        _git(folder, "add", "file")
        _git(folder, "commit", "--quiet", "-m", str(number))
        commits.append(_git(folder, "rev-parse", "HEAD"))
    return folder, commits


def test_an_older_commit_is_named_as_such_where_git_is_at_hand(kept: Kept, history: tuple[Path, list[str]]) -> None:
    folder, commits = history
    demand = Demand(kept.database.name, GitCommit(commits[2]), timedelta(hours=1), datetime.now(UTC))

    def said(found: str, wanted: str, repository: Path) -> str:
        write_receipt(
            kept.store,
            Receipt.of(
                kept.manifest, str(kept.folder / kept.key), commit=GitCommit(found), requested_by=None, at=demand.now
            ),
        )
        asked = replace(demand, commit=GitCommit(wanted))
        (refusal,) = check_receipt(asked, kept.store, GitRepository(repository)).refusals
        return refusal.why

    assert "2 commit(s) older" in said(commits[0], commits[2], folder)
    assert "1 commit(s) newer" in said(commits[2], commits[1], folder)
    assert "another than" in said("f" * 40, commits[1], folder)
    assert "another than" in said(commits[0], commits[2], Path("/"))


def test_the_commit_that_is_checked_out_and_whether_files_differ(history: tuple[Path, list[str]]) -> None:
    folder, commits = history
    repository = GitRepository(folder)
    assert repository.head() == GitCommit(commits[-1], dirty=False)
    (folder / "untracked").touch()
    assert repository.head() == GitCommit(commits[-1], dirty=False)
    (folder / "file").write_text("changed")
    assert repository.head() == GitCommit(commits[-1], dirty=True)
    assert GitRepository(folder.parent).head() is None


def test_without_git_there_is_no_commit(
    history: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert GitRepository(history[0]).head() is None


def test_a_workflow_names_commit_and_person(database: Database, tmp_path: Path) -> None:
    workflow = {
        "GITHUB_SHA": COMMIT,
        "GITHUB_ACTOR": "octocat",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": "team/ftry",
        "GITHUB_RUN_ID": "42",
    }
    words = ("backup", "--tier", "pre-migration", "--directory", tmp_path, "--json")
    receipt = cli(*words, environment={**database.environment(), **workflow}).document["receipt"]
    assert receipt["commit"] == {"id": COMMIT, "dirty": None}
    assert receipt["requested_by"] == "octocat, https://github.example/team/ftry/actions/runs/42"
    assert receipt["status"] == "backed-up"
    assert receipt["command"] is None


def test_a_commit_goes_with_the_tier_before_a_migration_only(database: Database, tmp_path: Path) -> None:
    done = cli("backup", "--commit", COMMIT, "--directory", tmp_path, environment=database.environment())
    assert done.status == 2
    assert "no receipt to hold it" in done.err
    assert list(tmp_path.iterdir()) == []


def test_show_and_list(kept: Kept) -> None:
    environment = kept.database.environment()
    kept.ended(Status.FAILED, 3)
    for named in ((), (kept.key,), (receipt_key(kept.key),)):
        shown = cli("receipt", "show", *named, "--directory", kept.folder, environment=environment)
        assert shown.status == 0, shown.err
        assert shown.out.startswith("failed: ")
        assert f"dbbackup restore {kept.folder / kept.key} --to {kept.database.name}" in shown.out
    document = cli("receipt", "show", "--json", "--directory", kept.folder, environment=environment).document
    assert document["command"]["exit_status"] == 3
    listed = cli("receipt", "list", "--json", "--directory", kept.folder, environment=environment).document
    assert [each["status"] for each in listed] == ["failed"]
    table = cli("receipt", "list", "--directory", kept.folder, environment=environment)
    assert COMMIT[:12] in table.out
    (kept.folder / receipt_key(kept.key)).write_bytes(b"{")
    table = cli("receipt", "list", "--directory", kept.folder, environment=environment)
    assert (table.status, "cannot be read" in table.err) == (1, True)
    nothing = cli("receipt", "show", "--directory", kept.folder / "empty", environment=environment)
    assert (nothing.status, "There is no such receipt" in nothing.err) == (1, True)
