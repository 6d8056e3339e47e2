"""``dbbackup metrics``."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from dbbackup import assembly
from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.cli.output import examples, print_json, say, warn
from dbbackup.core.errors import InvalidRequestError, StorageError
from dbbackup.core.ports import BackupStore
from dbbackup.operations.catalog import read_catalog
from dbbackup.operations.evidence import read_chain

if TYPE_CHECKING:  # the library is imported where it is used: every other command would wait for it
    from dbbackup.core.exposition import Sample

HELP = (
    "Tell Prometheus which backups there are, and what rehearsals have shown.\n\n"
    "Only verified backups count whose archive is still there. With --textfile the text is written where "
    "node_exporter reads it, replaced whole; a run that fails leaves the file before, whose age then tells.\n\n"
    "With --instance it asks RDS instead of a store, for the latest moment that the instance could be restored to."
)
EXAMPLES = examples(
    ("dbbackup metrics", "what is in backups/, on standard output"),
    (
        "dbbackup metrics --bucket ftry-backups --textfile /var/lib/node_exporter/dbbackup_catalog.prom",
        "every half hour",
    ),
    (
        "dbbackup metrics --instance ftry-prod --textfile /var/lib/node_exporter/dbbackup_instance.prom",
        "every five minutes",
    ),
    ("dbbackup metrics --json", "the same for a script"),
)
_SUFFIX: Final = ".prom"


def metrics(
    directory: Annotated[Path | None, typer.Option(help="Directory to look in.", file_okay=False)] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket to look in.")] = None,
    instance: Annotated[str | None, typer.Option(help="RDS instance to ask about, instead of a store.")] = None,
    textfile: Annotated[Path | None, typer.Option(help="File that node_exporter reads; ends in .prom.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the samples as JSON.")] = False,
) -> None:
    """Tell Prometheus which backups there are."""
    from dbbackup.core.exposition import text_of

    if textfile is not None:
        _check(textfile)
    if instance is not None:
        samples, complete, asked = _ask(instance, directory, bucket), True, f"the instance {instance}"
    else:
        store = assembly.store_for(directory, bucket, os.environ)
        samples, complete = _read(store, _source(store))
        asked = store.location
    body = text_of(samples)
    if textfile is not None:
        _write(textfile, body)
    if json:
        print_json([_document(sample) for sample in samples])
    elif textfile is not None:
        say(f"{len(samples)} samples of {asked} are in {textfile}.")
    else:
        sys.stdout.write(body.decode())
    if not complete:
        raise typer.Exit(1)


def _check(textfile: Path) -> None:
    reason = None
    if textfile.suffix != _SUFFIX:
        reason, action = f"{textfile} does not end in {_SUFFIX}", "Name it so: node_exporter reads no other files."
    elif not textfile.parent.is_dir():
        reason = f"There is no folder {textfile.parent}"
        action = "Make it, and let node_exporter read it: --collector.textfile.directory."
    elif textfile.is_dir():
        reason, action = f"{textfile} is a folder", "Name a file in it."
    if reason is not None:
        raise InvalidRequestError(f"{reason}.", untouched="Nothing was read or written.", action=action)


def _ask(instance: str, directory: Path | None, bucket: str | None) -> tuple[Sample, ...]:
    if directory is not None or bucket is not None:
        raise InvalidRequestError(
            "Both an instance and a store are named.",
            untouched="Nothing was read or written.",
            action="Ask about each by a command of its own, into a file of its own.",
        )
    from dbbackup import assembly_watch  # the SDK takes as long to import as all the rest of a command
    from dbbackup.operations.textfile_instance import instance_samples

    return instance_samples(assembly_watch.instances(), instance)


def _source(store: BackupStore) -> str:
    if not isinstance(store, DirectoryStore):
        return store.location
    folder = Path(store.location)
    if not folder.is_dir():
        raise InvalidRequestError(
            f"There is no directory {folder}: that it holds no backups would be no observation.",
            untouched="Nothing was written.",
            action="Name the place of the backups with --directory or --bucket, or take one: `dbbackup backup`.",
        )
    return str(folder.resolve())


def _read(store: BackupStore, source: str) -> tuple[tuple[Sample, ...], bool]:
    """All samples, and whether nothing is missing. Evidence that cannot be read must not silence the backups."""
    from dbbackup.operations.textfile_catalog import catalog_samples, evidence_samples

    catalog = read_catalog(store)
    for problem in catalog.unreadable:
        warn(problem)
    samples = tuple(catalog_samples(catalog, source=source, now=datetime.now(UTC)))
    try:
        chain = read_chain(store)
    except (StorageError, InvalidRequestError) as error:
        warn(f"Nothing is told about rehearsals. {error}")
        return samples, False
    return (*samples, *evidence_samples(chain, source=source)), True


def _write(textfile: Path, body: bytes) -> None:
    from dbbackup.adapters.textfile import TextfileFolder

    folder = TextfileFolder(textfile.parent)
    with folder.locked():
        folder.replace(textfile.name, body)


def _document(sample: Sample) -> dict[str, Any]:
    labels = dict(zip(sample.family.labels, sample.labels, strict=True))
    return {"name": sample.family.name, "labels": labels, "value": sample.value}
