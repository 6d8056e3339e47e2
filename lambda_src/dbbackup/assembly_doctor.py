"""Puts together what ``dbbackup doctor`` examines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from dbbackup import assembly
from dbbackup.adapters.connection_url import read_url
from dbbackup.adapters.directory_inspection import DirectoryInspection, scratch
from dbbackup.adapters.directory_store import DirectoryStore
from dbbackup.adapters.server_inspection import inspect_server
from dbbackup.core.connection import Connection
from dbbackup.core.doctor_ports import Bucket
from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.ports import ClientTools
from dbbackup.operations.doctor_world import AskedOfBackup, World


def world_of(
    environment: Mapping[str, str],
    *,
    database: str | None,
    directory: Path | None,
    bucket: str | None,
    asked: Callable[[], AskedOfBackup],
    now: Callable[[], datetime],
) -> World:
    """What options and environment name.

    Raises:
        InvalidRequestError: both a directory and a bucket are named, or this can be no bucket's name.
    """
    if directory is not None and bucket is not None:
        raise InvalidRequestError(
            "Both a directory and a bucket are named.",
            untouched="Nothing was done.",
            action="Give --directory or --bucket, not both.",
        )
    named = None if directory is not None else assembly.bucket_named(bucket, environment)
    folder = directory or assembly.DEFAULT_DIRECTORY

    def tools() -> ClientTools:
        return assembly.tools_for(Connection(), environment)

    def make_bucket() -> Bucket:
        # The SDK takes as long to import as the rest; a directory needs none of it.
        from dbbackup.adapters.bucket_inspection import BucketInspection

        return BucketInspection(named or "", now=now)

    textfiles = environment.get(assembly.TEXTFILE_VARIABLE, "").strip()
    return World(
        environment=environment,
        asked=asked,
        url=lambda: read_url(environment.get("DATABASE_URL", "")),
        connection=lambda: assembly.connection_from(environment, database=database),
        tools=tools,
        server=inspect_server,
        store=lambda: assembly.bucket_store(named) if named else DirectoryStore(folder),
        scratch=scratch,
        now=now,
        directory=None if named else DirectoryInspection(folder),
        bucket=make_bucket if named else None,
        bucket_name=named or "",
        textfiles=DirectoryInspection(Path(textfiles)) if textfiles else None,
    )
