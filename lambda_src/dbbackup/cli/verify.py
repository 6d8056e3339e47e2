"""``dbbackup verify``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from dbbackup import assembly
from dbbackup.cli.location import locate
from dbbackup.cli.output import examples, print_json, progress_line, say, warn
from dbbackup.cli.verify_foreign import show_foreign
from dbbackup.contract import Tier
from dbbackup.core.connection import Connection
from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.manifest import Manifest
from dbbackup.core.units import format_bytes, format_seconds
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.catalog import read_catalog, read_manifest
from dbbackup.operations.verify import Expected, Verified, verify_archive
from dbbackup.operations.verify_foreign import is_ours_in_form, verify_foreign

HELP = (
    "Read a backup back and check it.\n\n"
    "It must list, decompress to its end, and have the SHA-256 of its manifest. A dump without a manifest, in any "
    "format of pg_dump and compressed or not, has its structure checked, and that is said."
)
EXAMPLES = examples(
    ("dbbackup verify latest", "the newest in backups/"),
    ("dbbackup verify backups/ftry_backup_20250111_020000.dump", "a file"),
    ("dbbackup verify dumps/from-heroku.sql.gz", "a dump that somebody else has made, or a folder of one"),
    ("dbbackup verify daily/ftry_backup_20250111_020000.dump --bucket ftry-backups", "an object"),
)


def verify(
    backup: Annotated[str, typer.Argument(metavar="KEY|FILE|latest", help="A key, a file, an s3:// URL, or latest.")],
    tier: Annotated[Tier | None, typer.Option(help="With latest: of this tier.")] = None,
    database: Annotated[str | None, typer.Option(help="With latest: of this database.")] = None,
    directory: Annotated[Path | None, typer.Option(help="Directory to look in.", file_okay=False)] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket to look in.")] = None,
    scratch: Annotated[Path | None, typer.Option(help="Folder to download to.", file_okay=False, exists=True)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Read a backup back and check it."""
    store, key = locate(backup, directory, bucket)
    unreadable: tuple[str, ...] = ()
    if key is None:
        catalog = read_catalog(store, tier=tier, database=database)
        unreadable = catalog.unreadable
        for problem in unreadable:
            warn(problem)
        manifest: Manifest | None = catalog.latest(store, tier=tier, database=database).manifest
        assert manifest is not None
        key = manifest.archive.key
    else:
        manifest = read_manifest(store, key)
    tools = assembly.tools_for(Connection(), os.environ)
    if manifest is None and not is_ours_in_form(foreign := ArchiveSource(store, key, None)):
        with progress_line() as listener:
            found = verify_foreign(foreign, tools, scratch=scratch, listener=listener)
        show_foreign(store.url(key), found, as_json=json)
        return
    with progress_line() as listener, _naming_the_intact_version(manifest):
        # The object as anybody would read it now, not the version that was verified then.
        verified = verify_archive(
            store, key, tools, expected=_expected(manifest) if manifest else None, listener=listener
        )
    if json:
        print_json(
            {
                "status": "verified",
                "location": store.url(key),
                "size_bytes": verified.size_bytes,
                "sha256": verified.sha256,
                "digest_matches_manifest": True if manifest else None,
                "entries": verified.record.entries,
                "tables_with_data": verified.record.tables_with_data,
                "duration_seconds": verified.record.duration_seconds,
            }
        )
    else:
        _say_verified(store.url(key), verified, manifest)
    if unreadable:  # one of them may be newer than what was taken for the latest
        raise typer.Exit(1)


@contextmanager
def _naming_the_intact_version(manifest: Manifest | None) -> Iterator[None]:
    try:
        yield
    except VerificationFailedError as error:
        if manifest is not None and manifest.archive.version_id is not None:
            error.action += f" The version that was verified when it was made is {manifest.archive.version_id}."
        raise


def _expected(manifest: Manifest) -> Expected:
    return Expected(manifest.archive.size_bytes, manifest.archive.sha256, manifest.tables)


def _say_verified(url: str, verified: Verified, manifest: Manifest | None) -> None:
    record = verified.record
    say(f"✅ {url}: {format_bytes(verified.size_bytes)} read in {format_seconds(record.duration_seconds)}")
    say(f"   lists {record.entries} entries, {record.tables_with_data} tables with data; decompresses to its end")
    if manifest:
        say(f"   SHA-256 matches the manifest: {verified.sha256}")
    else:
        say("⚠️  There is no manifest beside it, so nobody vouches for its content; its structure is sound.")
        say(f"   SHA-256: {verified.sha256}")
