"""``dbbackup list``."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dbbackup import assembly
from dbbackup.cli.output import examples, print_json, say, warn
from dbbackup.contract import Tier
from dbbackup.core.manifest import Manifest
from dbbackup.core.ports import BackupStore
from dbbackup.core.units import format_bytes, format_seconds, format_time
from dbbackup.operations.catalog import Catalog, CatalogEntry, read_catalog

HELP = "Show the backups there are, newest first.\n\nWhat has no manifest is not a backup: it is named below the table."
EXAMPLES = examples(
    ("dbbackup list", "what is in backups/"),
    ("dbbackup list --bucket ftry-backups --tier weekly", "one tier of a bucket"),
    ("dbbackup list --json | jq -r '.[0].key'", "the newest, for a script"),
)


def list_backups(
    tier: Annotated[Tier | None, typer.Option(help="Only this tier.")] = None,
    database: Annotated[str | None, typer.Option(help="Only this database.")] = None,
    server: Annotated[str | None, typer.Option(help="Only this server: its name or system identifier.")] = None,
    directory: Annotated[Path | None, typer.Option(help="Directory to look in.", file_okay=False)] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket to look in.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the backups as JSON.")] = False,
) -> None:
    """Show the backups there are."""
    store = assembly.store_for(directory, bucket, os.environ)
    catalog = read_catalog(store, tier=tier, database=database)
    if server is not None:
        of = tuple(entry for entry in catalog.entries if entry.manifest.source.origin.answers_to(server))
        catalog = replace(catalog, entries=of)
    now = datetime.now(UTC)
    if json:
        print_json([_document(store, entry, now) for entry in catalog.entries])
    else:
        _print_table(store, catalog, now)
    for problem in catalog.unreadable:
        warn(problem)
    for stray in catalog.unmanifested:
        warn(f"{store.url(stray.key)} has no manifest: it is not a verified backup.")
    if catalog.unreadable:
        raise typer.Exit(1)


def _document(store: BackupStore, entry: CatalogEntry, now: datetime) -> dict[str, Any]:
    manifest = entry.manifest
    return {
        "key": manifest.archive.key,
        "location": store.url(manifest.archive.key),
        "tier": manifest.tier.value,
        "safety": manifest.safety,
        "time": format_time(manifest.backup_time),
        "recovery_point": format_time(manifest.snapshot_at),
        "database": manifest.source.database,
        "server": manifest.source.server,
        "system_identifier": manifest.source.system_identifier,
        "size_bytes": manifest.archive.size_bytes,
        "age_seconds": round((now - manifest.age_reference).total_seconds()),
        "storage_class": entry.archive.storage_class if entry.archive else None,
        "verified": entry.sound,
        "tables": len(manifest.tables),
        "rows": manifest.total_rows,
        "sha256": manifest.archive.sha256,
    }


def _state(entry: CatalogEntry) -> str:
    if entry.archive is None:
        return "[red]gone[/]"
    return "[green]yes[/]" if entry.sound else "[red]size differs[/]"


def _server(catalog: Catalog, manifest: Manifest) -> str:
    """What to call its server: with its system identifier where another one has the name, too."""
    origins = {entry.manifest.source.origin for entry in catalog.entries}
    alone = sum(origin.name == manifest.source.server for origin in origins) == 1
    return manifest.source.server if alone else str(manifest.source.origin)


def _print_table(store: BackupStore, catalog: Catalog, now: datetime) -> None:
    if not catalog.entries:
        say(f"There are no backups in {store.location}. `dbbackup backup` takes one.")
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("TIER", no_wrap=True)
    table.add_column("TIME (UTC)", no_wrap=True)
    table.add_column("DATABASE")
    table.add_column("SERVER")
    table.add_column("SIZE", justify="right", no_wrap=True)
    table.add_column("AGE", justify="right", no_wrap=True)
    table.add_column("CLASS", no_wrap=True)
    table.add_column("VERIFIED", no_wrap=True)
    table.add_column("KEY", overflow="fold")
    for entry in catalog.entries:
        manifest = entry.manifest
        age = max(0.0, (now - manifest.age_reference).total_seconds())
        table.add_row(
            f"{manifest.tier.value} (safety)" if manifest.safety else manifest.tier.value,
            manifest.backup_time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            Text(manifest.source.database),
            Text(_server(catalog, manifest)),
            format_bytes(manifest.archive.size_bytes),
            format_seconds(age),
            entry.archive.storage_class if entry.archive else "-",
            _state(entry),
            Text(manifest.archive.key),
        )
    terminal = Console()
    # A pipe gets whole lines, however long.
    console = terminal if terminal.is_terminal else Console(width=240)
    # Not the table's title, which is broken where the table ends: the location is there to be copied.
    console.print(Text(f"Backups in {store.location}", style="italic"), soft_wrap=True)
    console.print(table)
