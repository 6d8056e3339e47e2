"""``dbbackup verify``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from dbbackup import assembly
from dbbackup.cli.location import SERVER_HELP, locate, our_server
from dbbackup.cli.output import examples, print_json, progress_line, say, warn
from dbbackup.cli.verify_foreign import show_foreign
from dbbackup.contract import Tier
from dbbackup.core.connection import Connection
from dbbackup.core.manifest import Manifest
from dbbackup.core.units import format_bytes, format_seconds
from dbbackup.operations.archive_source import ArchiveSource
from dbbackup.operations.catalog import read_catalog, read_manifest
from dbbackup.operations.latest import Wanted, latest
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
    server: Annotated[str | None, typer.Option(help=SERVER_HELP)] = None,
    directory: Annotated[Path | None, typer.Option(help="Directory to look in.", file_okay=False)] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket to look in.")] = None,
    scratch: Annotated[Path | None, typer.Option(help="Folder to download to.", file_okay=False, exists=True)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Read a backup back and check it."""
    store, key = locate(backup, directory, bucket)
    unreadable: tuple[str, ...] = ()
    if key is None:
        catalog = read_catalog(store, database=database)
        unreadable = catalog.unreadable
        for problem in unreadable:
            warn(problem)
        wanted = Wanted(tier, database, server)
        manifest: Manifest | None = latest(catalog, wanted, ours=our_server, place=store.location).manifest
        assert manifest is not None
        key = manifest.archive.key
    else:
        manifest = read_manifest(store, key)
    tools = assembly.tools_for(Connection(), os.environ)
    source = ArchiveSource(store, key, manifest)
    if manifest is None and not is_ours_in_form(source):
        with progress_line() as listener:
            found = verify_foreign(source, tools, scratch=scratch, listener=listener)
        show_foreign(store.url(key), found, as_json=json)
        return
    if manifest is not None:
        tools = tools.suited_to_archive(manifest.client_version)
    with progress_line() as listener:
        verified = verify_archive(
            store,
            key,
            tools,
            version_id=source.version(),
            expected=_expected(manifest) if manifest else None,
            listener=listener,
        )
    written_again = source.is_written_again()
    if json:
        print_json(
            {
                "status": "verified",
                "location": store.url(key),
                "size_bytes": verified.size_bytes,
                "sha256": verified.sha256,
                "digest_matches_manifest": True if manifest else None,
                "written_again": written_again,
                "entries": verified.record.entries,
                "tables_with_data": verified.record.tables_with_data,
                "duration_seconds": verified.record.duration_seconds,
            }
        )
    else:
        _say_verified(store.url(key), verified, manifest)
    if written_again:
        warn(
            f"{store.url(key)} was written again or removed after it had been made. What is verified here, and what "
            f"a restore takes, is the version of then, {source.version()}. Find out who did that."
        )
    if unreadable:  # one of them may be newer than what was taken for the latest
        raise typer.Exit(1)


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
